package alert_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/clock"
	"tidings/internal/store"
)

// run records a run of the newsletter as of now.
func (h *house) run(status, reason string, missed bool) {
	h.t.Helper()
	now := time.Now()
	_, err := h.Store.RecordEditions(h.t.Context(), now, []store.Edition{{
		Newsletter: "daily", Cadence: store.CadenceSchedule, Slot: now.Format("2006-01-02T15:04"), DueAt: now,
		Status: status, Reason: reason, Missed: missed, InDoubt: store.Hold,
	}})
	h.check(err)
	h.check(h.Store.KeepCadence(h.t.Context(), now, store.Cadence{Newsletter: "daily", Name: store.CadenceSchedule, Until: now}))
}

// everybody puts all readers in one group.
type everybody struct{}

func (everybody) Assign(store.Reader) int { return 0 }
func (everybody) Groups() ([]store.Group, error) {
	return []store.Group{{Date: time.Now(), NotBefore: time.Now(), Sender: "news@example.org", Subject: "s", Template: []byte("t")}}, nil
}

// edition makes an edition for so many readers, in a state.
func (h *house) edition(readers int, status string) store.Edition {
	h.t.Helper()
	var rows []store.ImportRow
	for i := range readers {
		email := fmt.Sprintf("r%d@example.com", i)
		rows = append(rows, store.ImportRow{Line: i + 1, Subscriber: store.Subscriber{
			Email: email, Key: email, CreatedAt: time.Now(),
			Subscriptions: []store.Subscription{{Newsletter: "daily", Status: store.StatusActive, CreatedAt: time.Now()}},
		}})
	}
	_, err := h.Store.ImportSubscribers(h.t.Context(), time.Now(), rows, false)
	h.check(err)
	e, _, err := h.Store.PlanEdition(h.t.Context(), time.Now(), store.Edition{
		Newsletter: "daily", Cadence: store.CadenceSchedule, Slot: "manual-" + time.Now().Format(time.RFC3339Nano), Manual: true,
		Status: status, InDoubt: store.Hold, ExpiresAt: time.Now().Add(72 * time.Hour),
	}, nil, everybody{}, false)
	h.check(err)
	return e
}

// attempt records outcomes of so many mails.
func (h *house) attempt(n int, state string) {
	h.t.Helper()
	jobs, err := h.Store.Claim(h.t.Context(), time.Now(), "test", n)
	h.check(err)
	var results []store.Result
	for _, j := range jobs {
		results = append(results, store.Result{DeliveryRef: j.DeliveryRef, State: state, Counted: true})
	}
	h.check(h.Store.Record(h.t.Context(), time.Now(), "test", results))
}

// seen makes the newsletter owe its runs from now on.
func (h *house) seen() {
	h.t.Helper()
	_, err := h.Store.SeeNewsletter(h.t.Context(), time.Now(), "daily")
	h.check(err)
}

func (h *house) open(circuit, reason string, until time.Duration) {
	h.t.Helper()
	_, err := h.Store.OpenCircuit(h.t.Context(), time.Now(), store.Circuit{
		Name: circuit, State: store.CircuitOpen, Since: time.Now(), Until: time.Now().Add(until), Reason: reason,
	})
	h.check(err)
}

// TestWhatIsWorthAnAlert brings about each kind of trouble, looks when it
// is mailed, and ends it.
func TestWhatIsWorthAnAlert(t *testing.T) {
	for name, c := range map[string]struct {
		begin   func(h *house)
		mailed  string        // its subject
		within  time.Duration // of the beginning, but not in half of that; 0: at once
		end     func(h *house)
		over    bool // the end is mailed
		stays   bool // there is no end to see
		mention []string
	}{
		"a run that failed": {
			begin:   func(h *house) { h.run(store.EditionFailed, "the template is broken", false) },
			mailed:  "The run of daily of 2000-01-01 00:01 failed",
			end:     func(h *house) { h.run(store.EditionSkipped, "no new posts", false) },
			mention: []string{"the template is broken", "tidings send daily"},
		},
		"a missed run": {
			begin: func(h *house) {
				h.run(store.EditionSkipped, "missed while tidings was not running, 1h0m0s ago (catch_up: skip)", true)
			},
			mailed: "The run of daily of 2000-01-01 00:01 was missed", within: 4 * time.Minute,
			end:     func(h *house) { h.edition(1, store.EditionSending); h.attempt(1, store.DeliverySent) },
			mention: []string{"catch_up: skip"},
		},
		"a run that is overdue": {
			begin: func(h *house) {
				h.seen()
				h.set(func() { h.fault = errors.New("the disk said no") })
			},
			mailed: "The run of daily of 2000-01-01 08:00 is overdue", within: 8*time.Hour + 12*time.Minute,
			end:     func(h *house) { h.run(store.EditionSkipped, "no new posts", false) },
			over:    true,
			mention: []string{"the disk said no"},
		},
		"an approval": {
			begin:  func(h *house) { h.edition(3, store.EditionPlanned) },
			mailed: "Edition 1 of daily waits for your approval", within: 3 * time.Minute,
			end:     func(h *house) { h.check(h.Store.CancelEdition(h.t.Context(), time.Now(), 1)) },
			mention: []string{"tidings editions resume 1", "3 readers", "2000-01-04 00:01 UTC"},
		},
		"an edition that does not get on": {
			begin:  func(h *house) { h.edition(3, store.EditionSending) },
			mailed: "Edition 1 of daily does not get on", within: 12 * time.Minute,
			end: func(h *house) { h.attempt(3, store.DeliverySent) }, over: true,
			mention: []string{"3 mails"},
		},
		"failures": {
			begin: func(h *house) {
				h.edition(20, store.EditionSending)
				h.attempt(3, store.DeliveryFailed)
				h.attempt(17, store.DeliverySent)
			},
			mailed: "Many mails of edition 1 of daily failed",
			end: func(h *house) {
				_, err := h.Store.RetryEdition(h.t.Context(), time.Now(), 1, time.Now().Add(time.Hour))
				h.check(err)
				h.attempt(3, store.DeliverySent)
			},
			mention: []string{"3 of the 20 mails", "tidings editions show 1 --deliveries failed", "tidings editions retry 1"},
		},
		"doubts": {
			begin: func(h *house) {
				h.edition(2, store.EditionSending)
				h.attempt(1, store.DeliveryInDoubt)
				h.attempt(1, store.DeliverySent)
			},
			mailed:  "1 mail of edition 1 of daily in doubt",
			end:     func(h *house) {},
			stays:   true,
			mention: []string{"tidings editions show 1 --deliveries in_doubt"},
		},
		"bounces that are not believed": {
			begin: func(h *house) {
				h.edition(120, store.EditionSending)
				h.attempt(120, store.DeliverySent)
				var list []store.Bounce
				for i := range 10 {
					list = append(list, store.Bounce{DeliveryRef: store.DeliveryRef{EditionID: 1, Seq: int64(i + 1)}, Class: store.BounceHard})
				}
				_, err := h.Store.RecordBounces(h.t.Context(), time.Now(), store.BouncePolicy{HeldShare: 0.05, HeldLeast: 5, HeldWithin: time.Minute}, list)
				h.check(err)
			},
			mailed:  "Suspiciously many addresses of edition 1 of daily bounced",
			end:     func(*house) {},
			stays:   true,
			mention: []string{"at 2000-01-01 00:01 UTC", "tidings suppressions remove ADDRESS"},
		},
		"a domain": {
			begin:  func(h *house) { h.open("domain example.com", "421 4.7.0 too much", 20*time.Minute) },
			mailed: "example.com takes no mails from here", within: 12 * time.Minute,
			end: func(h *house) { h.check(h.Store.CloseCircuit(h.t.Context(), "domain example.com")) }, over: true,
			mention: []string{"421 4.7.0 too much"},
		},
		"a sender": {
			begin:  func(h *house) { h.open("newsletter daily", "553 who?", 20*time.Minute) },
			mailed: "The mail server refuses the sender of newsletter daily", within: 12 * time.Minute,
			end: func(h *house) { h.check(h.Store.CloseCircuit(h.t.Context(), "newsletter daily")) }, over: true,
			mention: []string{"553 who?", "newsletters.daily.from"},
		},
		"no room on the disk": {
			begin:  func(h *house) { h.set(func() { h.ready = errors.New("the disk is full") }) },
			mailed: "Sending stopped: the disk or the database does not work", within: 2 * time.Minute,
			end: func(h *house) { h.set(func() { h.ready = nil }) }, over: true,
			mention: []string{"the disk is full", "Since 2000-01-01 00:0"},
		},
		"posts that vanished": {
			begin: func(h *house) {
				h.set(func() { h.alarm = &catalog.Alarm{Since: time.Now(), Missing: []string{"a.md", "b.md"}, Known: 5} })
			},
			mailed:  "Many posts vanished at once",
			end:     func(h *house) { h.set(func() { h.alarm = nil }) },
			over:    true,
			mention: []string{"2 posts of 5", "a.md", "tidings posts check --accept"},
		},
		"templates that are broken": {
			begin: func(h *house) {
				h.set(func() { h.looks = errors.New("own/email/digest.txt:2:5: no\nown/web/home.html: nor this") })
			},
			mailed:  "Your templates are broken",
			end:     func(h *house) { h.set(func() { h.looks = nil }) },
			over:    true,
			mention: []string{"2000-01-01 00:01 UTC", "own/email/digest.txt:2:5: no", "own/web/home.html: nor this", "tidings config check"},
		},
		"a clock that was set back": {
			begin: func(h *house) {
				_, err := h.Store.RecordEditions(h.t.Context(), time.Now().Add(time.Hour), []store.Edition{{
					Newsletter: "other", Cadence: store.CadenceSchedule, Slot: "2000-01-01T00:00", Status: store.EditionSkipped, InDoubt: store.Hold,
				}})
				h.check(err)
			},
			mailed: "The clock was set back: nothing is mailed",
			end:    func(h *house) { h.check(h.Store.AcceptClock(h.t.Context(), time.Now())) }, over: true,
			mention: []string{"2000-01-01 01:01 UTC", "tidings db clock --accept"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(h *house) {
				stop := h.watch(maintainer)
				time.Sleep(90 * time.Second) // between two looks
				c.begin(h)
				if c.within != 0 {
					time.Sleep(c.within / 2)
					if got := h.relay.subjects(); len(got) > 0 {
						t.Errorf("after %v: %q", c.within/2, got)
					}
				}
				time.Sleep(c.within/2 + 2*time.Minute)
				if got := h.relay.subjects(); !slices.Equal(got, []string{c.mailed}) {
					t.Fatalf("mailed %q, want %q; open %q", got, c.mailed, h.alerts(false))
				}
				flat := strings.Join(strings.Fields(h.relay.letters()[0].Text), " ")
				for _, m := range c.mention {
					if !strings.Contains(flat, m) {
						t.Errorf("no %q in\n%s", m, h.relay.letters()[0].Text)
					}
				}
				c.end(h)
				time.Sleep(15 * time.Minute)
				want := []string{c.mailed}
				if c.over {
					want = append(want, "Over: "+c.mailed)
				}
				if got := h.relay.subjects(); !slices.Equal(got, want) {
					t.Errorf("in the end %q, want %q", got, want)
				}
				if got := h.alerts(false); !c.stays && len(got) > 0 {
					t.Errorf("still open: %q", got)
				}
				stop()
			})
		})
	}
}

// TestCommonTroubleIsNone: what goes its way raises no alert.
func TestCommonTroubleIsNone(t *testing.T) {
	for name, begin := range map[string]func(h *house){
		"a short pause of the relay": func(h *house) { h.open("relay mail.example.org:587", "no", 2*time.Second) },
		"a circuit nobody tries":     func(h *house) { h.open("domain example.com", "no", -time.Minute) },
		"another relay":              func(h *house) { h.open("relay old.example.org:25", "no", 48*time.Hour) },
		"few failures": func(h *house) {
			h.edition(100, store.EditionSending)
			h.attempt(10, store.DeliveryFailed)
			h.attempt(90, store.DeliverySent)
		},
		"failures of few": func(h *house) {
			h.edition(19, store.EditionSending)
			h.attempt(19, store.DeliveryFailed)
		},
		"a paused edition": func(h *house) {
			h.edition(3, store.EditionSending)
			h.check(h.Store.PauseEdition(h.t.Context(), time.Now(), 1))
		},
		"a slow edition": func(h *house) {
			h.edition(40, store.EditionSending)
			for range 40 {
				time.Sleep(9 * time.Minute)
				h.attempt(1, store.DeliverySent)
			}
		},
		"an edition whose sender was refused for a while": func(h *house) {
			h.edition(3, store.EditionSending)
			h.open("newsletter daily", "no", 9*time.Minute)
			time.Sleep(9 * time.Minute)
			h.check(h.Store.CloseCircuit(h.t.Context(), "newsletter daily"))
			time.Sleep(9 * time.Minute)
			h.attempt(3, store.DeliverySent)
		},
		"a missed run that another stands for": func(h *house) {
			h.run(store.EditionSkipped, "missed while tidings was not running; the run of 2000-01-01T00:01 stands for it", true)
			time.Sleep(time.Minute)
			h.run(store.EditionSkipped, "no new posts", false)
		},
		"one bad look": func(h *house) {
			h.set(func() { h.ready = errors.New("busy") })
			time.Sleep(time.Minute)
			h.set(func() { h.ready = nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(h *house) {
				defer h.watch(maintainer)()
				time.Sleep(30 * time.Second)
				begin(h)
				time.Sleep(8 * time.Hour)
				if got := h.alerts(true); len(got) > 0 {
					t.Errorf("%q", got)
				}
			})
		})
	}
}

// TestARehearsalMayBeginInThePast: its clock was not set back.
func TestARehearsalMayBeginInThePast(t *testing.T) {
	bubble(t, func(h *house) {
		h.run(store.EditionSkipped, "no new posts", false)
		h.Clock = clock.Rehearse(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), 600)
		defer h.watch(maintainer)()
		time.Sleep(10 * time.Minute)
		if got := h.alerts(true); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
}

// TestTwoProcesses: what one of them sees of itself alone, the other leaves.
func TestTwoProcesses(t *testing.T) {
	bubble(t, func(h *house) {
		other := &house{t: h.t, relay: h.relay, gate: h.gate, Service: h.Service}
		defer h.watch(maintainer)()
		defer other.watch(maintainer)()
		h.set(func() { h.ready = errors.New("the disk is full") })
		time.Sleep(3 * time.Hour)
		if got := h.relay.subjects(); len(got) != 1 || len(h.alerts(true)) != 1 {
			t.Errorf("mailed %q, on record %q", got, h.alerts(true))
		}
		h.set(func() { h.ready = nil })
		time.Sleep(time.Hour)
		if got := h.relay.subjects(); len(got) != 2 || len(h.alerts(false)) != 0 {
			t.Errorf("mailed %q, open %q", got, h.alerts(false))
		}
	})
}
