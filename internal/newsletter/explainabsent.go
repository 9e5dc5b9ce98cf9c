package newsletter

import (
	"fmt"
	"slices"
	"time"

	"tidings/internal/store"
)

// turnOf gives when an edition comes to a band that it has not come to; zero if
// it does not, by the present schedule.
func (x *explainer) turnOf(m meeting, band store.Band) time.Time {
	e, n := m.edition, m.letter
	if len(m.waves) == 0 || e.Cadence == store.CadenceEach || e.Cadence == store.CadenceSchedule && n.Schedule == nil {
		return time.Time{}
	}
	slot, err := n.spec(e.Cadence, band).Slot(e.Slot, x.zone(n, band.Zone))
	if err != nil {
		return time.Time{} // a run of another schedule
	}
	return slot.At
}

// absent says why a person has no part in an edition, the decisive ground first.
func (x *explainer) absent(m meeting, a *Answer) []Ground {
	e, n := m.edition, m.letter
	grounds := x.bars(n, m.sub, m.planned)
	theirs := m.sub == nil || e.Manual || e.Cadence == store.CadenceWelcome || n.cadenceOf(m.then.frequency) == e.Cadence
	if !theirs {
		grounds = append(grounds, Ground{"frequency", x.otherCadence(m)})
	}
	switch {
	case (e.Status == store.EditionSkipped || e.Status == store.EditionFailed) && len(m.waves) == 0:
		grounds = append(grounds, Ground{e.Status, "it mailed nobody: " + e.Why()})
	case theirs && m.own != nil && m.own.Status != store.WaveMade:
		grounds = append(grounds, Ground{m.own.Status, fmt.Sprintf("nothing was mailed in their time zone at their hour: %s", m.own.Reason)})
	}
	grounds = append(grounds, x.pause(n, m.sub, m.planned)...)
	switch {
	case len(m.waves) > 0 && m.own == nil && m.sub != nil && theirs:
		grounds = x.awaited(m, a, grounds)
	case e.Cadence == store.CadenceWelcome:
		grounds = append(grounds, x.welcomed(m))
	case len(grounds) == 0:
		grounds = []Ground{{"changed", fmt.Sprintf("they were none of its readers when it was planned on %s; what they have chosen was changed since, or what was mailed to them", x.local(n, m.planned))}}
	}
	return grounds
}

// otherCadence says by what a person is mailed who is not mailed by an
// edition's cadence, and when that comes next where they are.
func (x *explainer) otherCadence(m meeting) string {
	n, theirs := m.letter, m.letter.cadenceOf(m.then.frequency)
	why := fmt.Sprintf("they are mailed by %q, and this is an edition of %q", theirs, m.edition.Cadence)
	if _, err := x.Newsletter(n.Name); err != nil || theirs == store.CadenceEach || !slices.Contains(n.cadences(), theirs) {
		return why // it follows no clock
	}
	r := n.reachOf(theirs, x.who.Timezone, m.sub.Hour)
	if slot, ok := n.spec(theirs, r.band).Next(later(x.now, m.sub.PausedUntil), x.zone(n, r.band.Zone)); ok {
		why += fmt.Sprintf(" (theirs comes next on %s)", x.local(n, slot.At))
	}
	return why
}

// awaited tells of an edition that has not come where the person is; grounds
// are why it would not come to them if it did.
func (x *explainer) awaited(m meeting, a *Answer, grounds []Ground) []Ground {
	n := m.letter
	at := "their turn is at " + x.local(n, m.turn)
	if !m.turn.After(x.now) {
		at = "their turn was at " + x.local(n, m.turn)
	}
	first := Ground{}
	switch {
	case m.edition.Status == store.EditionCancelled:
		first = Ground{"cancelled", "it was cancelled before their turn"}
	case m.turn.IsZero():
		first = Ground{"changed", "it is not made where they are by the present schedule"}
	case len(grounds) > 0:
		grounds[0].Why = at + "; " + grounds[0].Why
		return grounds
	case m.turn.After(x.now):
		x.when(n, a, m.turn)
		first = Ground{"to_come", at}
	default:
		first = Ground{"not_on_record", at + ", and is not on record: they came to this time zone or hour since, or tidings serve has yet to make it"}
	}
	return append(grounds, first)
}
