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
)

// A table is a CSV file with named columns (RFC 4180). It finds the ends of the
// rows itself, and has each parsed by encoding/csv, so that whatever is wrong
// with one row, the next line is read as the beginning of another.
type table struct {
	lines   lines
	comma   byte
	feed    feed
	buffer  *bufio.Reader // of feed
	rows    *csv.Reader
	columns map[string]int // by folded name
	names   []string
	used    map[int]bool // columns that were asked for
	ahead   *headless    // the first row, if it is one of a list without names
}

// headless is a first row that names no columns.
type headless struct {
	cells []string
	line  int
}

// A feed hands the lines of one row to the CSV reader, each when it is asked
// for: of a row that is wrong at its beginning the rest is not looked at.
type feed struct {
	lines []line
	left  []byte // of the present one
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		if len(f.lines) == 0 {
			return 0, io.EOF
		}
		f.left, f.lines = f.lines[0].text, f.lines[1:]
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// openTable reads the names of the columns.
func openTable(in io.Reader) (*table, error) {
	t := &table{lines: lines{in: plainText(in)}, columns: map[string]int{}, used: map[int]bool{}}
	t.buffer = bufio.NewReader(&t.feed)
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
func (t *table) offset() int64 { return t.lines.bytes }

// separator finds what stands between the cells: what the first line says, or
// what parts it into cells of which one is the address, or into most cells.
func (t *table) separator() error {
	head, err := t.lines.in.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return fmt.Errorf("read the file: %w", err)
	}
	head = bytes.TrimLeft(head, "\r\n")
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if said, ok := bytes.CutPrefix(bytes.TrimSpace(first), []byte("sep=")); ok && len(said) == 1 { // as Excel has it
		t.comma = said[0]
		if _, _, err := t.lines.frame(); err != nil {
			return err
		}
		t.lines.take(1)
	} else {
		most := -1
		for _, c := range []byte(",;\t") {
			if n := parted(head, c); n > most {
				t.comma, most = c, n
			}
		}
	}
	t.lines.comma = t.comma
	return nil
}

// parted tells how well a separator parts the first row. What stands in
// quotation marks is no separator.
func parted(head []byte, comma byte) int {
	const address = 1 << 20
	r := csv.NewReader(bytes.NewReader(head))
	r.Comma, r.LazyQuotes, r.TrimLeadingSpace = rune(comma), true, comma != '\t'
	cells, err := r.Read()
	if err != nil {
		return 0
	}
	n := len(cells)
	for _, c := range cells {
		if slices.Contains(folded(emailNames...), fold(c)) {
			return n + address
		}
	}
	return n
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
	t.feed = feed{}
	t.buffer.Reset(&t.feed)
	t.rows = csv.NewReader(t.buffer)
	t.rows.Comma, t.rows.FieldsPerRecord, t.rows.ReuseRecord = rune(t.comma), -1, true
	t.rows.TrimLeadingSpace = t.comma != '\t' // which is one
}

// row gives the cells of the next row that is not blank.
func (t *table) row() (cells []string, line int, err error) {
	n, line, err := t.lines.frame()
	if err != nil {
		return nil, line, err
	}
	t.feed.lines = t.lines.waiting()[:n]
	if cells, err = t.rows.Read(); err != nil {
		t.parse()
		t.lines.take(1)
		return nil, line, lineError(parseFault(err))
	}
	t.lines.take(n)
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
