package newsletter_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

func TestLateNoWinsOverAClaim(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(3, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(nil)
	r.begun, r.hold = make(chan string, 3), make(chan string)
	s := h.sender(r, func(c *newsletter.SenderConfig) { c.Connections = 1 })
	go func() {
		first := <-r.begun // all three are claimed by now
		for _, email := range people {
			if email != first {
				who, err := h.Store.SubscriberByEmail(context.Background(), email)
				if err == nil {
					err = h.Store.Unsubscribe(context.Background(), time.Now(), who.ID, "weekly")
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
		h.Clock.Sleep(context.Background(), 2*time.Second)
		close(r.hold)
	}()
	h.run(s, h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 1 || c.Suppressed != 2 || r.count() != 1 {
		t.Errorf("account %+v, %d mails", c, r.count())
	}
}

// TestLateNoWinsOverAnAnnouncedMail lets people leave whose mails lie ready,
// one of them announced to the relay already.
func TestLateNoWinsOverAnAnnouncedMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	people := h.readers(6, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	server := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Dot, Times: 1, Delay: 300 * time.Millisecond}}})
	smtp, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: server.Port(), TLS: relay.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	left := people[1:4]
	go func() {
		for !slices.Contains(server.Commands(), "1 DATA") {
			time.Sleep(time.Millisecond)
		}
		for _, email := range left {
			who, err := h.Store.SubscriberByEmail(context.Background(), email)
			if err == nil {
				err = h.Store.Unsubscribe(context.Background(), time.Now(), who.ID, "weekly")
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	h.run(h.sender(smtp, func(c *newsletter.SenderConfig) { c.Connections = 1 }), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.Sent != 3 || c.Suppressed != 3 {
		t.Errorf("account %+v", c)
	}
	for _, m := range server.Messages() {
		if slices.Contains(left, m.To[0]) || m.Size < 1000 {
			t.Errorf("the relay took %d bytes for %v", m.Size, m.To)
		}
	}
}

// TestLateNoWinsAtTheDot lets somebody leave while the connection for their mail
// is being made, which takes long: all of it goes out but the final dot.
func TestLateNoWinsAtTheDot(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	server := relaytest.Start(t, relaytest.Options{Rules: []relaytest.Rule{{At: relaytest.Connect, Delay: 300 * time.Millisecond}}})
	go func() {
		for server.Connections() == 0 {
			time.Sleep(time.Millisecond)
		}
		who, err := h.Store.SubscriberByEmail(context.Background(), to)
		if err == nil {
			err = h.Store.Unsubscribe(context.Background(), time.Now(), who.ID, "weekly")
		}
		if err != nil {
			t.Error(err)
		}
	}()
	h.run(h.sender(smtp(t, server, nil)), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c != (store.Counts{Eligible: 1, Suppressed: 1}) || server.Count() != 0 {
		t.Errorf("account %+v, %d mails", c, server.Count())
	}
	if err := server.Close(); err != nil { // it has seen the end then
		t.Fatal(err)
	}
	if server.Truncated() != 1 {
		t.Errorf("%d messages were begun", server.Truncated())
	}
}

func TestARefusedSenderStopsOnlyItsNewsletter(t *testing.T) {
	t.Parallel()
	bad, good := weekly(), weekly()
	bad.Name, good.Name = "bad", "good"
	h := newHouse(t, bad, good)
	h.readers(30, "bad", "x")
	h.readers(30, "good", "y")
	h.publish("one", time.Now(), "x", "y")
	first, second := h.plan(bad), h.plan(good)
	r := newFakeRelay(nil)
	var mended atomic.Bool
	r.answerFrom = func(to string) error {
		if !mended.Load() && to[len(to)-len("x@example.com"):] == "x@example.com" {
			return &relay.Error{Phase: relay.PhaseMail, Kind: relay.Unavailable, Reply: relay.Reply{Code: 553, Text: "sender refused"}}
		}
		return nil
	}
	h.run(h.sender(r), h.finished(second.Edition.ID))
	if c := h.edition(first.Edition.ID).Counts; c.Pending != 30 || c.Failed != 0 {
		t.Errorf("the refused newsletter: %+v", c)
	}
	mended.Store(true)
	h.run(h.sender(r), h.finished(first.Edition.ID))
}

func TestAnswersThatAreAlwaysLostMakeNoFlood(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	to := h.readers(1, "")[0]
	h.publish("one", time.Now())
	p := h.plan(weekly())
	r := newFakeRelay(func(string, int) error {
		return &relay.Error{Phase: relay.PhaseDot, Kind: relay.InDoubt, Err: errors.New("gone")}
	})
	h.run(h.sender(r, func(c *newsletter.SenderConfig) { c.MaxAttempts = 3 }), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.InDoubt != 1 || len(r.got(to)) != 3 {
		t.Errorf("account %+v, %d copies, want one in doubt after 3", c, len(r.got(to)))
	}
}

func TestMinPostsCountsWhatIsNew(t *testing.T) {
	t.Parallel()
	n := weekly()
	n.MinPosts = 2
	h := newHouse(t, n)
	h.readers(2, "")
	h.publish("one", time.Now())
	h.publish("two", time.Now())
	r := newFakeRelay(nil)
	plan := func(slot string) store.Edition {
		p, err := h.Plan(t.Context(), newsletter.Request{Newsletter: n, Cadence: store.CadenceSchedule, Slot: slot})
		if err != nil {
			t.Fatal(err)
		}
		return p.Edition
	}
	e := plan("2026-01-05T08:00")
	h.run(h.sender(r), h.finished(e.ID))
	h.publish("three", time.Now())
	if e = plan("2026-01-12T08:00"); e.Status != store.EditionSkipped || e.Reason != "1 new, fewer than min_posts (2)" {
		t.Errorf("with one new post: %s, %q", e.Status, e.Reason)
	}
	h.publish("four", time.Now())
	if e = plan("2026-01-19T08:00"); e.Status != store.EditionSending || e.Posts != 2 {
		t.Errorf("with two: %s, %d posts", e.Status, e.Posts)
	}
}

func TestConfirmationsDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	for _, email := range []string{"a@example.org", "b@example.org", "c@example.org"} {
		if err := h.SignUp(t.Context(), newsletter.SignUp{Email: email}); err != nil {
			t.Fatal(err)
		}
	}
	r := newFakeRelay(nil)
	r.begun, r.hold = make(chan string, 9), make(chan string)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newsletter.NewMessenger(h.Service, r, nil, nil, nil).Run(ctx) }()
	<-r.begun
	stop()
	close(r.hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := r.count(); n != 1 {
		t.Errorf("%d confirmations went out after the word to stop, want the one on the wire", n)
	}
	h.letters(newFakeRelay(nil), 2)
}
