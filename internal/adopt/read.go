// Package adopt reads the feed that a blog had before, and finds out which of
// its entries is which post, so that the posts can keep the ids by which feed
// readers know them. It changes nothing.
package adopt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// An Entry is one entry of the former feed.
type Entry struct {
	ID        string // as it stands there, but for blanks around it; the link of one that has none
	Link      string
	Title     string
	Published time.Time // zero if it does not say
}

// A Feed is what a blog had before.
type Feed struct {
	Entries []Entry // also those of older pages
	Shown   int     // how many of them readers see who do not look for older pages
}

// Read gives the feed at source, a file or a web address, with the older pages
// that it leads to (RFC 5005, JSON Feed's next_url, WordPress). An id that
// occurs twice is given once.
func Read(ctx context.Context, source string) (f Feed, err error) {
	pages, ids, size := map[string]bool{}, map[string]bool{}, 0
	guess := false
	for page := source; page != "" && !pages[page]; {
		if len(pages) == maxPages || size > maxTotal {
			return Feed{}, fmt.Errorf("read the feed %s: its older pages find no end after %d pages and %d bytes; save what is wanted of it to a file", source, len(pages), size)
		}
		pages[page] = true
		b, err := load(ctx, page)
		if guess && isNotFound(err) {
			break
		}
		var doc document
		if err == nil {
			doc, err = parse(b, page)
		}
		if err != nil {
			return Feed{}, fmt.Errorf("read the feed %s: %w", page, err)
		}
		before := len(f.Entries)
		for _, e := range doc.entries {
			if e.ID != "" && !ids[e.ID] {
				ids[e.ID] = true
				f.Entries = append(f.Entries, e)
			}
		}
		if doc.guess && len(f.Entries) == before {
			break // it is the same page again
		}
		if page == source {
			f.Shown = len(f.Entries)
		}
		page, guess, size = doc.older, doc.guess, size+len(b)
	}
	if len(f.Entries) == 0 {
		return Feed{}, fmt.Errorf("read the feed %s: it has no entries", source)
	}
	return f, nil
}

func isNotFound(err error) bool {
	var answer statusError
	return errors.As(err, &answer) && answer.code == http.StatusNotFound
}
