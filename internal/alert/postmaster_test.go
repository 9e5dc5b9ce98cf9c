package alert_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/alert"
	"tidings/internal/newsletter"
)

// TestLettersToThePostmaster are handed on to a maintainer, but not those of
// machines, and not any number of them.
func TestLettersToThePostmaster(t *testing.T) {
	const question = "From: Ann <ann@example.net>\r\nSubject: Your =?utf-8?q?m=C3=A4ils?=\r\n\r\nWhy do I get them?\r\n.x\r\n"
	for name, c := range map[string]struct {
		to, head string
		down     error
		handed   bool
		fails    bool
	}{
		"a question":          {maintainer, "Return-Path: <ann@example.net>\r\n", nil, true, false},
		"while relay is down": {maintainer, "", errors.New("refused"), false, true},
		"to nobody":           {"", "", nil, false, false},
		"an automatic answer": {maintainer, "Auto-Submitted: auto-replied\r\n", nil, false, false},
		"a bounce":            {maintainer, "Return-Path: <>\r\n", nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(h *house) {
				h.relay.setDown(c.down)
				w := alert.New(h.config(c.to), alert.Deps{Service: h.Service, Mails: newsletter.NewMessenger(h.Service, h.relay, nil, h.gate, nil)}, prometheus.NewRegistry())
				err := w.Letter(h.t.Context(), "postmaster@news.example.org", strings.NewReader(c.head+question))
				if (err != nil) != c.fails {
					h.t.Errorf("error %v, want one: %t", err, c.fails)
				}
				got := h.relay.letters()
				if handed := len(got) == 1; handed != c.handed {
					h.t.Fatalf("%d mails", len(got))
				}
				if c.handed && (!strings.Contains(got[0].Subject, "Your mäils") || !strings.Contains(got[0].Text, "    Why do I get them?\n") || !strings.Contains(got[0].Text, "ann@example.net")) {
					h.t.Errorf("handed on as %q:\n%s", got[0].Subject, got[0].Text)
				}
			})
		})
	}
	bubble(t, func(h *house) {
		w := alert.New(h.config(maintainer), alert.Deps{Service: h.Service, Mails: newsletter.NewMessenger(h.Service, h.relay, nil, h.gate, nil)}, prometheus.NewRegistry())
		for range 50 {
			h.check(w.Letter(h.t.Context(), "postmaster@news.example.org", strings.NewReader(question)))
		}
		if n := len(h.relay.letters()); n != 20 {
			t.Errorf("%d of 50 within an hour were handed on, want 20", n)
		}
	})
}
