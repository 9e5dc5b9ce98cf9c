package relay_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
)

func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		point    string
		timeouts relay.Timeouts
		want     want
	}{
		{relaytest.Mail, relay.Timeouts{Command: time.Second}, want{"mail", relay.Unavailable, 0, false}},
		{relaytest.Rcpt, relay.Timeouts{Command: time.Second}, want{"rcpt", relay.Unavailable, 0, false}},
		{relaytest.Data, relay.Timeouts{Data: 20 * time.Millisecond}, want{"data", relay.Unavailable, 0, false}},
		{relaytest.Dot, relay.Timeouts{Dot: 20 * time.Millisecond}, want{"dot", relay.InDoubt, 0, false}},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, lockstep bool) {
				s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: []relaytest.Rule{{At: c.point, Hang: true}}})
				conn := connect(t, s, relay.SMTPConfig{Timeouts: c.timeouts})
				_, err := conn.Send(t.Context(), envelope, message, nil)
				c.want.check(t, err, conn.Usable())
			})
		})
	}
}

func TestStalledBody(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Body, Delay: time.Hour}}})
	conn := connect(t, s, relay.SMTPConfig{Timeouts: relay.Timeouts{Block: 50 * time.Millisecond}})
	_, err := conn.Send(t.Context(), envelope, big(), nil)
	want{"body", relay.Unavailable, 0, false}.check(t, err, conn.Usable())
}

func TestCancel(t *testing.T) {
	for _, c := range []struct {
		point, command string
		want           want
	}{
		{relaytest.Mail, "1 MAIL", want{"mail", relay.Unavailable, 0, false}},
		{relaytest.Rcpt, "1 RCPT", want{"rcpt", relay.Unavailable, 0, false}},
		{relaytest.Data, "1 DATA", want{"data", relay.Unavailable, 0, false}},
		{relaytest.Dot, "", want{"dot", relay.InDoubt, 0, false}},
	} {
		t.Run(c.point, func(t *testing.T) {
			bothWays(t, func(t *testing.T, lockstep bool) {
				s := relaytest.Start(t, relaytest.Options{NoPipelining: lockstep, Rules: []relaytest.Rule{{At: c.point, Hang: true, Keep: true}}})
				conn := connect(t, s, relay.SMTPConfig{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					for !slices.Contains(s.Commands(), c.command) && (c.command != "" || s.Count() == 0) {
						time.Sleep(time.Millisecond)
					}
					cancel()
				}()
				_, err := conn.Send(ctx, envelope, message, nil)
				want := c.want
				var e *relay.Error
				if errors.As(err, &e) && !lockstep && c.point != relaytest.Dot {
					want.phase = e.Phase // the earlier answers may not be here yet
				}
				want.check(t, err, conn.Usable())
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v does not say that it was cancelled", err)
				}
			})
		})
	}
}

// TestCancelWhileWriting blocks the client in a write.
func TestCancelWhileWriting(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Body, Delay: time.Hour}}})
	conn := connect(t, s, relay.SMTPConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for !slices.Contains(s.Commands(), "1 DATA") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := conn.Send(ctx, envelope, big(), func() error { t.Error("came to the dot"); return nil })
	var e *relay.Error
	if !errors.As(err, &e) || e.Kind != relay.Unavailable || !errors.Is(err, context.Canceled) || conn.Usable() {
		t.Errorf("%v, usable %t", err, conn.Usable())
	}
}

func TestCancelledBeforehand(t *testing.T) {
	s := relaytest.Start(t, relaytest.Options{})
	conn := connect(t, s, relay.SMTPConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := conn.Send(ctx, envelope, message, nil)
	var e *relay.Error
	if !errors.As(err, &e) || e.Kind != relay.Unavailable || s.Count() != 0 {
		t.Errorf("%v, %d accepted", err, s.Count())
	}
}
