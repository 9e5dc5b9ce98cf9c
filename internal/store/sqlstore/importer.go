package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// An outcome is what an import did with one row, or with a part of it.
type outcome int

const (
	unchanged outcome = iota
	suppressed
	updated
	added
)

func count(r *store.ImportReport, o outcome, line int) {
	switch o {
	case unchanged:
		r.Unchanged++
	case suppressed:
		r.Suppressed++
		r.SuppressedLines = append(r.SuppressedLines, line)
	case updated:
		r.Updated++
	case added:
		r.Added++
	}
}

// An importer brings some rows in: it reads what is on record of their people,
// works out what becomes of them, and writes what changed.
type importer struct {
	*tx
	now         time.Time
	wants       store.Wants
	newsletters map[string]int64
	people      map[string]*importedPerson // by key
	touched     []*importedPerson
}

// importRows applies rows, or tells what that would do.
func (t *tx) importRows(now time.Time, rows []store.ImportRow, w store.Wants, dryRun bool) (store.ImportReport, error) {
	im := importer{tx: t, now: now, wants: w, newsletters: map[string]int64{}, people: map[string]*importedPerson{}}
	var report store.ImportReport
	for _, r := range rows {
		if err := errors.Join(checkRow(r), im.knowNewsletters(r, dryRun)); err != nil {
			return report, fmt.Errorf("line %d: %w", r.Line, err)
		}
	}
	if err := im.look(rows); err != nil {
		return report, err
	}
	for _, r := range rows {
		count(&report, im.row(r), r.Line)
	}
	slices.Sort(report.SuppressedLines)
	if dryRun {
		return report, nil
	}
	return report, im.save()
}

// checkRow refuses what the database would.
func checkRow(r store.ImportRow) error {
	switch p := r.Subscriber; {
	case p.Email == "" || p.Key == "":
		return errors.New("it has no address")
	case !slices.Contains([]string{"", store.FormatHTML, store.FormatText}, p.Format):
		return fmt.Errorf("%q is not a format", p.Format)
	}
	for _, s := range r.Subscriber.Subscriptions {
		if !slices.Contains([]string{store.StatusPending, store.StatusActive, store.StatusUnsubscribed}, s.Status) {
			return fmt.Errorf("subscription to %s: %q is not a status", s.Newsletter, s.Status)
		}
	}
	return nil
}

// knowNewsletters finds the numbers of the newsletters of a row. In a dry run
// one that is not there gets a number that none has.
func (im *importer) knowNewsletters(r store.ImportRow, dryRun bool) (err error) {
	for _, sub := range r.Subscriber.Subscriptions {
		if im.newsletters[sub.Newsletter] != 0 {
			continue
		}
		var id int64
		if dryRun {
			id, err = im.newsletter(sub.Newsletter)
		} else {
			id, err = im.ensureNewsletter(sub.Newsletter)
		}
		if id == 0 {
			id = -int64(len(im.newsletters)) - 1
		}
		if im.newsletters[sub.Newsletter] = id; err != nil {
			return err
		}
	}
	return nil
}

// row works out what becomes of one row. What changed most tells the outcome.
func (im *importer) row(r store.ImportRow) outcome {
	p := im.people[r.Subscriber.Key]
	if !p.takes(r) {
		return suppressed
	}
	result := unchanged
	if !p.known() {
		p.begin(r.Subscriber, im.now)
		result = added
	}
	for _, want := range r.Subscriber.Subscriptions {
		result = max(result, p.subscribe(im.newsletters[want.Newsletter], want, r.Confirm, im.now))
	}
	if result != suppressed { // who left is left in peace
		result = max(result, p.describe(r.Subscriber))
	}
	if r.Suppress != "" {
		p.suppress(r, im.now)
		result = suppressed
	}
	if p.dirty() && !p.touched {
		p.touched = true
		im.touched = append(im.touched, p)
	}
	return result
}

// An importedPerson is what is on record of a person, and what is to be.
type importedPerson struct {
	store.Subscriber                    // without Subscriptions
	reason           string             // suppressed for; "": not
	suppressedAt     time.Time          // zero for what a row before said
	isNew, changed   bool               // of the person's own record
	rekeyed          bool               // on record under another key
	suppression      *store.Suppression // to be made
	subscriptions    []importedSubscription
	touched          bool
}

// An importedSubscription is one subscription of an importedPerson.
type importedSubscription struct {
	newsletter int64
	storedSubscription
	changed, notify bool
	joined          bool // it became active
}

func (p *importedPerson) known() bool { return p.ID != 0 || p.isNew }

func (p *importedPerson) dirty() bool {
	return p.isNew || p.changed || p.rekeyed || p.suppression != nil ||
		slices.ContainsFunc(p.subscriptions, func(s importedSubscription) bool { return s.changed })
}

// takes reports whether a row may change anything: nobody who is suppressed is
// brought back. A row that says itself that its person is not to be mailed may
// tell more of one of whom nothing is on record but that.
func (p *importedPerson) takes(r store.ImportRow) bool {
	fresh := r.Suppress != "" && p.ID == 0
	switch p.reason {
	case "":
		return true
	case store.ReasonErased: // who has signed up since is the one that an export tells of
		return fresh && r.Suppress == store.ReasonErased && r.Subscriber.CreatedAt.After(p.suppressedAt) &&
			every(r, store.StatusUnsubscribed, store.StatusPending)
	case store.ReasonUnsubscribed:
		return every(r, store.StatusUnsubscribed) || fresh && every(r, store.StatusUnsubscribed, store.StatusPending)
	}
	return fresh
}

// every reports whether all subscriptions of a row have one of the states.
func every(r store.ImportRow, states ...string) bool {
	return !slices.ContainsFunc(r.Subscriber.Subscriptions, func(s store.Subscription) bool {
		return !slices.Contains(states, s.Status)
	})
}

// begin makes a new person.
func (p *importedPerson) begin(as store.Subscriber, now time.Time) {
	p.Subscriber, p.isNew = as, true
	p.Format, p.Subscriptions, p.CreatedAt = orHTML(as.Format), nil, orNow(as.CreatedAt, now)
}

// describe takes over what a row says of the person; what it leaves blank stays.
func (p *importedPerson) describe(as store.Subscriber) outcome {
	if p.isNew && !as.CreatedAt.IsZero() && as.CreatedAt.Before(p.CreatedAt) {
		p.CreatedAt = orNow(as.CreatedAt, p.CreatedAt)
	}
	result := unchanged
	for _, f := range []struct {
		have *string
		want string
	}{{&p.Name, as.Name}, {&p.Language, as.Language}, {&p.Timezone, as.Timezone}, {&p.Format, as.Format}, {&p.QuietHours, as.QuietHours}} {
		if f.want != "" && *f.have != f.want {
			*f.have, p.changed, result = f.want, true, updated
		}
	}
	return result
}

// subscribe brings one subscription to the wanted state, as far as its owner's
// own word allows.
func (p *importedPerson) subscribe(newsletter int64, want store.Subscription, confirm bool, now time.Time) outcome {
	at := slices.IndexFunc(p.subscriptions, func(s importedSubscription) bool { return s.newsletter == newsletter })
	if at < 0 {
		at = len(p.subscriptions)
		p.subscriptions = append(p.subscriptions, importedSubscription{newsletter: newsletter})
	}
	s := &p.subscriptions[at]
	next, allowed := s.imported(want, now)
	switch {
	case !allowed:
		return suppressed
	case next == s.storedSubscription:
		return unchanged
	}
	s.joined = next.status == store.StatusActive && (s.joined || s.status != store.StatusActive)
	s.notify = s.notify || s.status == "" && confirm && next.status == store.StatusPending
	s.notify = s.notify && next.status == store.StatusPending
	s.storedSubscription, s.changed = next, true
	return updated
}

// suppress has the address never mailed again. The first reason counts, as
// [tx.suppress] has it.
func (p *importedPerson) suppress(r store.ImportRow, now time.Time) {
	if p.suppression != nil && (p.suppression.Reason != store.ReasonUnsubscribed || r.Suppress == store.ReasonUnsubscribed) {
		return
	}
	at := now
	for _, s := range r.Subscriber.Subscriptions {
		if !s.EndedAt.IsZero() {
			at = s.EndedAt
		}
	}
	p.suppression = &store.Suppression{Key: p.Key, Email: p.Email, Reason: r.Suppress, Note: clip(r.Note), At: at}
	if r.Suppress == store.ReasonErased { // of whom the list has the hash alone
		p.suppression.Email, p.suppression.Note = "", ""
	}
	if p.reason == "" {
		p.reason = r.Suppress
	}
}

// A storedSubscription is a row of subscriptions; the zero value is none.
type storedSubscription struct {
	status, categories, tags, frequency, hour    string
	pausedUntil, createdAt, confirmedAt, endedAt time.Time
}

// imported gives the subscription after an import of want. It is not allowed
// to bring back one whose owner left.
func (have storedSubscription) imported(want store.Subscription, now time.Time) (next storedSubscription, allowed bool) {
	next = have
	if have.status == "" {
		next = storedSubscription{status: want.Status, frequency: store.CadenceSchedule,
			createdAt: orNow(want.CreatedAt, now), confirmedAt: stamp(want.ConfirmedAt)}
		if want.Status == store.StatusPending {
			next.endedAt = stamp(want.EndedAt)
		}
	}
	if want.Status == store.StatusUnsubscribed {
		if next.endedAt.IsZero() {
			next.endedAt = orNow(want.EndedAt, now)
		}
		next.status = want.Status
	} else if !have.endedAt.IsZero() {
		return have, false
	}
	if want.Categories != nil {
		next.categories = encodeTerms(want.Categories)
	}
	if want.Tags != nil {
		next.tags = encodeTerms(want.Tags)
	}
	if want.Frequency != "" {
		next.frequency = want.Frequency
	}
	if want.Hour != "" {
		next.hour = want.Hour
	}
	if !want.PausedUntil.IsZero() {
		next.pausedUntil = stamp(want.PausedUntil)
	}
	if want.Status == store.StatusActive && have.status != store.StatusActive {
		next.status, next.confirmedAt = want.Status, orNow(want.ConfirmedAt, now)
	}
	return next, true
}

// stamp gives t as it will be stored.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// orNow is stamp, of now if t is zero.
func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		t = now
	}
	return stamp(t)
}
