// Package roster reads and writes files of subscribers: our own CSV both ways,
// and the exports of other products, which it recognises by their columns. It
// knows nothing of the site: what a newsletter or a topic is, and whether an
// address can be mailed to, is for others to say.
//
// A file may be CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or
// Windows-1252, or a ZIP archive of such files. Every line that is not a person
// is given as a [Problem]; none is passed over.
package roster

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Format is a product whose files are understood.
type Format string

// The formats.
const (
	Auto       Format = "auto" // told by the columns
	CSV        Format = "csv"  // our own columns, and any plain list
	Listmonk   Format = "listmonk"
	Mailchimp  Format = "mailchimp"
	Substack   Format = "substack"
	Ghost      Format = "ghost"
	Buttondown Format = "buttondown"
)

// Formats are all that may be asked for.
var Formats = []Format{Auto, CSV, Listmonk, Mailchimp, Substack, Ghost, Buttondown}

// A Record is one person, as a line tells of them.
type Record struct {
	Place
	Email, Name, Timezone, Language, Format, QuietHours string

	Status   string // store.StatusActive, StatusPending, StatusUnsubscribed; "": active, as far as the line says
	Suppress string // reason for which the address is never to be mailed; "": none
	Note     string // in the words of the product

	Categories, Tags []string // nil: the file has no such column
	Labels           []string // what another product calls tags
	Newsletters      []string
	Frequency, Hour  string

	CreatedAt, ConfirmedAt, EndedAt, PausedUntil time.Time
}

// A Place is where something stands.
type Place struct {
	File string // of an archive; "" if there is but one
	Line int    // from 1
}

func (p Place) String() string {
	if p.File == "" {
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("%s, line %d", p.File, p.Line)
}

// A Problem is a line that tells of nobody.
type Problem struct {
	Place
	Message string
}

func (p *Problem) Error() string { return p.Place.String() + ": " + p.Message }

// A Reader gives the records of a file.
type Reader struct {
	parts  []part
	next   int // of parts
	wanted Format
	table  *table
	map_   mapping
	done   int64 // bytes of the parts before
	size   int64
	format Format

	ignored []string
}

// Open looks at a file, or at the files of an archive, and finds out what made
// them. Its name helps: Mailchimp tells by it who has left.
func Open(r io.ReaderAt, size int64, name string, wanted Format) (*Reader, error) {
	parts, err := partsOf(r, size, name)
	if err != nil {
		return nil, err
	}
	rd := &Reader{parts: parts, wanted: wanted}
	for _, p := range parts {
		rd.size += p.size
	}
	if err := rd.advance(); err != nil {
		return nil, err
	}
	return rd, nil
}

// Format tells what made the file; of an archive, the part that is being read.
func (r *Reader) Format() Format { return r.format }

// Has reports whether the part that is being read has one of our own columns.
func (r *Reader) Has(column string) bool { return r.format == CSV && r.table.has(column) }

// Ignored gives the names of the columns that mean nothing here, as far as the
// file has been opened.
func (r *Reader) Ignored() []string { return r.ignored }

// Progress tells how many bytes of how many have been read.
func (r *Reader) Progress() (done, size int64) {
	if r.table == nil {
		return r.size, r.size
	}
	return min(r.done+r.table.offset(), r.size), r.size
}

// advance opens the next part.
func (r *Reader) advance() error {
	p := r.parts[r.next]
	r.next++
	in, err := p.open()
	if err != nil {
		return p.fault(err)
	}
	if r.table, err = openTable(in); err != nil {
		return p.fault(err)
	}
	r.format = r.wanted
	if r.format == Auto || r.format == "" {
		r.format = detect(r.table, p.name)
	}
	if r.map_, err = mappings[r.format](r.table, p.name); err != nil {
		return p.fault(err)
	}
	for _, c := range r.table.unused() {
		if c.name != "" && !slices.Contains(r.ignored, c.name) {
			r.ignored = append(r.ignored, c.name)
		}
	}
	return nil
}

// Next gives the next record, a *Problem for a line that is none, or io.EOF.
func (r *Reader) Next() (Record, error) {
	for {
		cells, line, err := r.table.next()
		if errors.Is(err, io.EOF) {
			r.done += r.parts[r.next-1].size
			if r.next == len(r.parts) {
				return Record{}, io.EOF
			}
			if err := r.advance(); err != nil {
				return Record{}, err
			}
			continue
		}
		place := Place{r.parts[r.next-1].label, line}
		if err == nil {
			var rec Record
			if rec, err = r.map_(cells); err == nil {
				rec.Place = place
				return rec, nil
			}
		}
		var bad lineError
		if errors.As(err, &bad) {
			return Record{}, &Problem{place, string(bad)}
		}
		return Record{}, r.parts[r.next-1].fault(err)
	}
}

// A lineError is what is wrong with one line.
type lineError string

func (e lineError) Error() string { return string(e) }

func badLine(format string, args ...any) error { return lineError(fmt.Sprintf(format, args...)) }

// layouts are the spellings of times; without a zone they are UTC.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05 MST",
	"2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly}

func readTime(column, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badLine("%s %q is neither an RFC 3339 instant nor a date", column, shorten(text))
}

// shorten keeps what is quoted in a message short.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
