package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// Record implements [store.Deliveries].
func (s *Store) Record(ctx context.Context, now time.Time, holder string, rs []store.Result) error {
	return s.beside(ctx, "record deliveries", func(t *tx) error {
		r := recorder{tx: t, now: now, holder: holder}
		return r.all(rs)
	})
}

// all records results and keeps the accounts.
func (r *recorder) all(rs []store.Result) error {
	r.status, r.deltas = map[int64]string{}, map[int64]*store.Counts{}
	if err := r.lockRequeued(rs); err != nil {
		return err
	}
	for _, run := range runs(rs) {
		if err := r.run(run); err != nil {
			return fmt.Errorf("delivery %d of edition %d: %w", run[0].Seq, run[0].EditionID, err)
		}
	}
	if err := r.reopen(); err != nil {
		return err
	}
	return r.accountAll(r.now, r.deltas)
}

// runs sorts results and divides them into runs of consecutive deliveries with
// the same outcome, which one statement can record.
func runs(rs []store.Result) (all [][]store.Result) {
	sorted := slices.SortedFunc(slices.Values(rs), func(a, b store.Result) int {
		return cmp.Or(cmp.Compare(a.EditionID, b.EditionID), cmp.Compare(a.Seq, b.Seq))
	})
	for len(sorted) > 0 {
		n := 1
		for next := sorted[0]; n < len(sorted); n++ {
			if next.Seq++; sorted[n] != next {
				break
			}
		}
		all = append(all, sorted[:n])
		sorted = sorted[n:]
	}
	return all
}

// A recorder is one call of Record.
type recorder struct {
	*tx
	now    time.Time
	holder string
	heirs  bool             // it is not the holder who says so
	status map[int64]string // of the editions met
	deltas map[int64]*store.Counts
}

// How a delivery stands to an earlier message that may have arrived.
const (
	notResent = iota
	toResend  // to be sent once more
	resent    // sent once more, and counted
)

// run records a run of results. Where all are sent and none may have arrived
// before, which is the rule, that is one statement.
func (r *recorder) run(run []store.Result) error {
	if run[0].State == store.DeliverySent {
		done, err := r.sent(run)
		if err != nil || done {
			return err
		}
	}
	for _, result := range run {
		if err := r.record(result); err != nil {
			return err
		}
	}
	return nil
}

// sent records a run of sent deliveries, and reports whether that was all of
// it: not those that an earlier message may have reached, and not those that
// the holder does not hold.
func (r *recorder) sent(run []store.Result) (done bool, err error) {
	first := run[0]
	_, delta, err := r.edition(first.EditionID)
	if err != nil {
		return false, err
	}
	n, err := r.exec(`UPDATE deliveries SET state = 2, holder = NULL, attempts = attempts + ?5, code = ?6, reason = ?7, updated_at = ?8
		WHERE edition_id = ?1 AND seq BETWEEN ?2 AND ?3 AND state = 1 AND holder = ?4 AND resent = 0`,
		first.EditionID, first.Seq, run[len(run)-1].Seq, r.holder, flag(first.Counted), first.Code, nullable(clip(first.Reason)), millis(r.now))
	move(delta, store.DeliveryClaimed, store.DeliverySent, n)
	return n == len(run), err
}

func (r *recorder) record(result store.Result) error {
	switch result.State {
	case store.DeliveryPending, store.DeliverySent, store.DeliveryFailed, store.DeliveryInDoubt, store.DeliverySuppressed:
	default:
		return fmt.Errorf("%q is not a result", result.State)
	}
	again, unwanted, held, err := r.held(result.DeliveryRef)
	if err != nil || !held {
		return err
	}
	if result, err = r.settle(result, &again, unwanted); err != nil {
		return err
	}
	state, err := encodeState(result.State)
	if err != nil {
		return err
	}
	var next any
	if result.State == store.DeliveryPending {
		next = millis(result.NextAt)
	}
	_, err = r.exec(`UPDATE deliveries SET state = ?3, holder = NULL, next_at = ?4, attempts = attempts + ?5,
		resent = ?6, code = ?7, reason = ?8, updated_at = ?9, copies = copies + ?10, setbacks = setbacks + ?11
		WHERE edition_id = ?1 AND seq = ?2`,
		result.EditionID, result.Seq, state, next, flag(result.Counted), again,
		result.Code, nullable(clip(result.Reason)), millis(r.now), flag(result.Resent), flag(result.Setback))
	return err
}

// held reports whether the holder holds a delivery, or is the first to tell what
// became of a claim that was taken over, and gives the delivery's standing to an
// earlier message, and why it is not to be tried again.
func (r *recorder) held(ref store.DeliveryRef) (again int, unwanted string, held bool, err error) {
	held, err = r.maybe(`SELECT d.resent, COALESCE(d.unwanted, '') FROM deliveries d WHERE d.edition_id = ?1 AND d.seq = ?2
		AND d.state = 1 AND d.holder = ?3`+r.forUpdate("d"), []any{ref.EditionID, ref.Seq, r.holder}, &again, &unwanted)
	switch {
	case err != nil:
		return again, unwanted, false, err
	case !held && !r.heirs:
		return r.restore(ref)
	case held && r.heirs:
		err = r.remember(ref)
	}
	return again, unwanted, held, err
}

// settle finds what a result means for the delivery and counts it; again is
// the delivery's standing to an earlier message, unwanted why it is not to be
// tried again.
func (r *recorder) settle(result store.Result, again *int, unwanted string) (store.Result, error) {
	status, delta, err := r.edition(result.EditionID)
	if err != nil {
		return result, err
	}
	if *again == toResend && out(result) {
		*again = resent
		delta.ResentInDoubt++
	}
	refused := result.State == store.DeliverySuppressed || result.State == store.DeliveryFailed
	if refused && *again != notResent {
		result.State = store.DeliveryInDoubt // as in giveUp
	} else if result.State == store.DeliveryPending {
		if result.Resent && *again == notResent {
			*again = toResend
		}
		if result.NextAt.IsZero() {
			result.NextAt = r.now
		}
		result = untried(result, status, unwanted, *again != notResent)
	}
	move(delta, store.DeliveryClaimed, result.State, 1)
	return result, nil
}

// untried gives what becomes of a result that is to be tried again, if it is not:
// in a cancelled edition, or when its reader wants something else by now. What
// may have arrived is in doubt.
func untried(result store.Result, status, unwanted string, arrived bool) store.Result {
	switch {
	case unwanted != "":
		result.State, result.Reason = store.DeliverySuppressed, unwanted
	case status == store.EditionCancelled:
		result.State, result.Reason = store.DeliveryFailed, reasonCancelled
	default:
		return result
	}
	if arrived {
		result.State = store.DeliveryInDoubt
	}
	return result
}

// out reports whether a result's message has arrived, or may have.
func out(r store.Result) bool {
	return r.State == store.DeliverySent || r.State == store.DeliveryInDoubt || r.State == store.DeliveryPending && r.Resent
}

// edition gives the status of an edition and the change of its account.
func (r *recorder) edition(id int64) (string, *store.Counts, error) {
	if delta := r.deltas[id]; delta != nil {
		return r.status[id], delta, nil
	}
	e, err := r.tx.edition(id)
	r.status[id], r.deltas[id] = e.Status, &store.Counts{}
	return e.Status, r.deltas[id], err
}

// nullable stores an empty text as no text: most deliveries have none.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
