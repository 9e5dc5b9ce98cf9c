package newsletter_test

import (
	"strings"
	"testing"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// TestNewsletterThatIsMissingForAWhile takes the newsletter of an edition under
// way out of the configuration: its mails wait until it is there again.
func TestNewsletterThatIsMissingForAWhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t, weekly())
	h.Clock = clock.Rehearse(time.Now(), 200)
	people := h.readers(20, "")
	h.publish("one", time.Now())
	p := h.plan(weekly())
	without := *h.Service
	without.Newsletters = nil
	r := newFakeRelay(nil)
	config := newsletter.SenderConfig{Connections: 3, JournalDir: t.TempDir()}
	h.run(newsletter.NewSender(&without, config, r, nil, nil), func() bool {
		waiting := 0
		err := h.Store.EachDelivery(t.Context(), p.Edition.ID, store.DeliveryPending, func(d store.Delivery) error {
			if strings.Contains(d.Reason, "no such newsletter") {
				waiting++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return waiting == len(people)
	})
	h.run(h.sender(r), h.finished(p.Edition.ID))
	if c := h.edition(p.Edition.ID).Counts; c.Sent != len(people) || r.count() != len(people) {
		t.Errorf("account %+v, %d mails", c, r.count())
	}
}
