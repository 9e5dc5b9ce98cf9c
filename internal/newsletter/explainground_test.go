package newsletter_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// TestExplainEveryGround asks of somebody whom several things keep from a mail.
func TestExplainEveryGround(t *testing.T) {
	bubble(t, scheduled(t, "0 8 * * MON"), func(t *testing.T, h *house) {
		ctx := t.Context()
		h.delivered(time.Minute)
		h.subscriber("reader@example.com", store.Subscription{Newsletter: "weekly", Frequency: store.CadenceSchedule})
		who := h.subscriber("many@example.com", store.Subscription{
			Newsletter: "weekly", Frequency: store.CadenceDaily, PausedUntil: time.Now().Add(30 * 24 * time.Hour),
		})
		h.subscriber("daily@example.com", store.Subscription{Newsletter: "weekly", Frequency: store.CadenceDaily})
		mustDo(t, h.Store.Unsubscribe(ctx, time.Now(), who.ID, "weekly"))
		_, err := h.Store.Suppress(ctx, []store.Suppression{{Key: who.Key, Reason: store.ReasonComplaint, At: time.Now()}})
		mustDo(t, err)
		h.publish("one", time.Now(), "a")
		h.grounds("many", 0, "left suppressed paused")

		time.Sleep(time.Until(time.Date(2000, 1, 3, 7, 59, 0, 0, time.UTC)))
		h.scheduled(2 * time.Minute)
		run := h.lastOf(store.CadenceSchedule)
		h.grounds("many", run, "left suppressed frequency paused")
		if a := h.grounds("daily", run, "frequency"); !strings.Contains(a.Why, "theirs comes next on 2000-01-04 ") {
			t.Errorf("of another frequency: %s", a.Why)
		}
	})
}

// TestExplainDoomed asks of mails that wait, and that no claim will take.
func TestExplainDoomed(t *testing.T) {
	bubble(t, scheduled(t, "0 8 * * MON"), func(t *testing.T, h *house) {
		ctx := t.Context()
		h.delivered(time.Minute)
		people := map[string]store.Subscriber{}
		for _, name := range []string{"stays", "leaves", "bounces", "pauses", "rests"} {
			people[name] = h.subscriber(name+"@example.com", store.Subscription{Newsletter: "weekly", Frequency: store.CadenceSchedule})
		}
		h.publish("one", time.Now(), "a")
		time.Sleep(time.Until(time.Date(2000, 1, 3, 7, 59, 0, 0, time.UTC)))
		h.scheduled(2 * time.Minute)
		// One whose pause ends before the next attempt gets it.
		h.answer(people["rests"].ID, store.Result{State: store.DeliveryPending, Counted: true, Code: 451, Reason: "busy", NextAt: time.Now().Add(2 * time.Minute)})
		mustDo(t, h.Store.Unsubscribe(ctx, time.Now(), people["leaves"].ID, "weekly"))
		_, err := h.Store.Suppress(ctx, []store.Suppression{{Key: people["bounces"].Key, Reason: store.ReasonBounce, At: time.Now()}})
		mustDo(t, err)
		for name, d := range map[string]time.Duration{"pauses": time.Hour, "rests": time.Minute} {
			h.paused(people[name], time.Now().Add(d))
		}
		run := h.lastOf(store.CadenceSchedule)
		told := map[string]newsletter.Answer{}
		for name, want := range map[string]string{"stays": "queued", "leaves": "left suppressed", "bounces": "suppressed", "pauses": "paused", "rests": "retry"} {
			told[name] = h.grounds(name, run, want)
		}
		time.Sleep(3 * time.Minute)
		got := map[string]bool{}
		for _, m := range h.deliver() {
			got[strings.TrimSuffix(m.email, "@example.com")] = true
		}
		for name, a := range told {
			if got[name] == strings.Contains(a.Why, "will not be mailed") {
				t.Errorf("%s: %q; mailed: %v", name, a.Why, got[name])
			}
		}
	})
}

// TestExplainOwnTurn asks of an edition that has come to other time zones, and
// then lets it come to those who asked.
func TestExplainOwnTurn(t *testing.T) {
	n := scheduled(t, "0 8 * * MON")
	n.Hour = 8
	bubble(t, n, func(t *testing.T, h *house) {
		h.delivered(time.Minute)
		h.daily("first@example.com", "Asia/Tokyo", "")
		h.publish("one", time.Now(), "a")
		h.attended(10 * time.Hour)
		h.publish("two", time.Now(), "a")
		h.attended(time.Until(time.Date(2000, 1, 3, 6, 0, 0, 0, time.UTC)))
		run := h.lastOf(store.CadenceDaily) // in the west it comes ten hours later
		now := time.Now()
		for name, until := range map[string]time.Time{"late": {}, "soon": now.Add(2 * time.Hour), "away": now.Add(48 * time.Hour)} {
			h.enrol(store.Subscriber{Email: name + "@example.com", Timezone: "America/Los_Angeles"},
				store.Subscription{Frequency: store.CadenceDaily, PausedUntil: until})
		}
		for name, want := range map[string]string{"late": "to_come", "soon": "to_come", "away": "paused"} {
			h.grounds(name, run, want)
		}
		h.publish("three", time.Now(), "a")
		h.attended(11 * time.Hour)
		for name, want := range map[string]string{"late": "sent", "soon": "sent", "away": "paused"} {
			h.grounds(name, run, want)
		}
	})
}

// grounds holds the last answer about a person to the words for its reasons.
func (h *house) grounds(name string, edition int64, want string) newsletter.Answer {
	h.t.Helper()
	answers := h.explain(name+"@example.com", edition).Answers
	a := answers[len(answers)-1]
	got := a.Reason
	for _, g := range a.Also {
		got += " " + g.Reason
	}
	if got != want {
		h.t.Errorf("%s, edition %d: %s (%s), want %s", name, edition, got, a.Why, want)
	}
	return a
}

// paused lets a reader pause.
func (h *house) paused(p store.Subscriber, until time.Time) {
	h.t.Helper()
	p.Subscriptions = []store.Subscription{{Newsletter: "weekly", Status: store.StatusActive, Frequency: store.CadenceSchedule, PausedUntil: until}}
	_, err := h.Store.ImportSubscribers(h.t.Context(), time.Now(), []store.ImportRow{{Subscriber: p}}, false)
	if err != nil {
		h.t.Fatal(err)
	}
}
