package newsletter_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// save saves a reader's page with one choice of the newsletter.
func (h *house) save(who int64, change func(*newsletter.Choices, *newsletter.LetterChoice)) {
	h.t.Helper()
	c := newsletter.Choices{QuietFrom: "22", QuietTo: "7"}
	l := newsletter.LetterChoice{On: true, Frequency: store.CadenceEach}
	change(&c, &l)
	c.Letters = map[string]newsletter.LetterChoice{"weekly": l}
	if err := h.SetPreferences(h.t.Context(), h.leave(who), c); err != nil {
		h.t.Fatal(err)
	}
}

// TestWhatIsChangedAtNightCountsInTheMorning lets readers change what they want
// while a mail waits for the end of their quiet hours.
func TestWhatIsChangedAtNightCountsInTheMorning(t *testing.T) {
	bubble(t, scheduled(t, "0 12 * * SUN"), func(t *testing.T, h *house) {
		h.Settle = 0
		people := map[string]int64{}
		for _, name := range []string{"topics", "frequency", "quiet", "stays"} {
			people[name] = h.enrol(store.Subscriber{Email: name + "@example.com", QuietHours: "22-7"}, store.Subscription{Frequency: store.CadenceEach})
		}
		h.scheduled(time.Minute)
		time.Sleep(22*time.Hour + 28*time.Minute)
		h.publish("beta", time.Now(), "Beta")
		h.publish("alpha", time.Now().Add(-12*time.Hour), "Alpha") // came to the store this moment
		h.scheduled(31 * time.Minute)
		equal(t, "at night", tell(h.deliver()), nil)

		h.save(people["topics"], func(_ *newsletter.Choices, l *newsletter.LetterChoice) { l.Categories = []string{"Alpha"} })
		h.save(people["frequency"], func(_ *newsletter.Choices, l *newsletter.LetterChoice) { l.Frequency = store.CadenceMonthly })
		h.save(people["quiet"], func(c *newsletter.Choices, _ *newsletter.LetterChoice) { c.QuietFrom, c.QuietTo = "", "" })
		equal(t, "no quiet hours any more", tell(h.deliver()), []string{"quiet@example.com 01 23:00"})
		x, err := h.Explain(t.Context(), "topics@example.com", h.lastEdition().ID, nil)
		if err != nil || x.Answers[0].Reason != store.ReasonChanged || !strings.Contains(x.Answers[0].Why, "chose other topics") {
			t.Errorf("explained as %+v, %v", x.Answers, err)
		}
		time.Sleep(9 * time.Hour)
		equal(t, "in the morning", tell(h.deliver()), []string{"stays@example.com 02 08:00"})

		// What they still want of it comes with their next mail.
		h.publish("more", time.Now(), "Alpha")
		got := h.delivered(time.Minute)
		equal(t, "the next post", tell(got), []string{"quiet@example.com 02 08:00", "stays@example.com 02 08:00", "topics@example.com 02 08:00"})
		for _, m := range got {
			if want := map[bool]int{true: 2, false: 1}[m.email == "topics@example.com"]; len(m.group.PostIDs) != want {
				t.Errorf("%s got %d posts, want %d", m.email, len(m.group.PostIDs), want)
			}
		}
	})
}
