package newsletter_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/relay/relaytest"
)

// A logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// listen lets a house log into a book.
func (h *house) listen() *logbook {
	l := &logbook{}
	h.Log = slog.New(slog.NewTextHandler(l, nil))
	return l
}

// TestARelayThatAllowsFewConnections is used over those: that it refuses more is
// no trouble, and is found out once.
func TestARelayThatAllowsFewConnections(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	log := h.listen()
	h.readers(400, "")
	h.publish("one", time.Now())
	e := h.plan(weekly()).Edition
	s := relaytest.Start(t, relaytest.Options{Connections: 2, Rules: []relaytest.Rule{{At: relaytest.Dot, Delay: 2 * time.Millisecond}}})
	h.run(h.sender(smtp(t, s, nil), func(c *newsletter.SenderConfig) { c.Connections = 8 }), h.finished(e.ID))
	if c := h.edition(e.ID).Counts; c.Sent != 400 {
		t.Errorf("account %+v", c)
	}
	// At the very start a refusal may come before any connection has shown to work.
	if strings.Count(log.String(), "mail waits") > 1 {
		t.Errorf("the relay was left alone:\n%s", log)
	}
	if n := s.Connections(); n > 50 { // each finds out, perhaps more than once at the start, but not for each mail
		t.Errorf("%d connections were tried", n)
	}
}

// TestAnIdleConnectionIsUsedFirst sends one mail at a time: whoever has a
// connection sends it.
func TestAnIdleConnectionIsUsedFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	s := relaytest.Start(t, relaytest.Options{})
	sender := h.sender(smtp(t, s, nil), func(c *newsletter.SenderConfig) { c.Connections = 8 })
	h.readers(1, "")
	planned := 0
	h.run(sender, func() bool {
		if s.Count() == planned && planned < 10 {
			planned++
			h.publish(strings.Repeat("x", planned), time.Now())
			h.plan(weekly())
			sender.Wake()
		}
		return s.Count() == 10
	})
	if made := s.Connections(); made > 3 { // one that is not yet idle again is not waited for
		t.Errorf("%d connections for %d mails, one after the other", made, s.Count())
	}
}
