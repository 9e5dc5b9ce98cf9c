package store

import (
	"context"
	"slices"
	"time"
)

// How often a reader wants mail. An edition belongs to one of these cadences.
const (
	CadenceSchedule = "schedule" // by the newsletter's own schedule; editions by hand belong to it too
	CadenceEach     = "each"     // a mail for each post
	CadenceDaily    = "daily"
	CadenceWeekly   = "weekly"
	CadenceMonthly  = "monthly"
)

// Cadences are all of them.
var Cadences = []string{CadenceSchedule, CadenceEach, CadenceDaily, CadenceWeekly, CadenceMonthly}

// ByZone reports whether a cadence comes to each zone at its own time.
func ByZone(cadence string) bool { return cadence != CadenceEach && cadence != CadenceWelcome }

// ByHour reports whether its readers choose the hour.
func ByHour(cadence string) bool {
	return slices.Contains([]string{CadenceDaily, CadenceWeekly, CadenceMonthly}, cadence)
}

// A Band is the readers of a cadence whose mail falls due together: those in a
// time zone, at an hour.
type Band struct {
	Zone string // IANA name; "": the newsletter's, or a cadence without (see ByZone)
	Hour string // "0" to "23"; "": the newsletter's, or a cadence without (see ByHour)
}

// A Cadence is how one of a newsletter's cadences stands.
type Cadence struct {
	Newsletter  string
	Name        string    // CadenceSchedule …
	Frequencies []string  // of the subscriptions that go by it
	Until       time.Time // the waves due until then are on record; zero: none is
	Bands       map[Band]time.Time
	Kept        int // bands on record, also those that have no reader any more
}

// What became of a wave.
const (
	WaveMade    = "made"
	WaveSkipped = "skipped" // nothing was sent; Reason says why
	WaveFailed  = "failed"  // it could not be planned; Reason says why
)

// A Wave is one band's part of an edition, planned when it falls due there.
type Wave struct {
	EditionID int64
	Band
	Frequencies []string // of the subscriptions that go by the edition's cadence; not kept
	At          time.Time
	Status      string
	Reason      string
	Late        string // by how much it was made later than At, and why; "" if it was in time
	Missed      bool   // skipped, because its time went by unattended
	Readers     int    // of the band, without those whom the edition had already
	Due         int    // those of them to whom something is mailed
	CreatedAt   time.Time
}

// Waves keeps the cadences of newsletters, and plans their editions wave by
// wave.
type Waves interface {
	// Cadence gives how a cadence stands. Its Bands are those that have an
	// active reader at present, with the instant at which KeepCadence first
	// kept them; zero: not yet.
	Cadence(ctx context.Context, newsletter, name string, frequencies []string) (Cadence, error)
	// KeepCadence records Until, which never goes back by less than
	// ClockSlack, and Bands, all of which must have an instant: those on record
	// keep theirs, and those not among them are forgotten.
	KeepCadence(ctx context.Context, now time.Time, c Cadence) error
	// PlanWave is PlanEdition for the readers of one band whom the edition does
	// not have yet. It makes the edition if it is the first of its waves; else
	// it adds to it, and an edition that was finished, skipped or had failed
	// sends again. If e is to be EditionPlanned and the wave has posts that the
	// edition has not, the edition waits for approval again. In a cancelled
	// edition the wave is skipped. Of w it takes Band, Frequencies, At and
	// Late. ErrExists if the edition has a wave of this band.
	PlanWave(ctx context.Context, now time.Time, e Edition, w Wave, candidates []int64, a Audience, dryRun bool) (Edition, Wave, []Group, error)
	// EditionWaves gives an edition's waves in the order of their instants.
	EditionWaves(ctx context.Context, id int64) ([]Wave, error)
}
