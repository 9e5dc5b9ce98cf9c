package store

import (
	"context"
	"time"
)

// Content is a post as it was when it was mailed.
type Content struct {
	Title   string `json:"title"`
	URL     string `json:"url"`
	Summary string `json:"summary,omitempty"`
}

// A PastEdition is one that was mailed, as lists show it.
type PastEdition struct {
	ID       int64
	Cadence  string
	Date     time.Time
	Base     string // where its links begin; "" of those from before this was kept
	Subject  string
	Posts    int
	Contents []Content // none of editions from before they were kept
}

// Archive shows editions of which anybody has got, or may have got, a mail,
// whatever became of them after that. Of each it shows the group that was
// composed for the web and holds the most posts, the first of several; of
// editions without one, that with the most posts.
type Archive interface {
	// PastEditions gives those of a newsletter and a cadence ("": of all but
	// CadenceWelcome, which hold the same once more),
	// newest first: at most limit of them after the first skip, and how many
	// there are altogether.
	PastEditions(ctx context.Context, newsletter, cadence string, skip, limit int) (list []PastEdition, total int, err error)
	// WebGroup gives the group that shows an edition, with the newsletter's
	// name. ErrNotFound, also while nobody has got the edition.
	WebGroup(ctx context.Context, editionID int64) (g Group, newsletter string, err error)
}
