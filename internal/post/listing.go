package post

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A ListingItem is one post of a plain-text listing.
type ListingItem struct {
	Line     int       // of the date, 1-based
	Date     time.Time // midnight UTC of the day
	Category string    // "" if the line names none
	Title    string
	Summary  string
	Tags     []string
}

// ParseListing reads the listing of a blog as text: for each post a line
// "Apr 7, 2025 · DevOps", then title, summary and tags separated by blanks,
// each on a line of its own. Blank lines may stand anywhere; a summary may
// go over several lines; summary and tags may be missing. A line that fits
// nowhere and a post without a date or title is a Problem and left out. The
// problems name no file.
func ParseListing(r io.Reader) ([]ListingItem, []Problem) {
	src, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, []Problem{{Message: fmt.Sprintf("the listing cannot be read: %v", err)}}
	}
	if len(src) > MaxBytes {
		return nil, []Problem{{Message: fmt.Sprintf("the listing has more than %d bytes", MaxBytes)}}
	}
	if !utf8.Valid(src) {
		return nil, []Problem{{Message: "the listing is not UTF-8 text; save it as UTF-8"}}
	}
	l := &listingReader{}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\uFEFF", "").Replace(string(src))
	for i, line := range strings.Split(text, "\n") {
		if line = clean(line); line != "" {
			l.line(i+1, line)
		}
	}
	l.finish()
	return l.items, l.problems
}

type listingReader struct {
	items    []ListingItem
	problems []Problem
	item     *ListingItem // the post being read; nil before the first, and after a date that is none
	skipping bool         // the lines after such a date
	lines    []string     // below the date
}

var dateLine = regexp.MustCompile(`^([A-Za-z]{3,9})\.? (\d{1,2}), (\d{4,})(?:\s*[·•|–—]\s*(.*)| - (.+))?$`)

func (l *listingReader) problem(line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{Line: line, Message: fmt.Sprintf(format, args...)})
}

func (l *listingReader) warn(line int, format string, args ...any) {
	l.problem(line, format, args...)
	l.problems[len(l.problems)-1].Warning = true
}

func (l *listingReader) line(number int, line string) {
	m := dateLine.FindStringSubmatch(line)
	switch {
	case m != nil && monthNumber(m[1]) != "":
		l.finish()
		l.start(number, m)
	case l.item != nil:
		l.lines = append(l.lines, line)
	case !l.skipping:
		l.problem(number, "%q stands before the first date line; a post begins with a line like \"Apr 7, 2025 · Category\"", shortened(line))
		l.skipping = true
	}
}

func (l *listingReader) start(number int, m []string) {
	at, err := parseTime(m[1]+" "+m[2]+", "+m[3], time.UTC)
	if err != nil {
		l.problem(number, "%q: %v", shortened(m[0]), err)
		l.skipping = true
		return
	}
	l.skipping = false
	l.item = &ListingItem{Line: number, Date: at, Category: m[4] + m[5]}
}

// finish takes apart the lines below the date.
func (l *listingReader) finish() {
	item, lines := l.item, l.lines
	l.item, l.lines = nil, nil
	if item == nil {
		return
	}
	if len(lines) == 0 {
		l.problem(item.Line, "the post has no title; write it on a line of its own below the date")
		return
	}
	item.Title, lines = lines[0], lines[1:]
	if last := len(lines) - 1; last >= 0 && looksLikeTags(lines[last], last > 0) {
		item.Tags = distinct(strings.Fields(lines[last]))
		lines = lines[:last]
	}
	item.Summary = strings.Join(lines, " ")
	switch {
	case item.Category == "":
		l.warn(item.Line, "the post %q has no category; write the line as \"Apr 7, 2025 · Category\"", shortened(item.Title))
	case len(item.Tags) == 0:
		l.warn(item.Line, "the post %q has no tags", shortened(item.Title))
	}
	l.items = append(l.items, *item)
}

// looksLikeTags tells tags from the last line of a summary: words without
// punctuation after them. The only line below a title must also be all in
// lower case.
func looksLikeTags(line string, afterSummary bool) bool {
	words := strings.Fields(line)
	if len(words) > 30 || !afterSummary && strings.ToLower(line) != line {
		return false
	}
	return !slices.ContainsFunc(words, func(word string) bool {
		return strings.ContainsAny(word[len(word)-1:], ".,;:!?)\"'") || strings.HasSuffix(word, "…")
	})
}
