package roster

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRow is how long a row may be, in bytes. A quotation mark that is never
// closed must not swallow the rest of the file.
const maxRow = 256 << 10

// A table is a CSV file with named columns (RFC 4180). It finds the ends of the
// rows itself, and has each parsed by encoding/csv, so that whatever is wrong
// with one row, the next line is read as the beginning of another.
type table struct {
	in      *bufio.Reader
	comma   byte
	rest    []byte // lines that were read and are to be read again
	line    int    // lines taken
	bytes   int64
	feed    *feed
	rows    *csv.Reader
	columns map[string]int // by folded name
	names   []string
	ahead   *headless // the first row, if it is one of a list without names
}

// headless is a first row that names no columns.
type headless struct {
	cells []string
	line  int
}

// A feed hands one row at a time to the CSV reader.
type feed struct{ row []byte }

func (f *feed) Read(p []byte) (int, error) {
	if len(f.row) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.row)
	f.row = f.row[n:]
	return n, nil
}

// openTable reads the names of the columns.
func openTable(in io.Reader) (*table, error) {
	t := &table{in: plainText(in), feed: &feed{}, columns: map[string]int{}}
	if err := t.separator(); err != nil {
		return nil, err
	}
	t.parse()
	names, line, err := t.row()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line must name the columns, at least email")
	}
	if err != nil {
		return nil, fmt.Errorf("the first line, which must name the columns: %w", err)
	}
	t.names = slices.Clone(names)
	for i, n := range names {
		n = fold(n)
		if _, twice := t.columns[n]; !twice {
			t.columns[n] = i
		}
	}
	if !t.has("email") && len(names) == 1 && strings.Contains(names[0], "@") {
		t.columns, t.ahead = map[string]int{"email": 0}, &headless{t.names, line}
	}
	return t, nil
}

// fold is a name of a column whatever its letters and spaces.
func fold(name string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// has reports whether all the columns are there.
func (t *table) has(columns ...string) bool {
	for _, c := range columns {
		if _, ok := t.columns[c]; !ok {
			return false
		}
	}
	return true
}

// offset is how many bytes have been read.
func (t *table) offset() int64 { return t.bytes }

// separator finds what stands between the cells: what the first line has most
// of, or says.
func (t *table) separator() error {
	head, err := t.in.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return fmt.Errorf("read the file: %w", err)
	}
	head = bytes.TrimLeft(head, "\r\n")
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if said, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("sep=")); ok && len(said) == 1 { // as Excel has it
		t.comma = said[0]
		_, err := t.takeLine()
		return err
	}
	t.comma = ','
	for _, c := range []byte(";\t") {
		if bytes.Count(line, []byte{c}) > bytes.Count(line, []byte{t.comma}) {
			t.comma = c
		}
	}
	return nil
}

// next gives the cells of the next person's row, valid until the following call.
func (t *table) next() (cells []string, line int, err error) {
	if t.ahead != nil {
		cells, line = t.ahead.cells, t.ahead.line
		t.ahead = nil
		return cells, line, nil
	}
	cells, line, err = t.row()
	if err != nil {
		return nil, line, err
	}
	for len(cells) > len(t.names) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1] // separators at the end
	}
	if len(cells) != len(t.names) {
		return nil, line, badLine("it has %s, the first line names %d", counted(len(cells), "column"), len(t.names))
	}
	return cells, line, nil
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// parse makes a parser of rows. One that has met an error may hold a part of
// the row yet.
func (t *table) parse() {
	t.feed.row = nil
	t.rows = csv.NewReader(t.feed)
	t.rows.Comma, t.rows.FieldsPerRecord, t.rows.ReuseRecord = rune(t.comma), -1, true
	t.rows.TrimLeadingSpace = t.comma != '\t' // which is one
}

// row gives the cells of the next row that is not blank.
func (t *table) row() (cells []string, line int, err error) {
	raw, line, err := t.frame()
	if err != nil {
		return nil, line, err
	}
	t.feed.row = raw
	if cells, err = t.rows.Read(); err != nil {
		t.parse()
		_, others, _ := bytes.Cut(raw, []byte("\n"))
		t.giveBack(others, line)
		return nil, line, lineError(parseFault(err))
	}
	for i := range cells {
		if cells[i], err = readable(cells[i]); err != nil {
			return nil, line, err
		}
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, line, nil
}

// parseFault is what is wrong, without the place, which the parser cannot know.
func parseFault(err error) string {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

// frame gives the bytes of the next row, which has several lines where a
// quoted cell has, and the number of the first.
func (t *table) frame() (raw []byte, line int, err error) {
	for len(bytes.TrimSpace(raw)) == 0 {
		if raw, err = t.takeLine(); err != nil {
			return nil, t.line, err
		}
	}
	line = t.line
	first := len(raw)
	q := quotes{comma: t.comma, start: true}
	for q.read(raw[:first]); q.open; {
		more, err := t.takeLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, line, err
		}
		if raw = append(raw, more...); err != nil || len(raw) > maxRow {
			t.giveBack(raw[first:], line)
			return nil, line, badLine("a quotation mark is opened and not closed")
		}
		q.read(more)
	}
	if len(raw) > maxRow {
		return nil, line, badLine("it is longer than %d KB", maxRow>>10)
	}
	return raw, line, nil
}

// quotes follows the quoted cells of a row.
type quotes struct {
	comma       byte
	start, open bool // of a cell; of a quotation
}

// read goes on with whole lines.
func (q *quotes) read(text []byte) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case q.open && c == '"' && i+1 < len(text) && text[i+1] == '"':
			i++
		case q.open:
			q.open = c != '"'
		case c == q.comma:
			q.start = true
			continue
		case c == '"':
			q.open = q.start
		case q.start && q.comma != '\t':
			if r, size := utf8.DecodeRune(text[i:]); unicode.IsSpace(r) { // which may stand before a quotation
				i += size - 1
				continue
			}
		}
		q.start = false
	}
}

// takeLine gives the next line with its end.
func (t *table) takeLine() (line []byte, err error) {
	if len(t.rest) > 0 {
		n := bytes.IndexByte(t.rest, '\n') + 1
		if n == 0 {
			n = len(t.rest)
		}
		line, t.rest = slices.Clone(t.rest[:n]), t.rest[n:]
	} else if line, err = t.readLine(); err != nil {
		return nil, err
	}
	t.line++
	t.bytes += int64(len(line))
	return line, nil
}

// readLine reads a line. Of one that is longer than any row only as much is
// kept as shows that.
func (t *table) readLine() (line []byte, err error) {
	for {
		some, err := t.in.ReadSlice('\n')
		if len(line) <= maxRow {
			line = append(line, some...)
		} else {
			t.bytes += int64(len(some))
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if !errors.Is(err, io.EOF) {
				err = fmt.Errorf("read the file: %w", err)
			}
			return nil, err
		}
	}
}

// giveBack makes lines be read again, of which the first follows the given one.
func (t *table) giveBack(lines []byte, after int) {
	if len(lines) == 0 {
		return
	}
	t.rest = append(slices.Clone(lines), t.rest...)
	t.line = after
	t.bytes -= int64(len(lines))
}
