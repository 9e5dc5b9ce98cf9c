package sqlstore

import (
	"maps"
	"slices"

	"tidings/internal/store"
)

// Locks between transactions, where the engine lets several write at once.
// They are taken before rows are, and in this order: the one of all writing,
// those of newsletters by name, any other.
const (
	lockWriting = "writing" // all that is seldom or short; see [Store.write]
	lockSignUps = "sign-ups"
	lockNotices = "notices"
)

// lock waits for a lock that is free again when the transaction ends.
func (t *tx) lock(name string) error {
	if t.dialect.Lock == "" {
		return nil
	}
	_, err := t.exec(t.dialect.Lock, name)
	return err
}

// lockNewsletters keeps others from planning editions of newsletters, and from
// changing the state of one: each may be mailed a post once only.
func (t *tx) lockNewsletters(names ...string) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if err := t.lock("newsletter " + name); err != nil {
			return err
		}
	}
	return nil
}

// lockTurns keeps others from borrowing turns of a limit.
func (t *tx) lockTurns(limit string) error { return t.lock("turns of " + limit) }

// forUpdate ends a query of rows of the table with an alias that are going to
// be changed.
func (t *tx) forUpdate(alias string) string {
	if t.dialect.ForUpdate == "" {
		return ""
	}
	return t.dialect.ForUpdate + alias
}

// lockEdition reads an edition that is going to be changed. Whoever changes
// deliveries of several takes them in the order of their numbers.
func (t *tx) lockEdition(id int64) (store.Edition, error) {
	return t.findEdition(editionQuery+`WHERE e.id = ?1`+t.forUpdate("e"), id)
}

// lockRequeued locks the editions of which some results make deliveries pending
// again: that must not happen while one is cancelled.
func (t *tx) lockRequeued(rs []store.Result) error {
	editions := map[int64]bool{}
	for _, r := range rs {
		if r.State == store.DeliveryPending {
			editions[r.EditionID] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(editions)) {
		if _, err := t.lockEdition(id); err != nil {
			return err
		}
	}
	return nil
}
