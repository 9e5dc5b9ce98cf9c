package alert

import (
	"context"
	"fmt"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/schedule"
	"tidings/internal/store"
)

// runs are the alerts of runs that were not made.
func (w *Watch) runs(ctx context.Context, v *view) ([]store.Alert, error) {
	var all []store.Alert
	for _, n := range w.Service.Newsletters {
		for _, c := range store.Cadences {
			all = append(all, w.notMade(n, c, v)...)
		}
		due, err := w.overdue(ctx, n, v)
		if err != nil {
			return nil, err
		}
		all = append(all, due...)
	}
	return all, nil
}

// notMade are the runs of a cadence on record that failed or were missed, and after which
// none was made: one alert for each day on which they were recorded.
func (w *Watch) notMade(n newsletter.Newsletter, cadence string, v *view) []store.Alert {
	settle := atLeast(w.Service.Clock, settleAfter, 10*time.Second)
	var all []store.Alert
	var batch []store.Edition
	for _, e := range v.editions {
		age := v.now.Sub(e.CreatedAt)
		switch {
		case e.Newsletter != n.Name, e.Cadence != cadence, e.Missed && age < settle:
			continue
		case !e.Missed && e.Status != store.EditionFailed, age > recent:
			return w.unmade(all, n, batch)
		}
		if len(batch) > 0 && dayOf(batch[0], n) != dayOf(e, n) {
			all, batch = w.unmade(all, n, batch), nil
		}
		batch = append(batch, e)
	}
	return w.unmade(all, n, batch)
}

func dayOf(e store.Edition, n newsletter.Newsletter) string {
	return e.CreatedAt.In(n.Zone).Format(time.DateOnly)
}

// unmade appends the alert of some runs, the newest first.
func (w *Watch) unmade(all []store.Alert, n newsletter.Newsletter, es []store.Edition) []store.Alert {
	if len(es) == 0 {
		return all
	}
	last, first := es[0], es[len(es)-1]
	of := "" // that of the schedule needs no name
	if last.Cadence != store.CadenceSchedule {
		of = last.Cadence + " "
	}
	became := "was missed"
	if last.Status == store.EditionFailed {
		became = "failed"
	}
	subject := fmt.Sprintf("The %srun of %s of %s %s", of, n.Name, clockTime(last.Slot), became)
	happened := fmt.Sprintf("The %srun of the newsletter %s of %s (%s) %s: %s.", of, n.Name, clockTime(last.Slot), n.Zone, became, last.Reason)
	if len(es) > 1 {
		subject = fmt.Sprintf("%d %sruns of %s were not made", len(es), of, n.Name)
		happened = fmt.Sprintf("%d %sruns of the newsletter %s, from %s to %s (%s), were not made. The last one %s: %s.",
			len(es), of, n.Name, clockTime(first.Slot), clockTime(last.Slot), n.Zone, became, last.Reason)
	}
	return append(all, store.Alert{
		Key: "run " + n.Name + " " + of + dayOf(last, n), Kind: Run, Passing: true, Since: first.DueAt,
		Subject: subject,
		Text: text(happened,
			"Nobody got anything, and nothing is lost: the next run mails what is due then, but for posts older than max_post_age.",
			"Mend the cause, if there is one. See what is due, and mail it now, if it should not wait for the next run:\n"+
				command("tidings send "+n.Name+" --dry-run", "tidings send "+n.Name)),
	})
}

// clockTime shows a slot, "2026-01-05T08:00", to people.
func clockTime(slot string) string {
	if t, err := schedule.ParseKey(slot, time.UTC); err == nil {
		return t.Format("2006-01-02 15:04")
	}
	return slot
}

// A debt is a run that was found to be due and not on record.
type debt struct {
	slot  string
	since time.Time // when it was found: tidings, or the machine, may just have woken
}

// overdue is the alert of a run that is due and not on record.
func (w *Watch) overdue(ctx context.Context, n newsletter.Newsletter, v *view) ([]store.Alert, error) {
	slot, runs, err := w.Service.Owed(ctx, n)
	if err != nil {
		return nil, err
	}
	if v.excused || runs == 0 {
		delete(w.owed, n.Name)
		return nil, nil
	}
	key := "overdue " + n.Name
	d, known := w.owed[n.Name]
	if !known || d.slot != slot.Key {
		d = debt{slot.Key, v.now}
		if since := w.former[key]; !known && !since.IsZero() {
			d.since = since // known from before a restart
		}
		w.owed[n.Name] = d
	}
	if v.now.Sub(d.since) < atLeast(w.Service.Clock, patience, 30*time.Second) {
		return nil, nil
	}
	happened := fmt.Sprintf("The run of the newsletter %s of %s (%s) is due, and was not made yet.", n.Name, clockTime(slot.Key), n.Zone)
	if err := w.Fault(n.Name); err != nil {
		happened += " It could not be made: " + err.Error() + "."
	}
	return []store.Alert{{
		Key: key, Kind: Run, Since: slot.At,
		Subject: fmt.Sprintf("The run of %s of %s is overdue", n.Name, clockTime(slot.Key)),
		Text: text(happened,
			"tidings tries again every half minute.",
			"Look at its log. If it says nothing of this, restart it; and if that does not help, send by hand:\n"+command("tidings send "+n.Name)),
	}}, nil
}
