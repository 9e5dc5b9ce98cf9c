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
	next := document{older: source}
	for page := source; page != "" && !pages[page]; page = next.older {
		if len(pages) == maxPages || size > maxTotal {
			return Feed{}, fmt.Errorf("read the feed %s: its older pages find no end after %d pages and %d bytes; save what is wanted of it to a file", source, len(pages), size)
		}
		pages[page] = true
		doc, n, err := readPage(ctx, page)
		if next.guess && isNotFound(err) {
			break
		}
		if err != nil {
			return Feed{}, fmt.Errorf("read the feed %s: %w", page, err)
		}
		fresh := doc.unknown(ids)
		if doc.guess && len(fresh) == 0 {
			break // it is the same page again
		}
		f.Entries = append(f.Entries, fresh...)
		if page == source {
			f.Shown = len(f.Entries)
		}
		next, size = doc, size+n
	}
	if len(f.Entries) == 0 {
		return Feed{}, fmt.Errorf("read the feed %s: it has no entries", source)
	}
	return f, nil
}

func readPage(ctx context.Context, page string) (doc document, size int, err error) {
	b, err := load(ctx, page)
	if err != nil {
		return document{}, 0, err
	}
	doc, err = parse(b, page)
	return doc, len(b), err
}

// unknown gives the entries whose ids were not met yet.
func (doc document) unknown(ids map[string]bool) (fresh []Entry) {
	for _, e := range doc.entries {
		if e.ID != "" && !ids[e.ID] {
			ids[e.ID] = true
			fresh = append(fresh, e)
		}
	}
	return fresh
}

func isNotFound(err error) bool {
	var answer statusError
	return errors.As(err, &answer) && answer.code == http.StatusNotFound
}
