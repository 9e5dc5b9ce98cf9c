package roster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// maxRow is how long a row may be, in bytes. A quotation mark that is never
// closed must not swallow the rest of the file.
const maxRow = 256 << 10

// lines are the lines of a file. Those that may belong to the next row wait;
// each is read once and looked at twice at the most, however many rows are wrong.
type lines struct {
	in    *bufio.Reader
	comma byte
	queue []line
	taken int   // lines
	bytes int64 // of them
	head  int   // lines of the queue that are taken
	open  int   // of those that wait, from the second on, close no quotation
	end   error // of the file
}

// A line is one with its end.
type line struct {
	text   []byte
	at     int64 // bytes of the file before it
	lost   int   // bytes after it that were not kept, because no row is that long
	closes bool  // a quotation that is open before is not at its end
}

func (l *line) size() int64 { return int64(len(l.text) + l.lost) }

// waiting are the lines that were read and are not taken.
func (l *lines) waiting() []line { return l.queue[l.head:] }

// any makes sure that a line waits.
func (l *lines) any() error {
	if l.head < len(l.queue) {
		return nil
	}
	return l.read()
}

// take takes n lines.
func (l *lines) take(n int) {
	for _, t := range l.waiting()[:n] {
		l.bytes += t.size()
	}
	l.head += n
	l.taken += n
	l.open = max(l.open-n, 0)
	if l.head*2 > len(l.queue) {
		l.queue = l.queue[:copy(l.queue, l.waiting())]
		l.head = 0
	}
}

// frame gives how many of the waiting lines are the next row, which has several
// where a quoted cell has, and the number of the first. A line that begins no row
// is taken, and told of.
func (l *lines) frame() (n, number int, err error) {
	for {
		if err := l.any(); err != nil {
			return 0, l.taken, err
		}
		if len(bytes.TrimSpace(l.waiting()[0].text)) > 0 {
			break
		}
		l.take(1)
	}
	number = l.taken + 1
	first := l.waiting()[0].text
	q := quotes{comma: l.comma, start: true}
	if n = 1; len(first) > maxRow {
		err = badLine("it is longer than %d KB", maxRow>>10)
	} else if q.read(first); q.open {
		n, err = l.closing()
	}
	var bad lineError
	if errors.As(err, &bad) {
		l.take(1)
	}
	return n, number, err
}

// closing gives how many lines it takes until the quotation that the first one
// opens is closed. Which line closes it does not depend on where it is opened.
func (l *lines) closing() (n int, err error) {
	for n = max(l.open, 1); ; n++ {
		if n == len(l.waiting()) {
			if err = l.read(); err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
		}
		l.open = n
		if err != nil {
			return 0, errUnclosed
		}
		switch first, last := &l.waiting()[0], &l.waiting()[n]; {
		case last.at+int64(len(last.text))-first.at > maxRow:
			return 0, errUnclosed
		case last.closes:
			return n + 1, nil
		}
	}
}

const errUnclosed = lineError("a quotation mark is opened and not closed")

// read makes the next line wait. Of one that is longer than any row only
// as much is kept as shows that.
func (l *lines) read() error {
	if l.end != nil {
		return l.end
	}
	next := line{at: l.bytes}
	if n := len(l.waiting()); n > 0 {
		before := l.waiting()[n-1]
		next.at = before.at + before.size()
	}
	for {
		some, err := l.in.ReadSlice('\n')
		if len(next.text) <= maxRow {
			next.text = append(next.text, some...)
		} else {
			next.lost += len(some)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(next.text) > 0:
			q := quotes{comma: l.comma, open: true}
			q.read(next.text)
			next.closes = !q.open
			l.queue = append(l.queue, next)
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if !errors.Is(err, io.EOF) {
				err = fmt.Errorf("read the file: %w", err)
			}
			l.end = err
			return err
		}
	}
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
