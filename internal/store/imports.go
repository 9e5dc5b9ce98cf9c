package store

import (
	"context"
	"time"

	"tidings/internal/codec"
)

// Imports brings in many people, all or none, without ever keeping others from
// writing for long: rows are staged, which does nothing; then it is decided
// that they count; from then on they are applied, a few in each transaction, by
// whoever comes by, so that an import whose process dies is finished all the
// same. A row is compared with what is on record when it is applied: who leaves
// meanwhile has left.
type Imports interface {
	// BeginImport makes an import without rows.
	BeginImport(ctx context.Context, now time.Time) (id int64, err error)
	// StageImport adds rows to an import. Those of one person must come
	// together, and within one call. ErrConflict if it is decided.
	StageImport(ctx context.Context, now time.Time, id int64, rows []ImportRow) error
	// DecideImport makes the staged rows count. ErrConflict if it is decided.
	DecideImport(ctx context.Context, now time.Time, id int64) error
	// ApplyImport applies staged rows of the first import that is decided, for
	// about as long as within says, and gives how many. None: nothing is left.
	ApplyImport(ctx context.Context, now time.Time, within time.Duration, w Wants) (rows int, err error)
	// ImportsLeft counts the rows of decided imports that are to be applied.
	ImportsLeft(ctx context.Context) (rows int, err error)
	// TakeImport gives what a finished import did, and forgets it. ErrConflict
	// while rows of it are left.
	TakeImport(ctx context.Context, id int64) (ImportReport, error)
	// DropImport forgets an import that is not decided, or finished, a part in
	// each call; more tells that something is left. ErrConflict if rows of it
	// are to be applied. None there is no error.
	DropImport(ctx context.Context, id int64) (more bool, err error)
	// StaleImports gives those that DropImport would take and with which
	// nothing has been done since the given instant.
	StaleImports(ctx context.Context, since time.Time) (ids []int64, err error)
}

// ImportRow is one person to import; Subscriptions hold the wanted states. For
// a person on record, what is blank stays as it is: "" for Name, Language,
// Timezone, Format, QuietHours, Frequency and Hour, a zero PausedUntil, nil for
// Categories and Tags (a list that is empty, but not nil, removes them).
type ImportRow struct {
	Line       int // what reports call the row by
	Subscriber Subscriber
	Confirm    bool   // asks for a confirmation notice for each subscription that is new and pending
	Suppress   string // reason for which the address is never to be mailed, whatever Subscriptions say
	Note       string // of the suppression
}

// Code writes or reads the row, but for the person's ID.
func (r *ImportRow) Code(c codec.Coder) {
	p := &r.Subscriber
	codec.Number(c, &r.Line)
	confirm := flags(r.Confirm)
	codec.Number(c, &confirm)
	r.Confirm = confirm != 0
	for _, s := range []*string{&r.Suppress, &r.Note, &p.Email, &p.Key, &p.Name, &p.Language, &p.Timezone, &p.Format, &p.QuietHours} {
		c.Text(s)
	}
	c.Time(&p.CreatedAt, time.UTC)
	codec.List(c, &p.Subscriptions, func(s *Subscription) { s.code(c) })
}

func (s *Subscription) code(c codec.Coder) {
	for _, t := range []*string{&s.Newsletter, &s.Status, &s.Frequency, &s.Hour} {
		c.Text(t)
	}
	c.Texts(&s.Categories)
	c.Texts(&s.Tags)
	for _, t := range []*time.Time{&s.PausedUntil, &s.CreatedAt, &s.ConfirmedAt, &s.EndedAt} {
		c.Time(t, time.UTC)
	}
}

func flags(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ImportReport counts rows by what an import did, or would do, with them. A row
// is Suppressed if its address is, or is to be, or if the person left and
// nothing else of the row applies.
type ImportReport struct {
	Added, Updated, Unchanged, Suppressed int
	SuppressedLines                       []int
}
