// Package adopt reads the feed that a blog had before, and finds out which of
// its entries is which post, so that the posts can keep the ids by which feed
// readers know them. It changes nothing.
package adopt

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
)

// An Entry is one entry of the former feed.
type Entry struct {
	ID        string // as it stands there, but for blanks around it; the link of one that has none
	Link      string
	Title     string
	Published time.Time // zero if it does not say
}

// Limits of what is read.
const (
	maxBytes = 64 << 20 // of one document
	maxPages = 1000
	patience = 60 * time.Second
)

// Read gives the entries of the feed at source, a file or a web address, and of
// the older pages that it leads to (RFC 5005, JSON Feed's next_url). An id that
// occurs twice is given once.
func Read(ctx context.Context, source string) ([]Entry, error) {
	var entries []Entry
	seen, ids := map[string]bool{}, map[string]bool{}
	for page := source; page != "" && !seen[page]; {
		if len(seen) >= maxPages {
			return nil, fmt.Errorf("read the feed %s: it leads to more than %d pages", source, maxPages)
		}
		seen[page] = true
		b, err := load(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("read the feed %s: %w", page, err)
		}
		found, err := parse(b)
		if err != nil {
			return nil, fmt.Errorf("read the feed %s: %w", page, err)
		}
		for _, e := range found {
			if e.ID != "" && !ids[e.ID] {
				ids[e.ID] = true
				entries = append(entries, e)
			}
		}
		page = following(page, olderPage(b))
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("read the feed %s: it has no entries", source)
	}
	return entries, nil
}

// remote reports whether a source is on the web.
func remote(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

func load(ctx context.Context, source string) ([]byte, error) {
	if !remote(source) {
		f, err := os.Open(source)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(f)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "tidings (feeds adopt)")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	return limited(resp.Body)
}

func limited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err == nil && len(b) > maxBytes {
		err = fmt.Errorf("it has more than %d bytes", maxBytes)
	}
	return b, err
}

func parse(b []byte) (entries []Entry, err error) {
	defer func() { // it meets what anybody wrote
		if r := recover(); r != nil {
			entries, err = nil, fmt.Errorf("it cannot be parsed: %v", r)
		}
	}()
	f, err := gofeed.NewParser().Parse(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("it is no RSS, Atom or JSON Feed that can be read: %w", err)
	}
	for _, item := range f.Items {
		e := Entry{ID: item.GUID, Link: item.Link, Title: item.Title}
		if e.ID == "" {
			e.ID = e.Link
		}
		if item.PublishedParsed != nil {
			e.Published = *item.PublishedParsed
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// olderPage is the address of the page with older entries, as the document
// gives it; "" if it names none.
func olderPage(b []byte) string {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		var f struct {
			Next string `json:"next_url"`
		}
		if json.Unmarshal(trimmed, &f) != nil {
			return ""
		}
		return f.Next
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = false
	links := map[string]string{}
	for {
		t, err := d.Token()
		if err != nil {
			break // the end, or as far as it can be read
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "link" {
			continue
		}
		rel, href := "", ""
		for _, a := range start.Attr {
			switch a.Name.Local {
			case "rel":
				rel = a.Value
			case "href":
				href = a.Value
			}
		}
		if links[rel] == "" {
			links[rel] = href
		}
	}
	if links["prev-archive"] != "" {
		return links["prev-archive"]
	}
	return links["next"]
}

// following makes the address of a page absolute. Only a page of the web leads
// to others, and only to those of the same host.
func following(page, next string) string {
	base, err := url.Parse(page)
	if err != nil || next == "" || !remote(page) {
		return ""
	}
	u, err := base.Parse(next)
	if err != nil || u.Host != base.Host || !remote(u.String()) {
		return ""
	}
	return u.String()
}
