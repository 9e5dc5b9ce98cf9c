package newsletter

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"

	"tidings/internal/codec"
	"tidings/internal/store"
)

const (
	// bucketText is how much of the text of a file comes into one bucket.
	bucketText = 16 << 20
	// spillAt is how much of a bucket is kept in memory while rows come in.
	spillAt = 64 << 10
)

// A sorter puts the rows of a file, however many, into the order in which the
// database takes them fastest: by the first digits of the key, so that one index
// grows within a small part, then by address, which is the order of the other.
// Equal addresses come together. Rows wait in a temporary file without a name,
// which nobody else can open and which is gone when the process is.
type sorter struct {
	file    *os.File
	digits  int // of the key
	buckets []bucket
	end     int64 // of the file
	code    codec.Encoder
	group   []store.ImportRow
}

// A bucket is the rows whose keys begin alike.
type bucket struct {
	buffer   []byte
	segments []segment // in the file
	size     int64     // of them
	rows     int
}

type segment struct{ at, size int64 }

// newSorter makes a sorter for a text of the given size.
func newSorter(text int64) (*sorter, error) {
	digits := 1
	for text > bucketText<<(4*digits) && digits < 3 {
		digits++
	}
	f, err := os.CreateTemp("", "tidings-import-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("sort the rows in a temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("sort the rows in a temporary file: %w", err)
	}
	return &sorter{file: f, digits: digits, buckets: make([]bucket, 1<<(4*digits))}, nil
}

// Close gives up the file.
func (s *sorter) Close() error { return s.file.Close() }

// add takes a row; address is the form in which equal ones are equal.
func (s *sorter) add(address string, r store.ImportRow) error {
	n, err := strconv.ParseUint(r.Subscriber.Key[:s.digits], 16, 32)
	if err != nil {
		return fmt.Errorf("key of an address: %w", err)
	}
	b := &s.buckets[n]
	s.code.Bytes = s.code.Bytes[:0]
	r.Code(&s.code)
	b.buffer = appendBytes(appendBytes(b.buffer, []byte(address)), s.code.Bytes)
	b.rows++
	if len(b.buffer) < spillAt {
		return nil
	}
	return s.spill(b)
}

func appendBytes(to, b []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

func (s *sorter) spill(b *bucket) error {
	if _, err := s.file.WriteAt(b.buffer, s.end); err != nil {
		return fmt.Errorf("sort the rows in a temporary file (make room, or set TMPDIR to a place that has it): %w", err)
	}
	size := int64(len(b.buffer))
	b.segments = append(b.segments, segment{s.end, size})
	s.end += size
	b.size += size
	b.buffer = b.buffer[:0]
	return nil
}

// each gives fn the rows of each address, in the order in which they came. They
// are fn's until it returns.
func (s *sorter) each(fn func(rows []store.ImportRow) error) error {
	for i := range s.buckets {
		rows, err := s.sorted(&s.buckets[i])
		if err != nil {
			return err
		}
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && bytes.Equal(rows[n].address, rows[0].address) {
				n++
			}
			if err := s.decode(rows[:n]); err != nil {
				return err
			}
			if err := fn(s.group); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// A sortedRow is a row before it is read.
type sortedRow struct {
	address, code []byte
	came          int
}

// sorted empties a bucket.
func (s *sorter) sorted(b *bucket) ([]sortedRow, error) {
	data := make([]byte, b.size, b.size+int64(len(b.buffer)))
	for at := int64(0); len(b.segments) > 0; b.segments = b.segments[1:] {
		seg := b.segments[0]
		if _, err := s.file.ReadAt(data[at:at+seg.size], seg.at); err != nil {
			return nil, fmt.Errorf("read the sorted rows: %w", err)
		}
		at += seg.size
	}
	data = append(data, b.buffer...)
	rows := make([]sortedRow, b.rows)
	for i := range rows {
		rows[i].came = i
		rows[i].address, data = takeBytes(data)
		rows[i].code, data = takeBytes(data)
	}
	*b = bucket{}
	slices.SortFunc(rows, func(a, b sortedRow) int {
		return cmp.Or(bytes.Compare(a.address, b.address), a.came-b.came)
	})
	return rows, nil
}

func takeBytes(from []byte) (b, rest []byte) {
	n, used := binary.Uvarint(from)
	return from[used : used+int(n)], from[used+int(n):]
}

// decode makes the group of some rows.
func (s *sorter) decode(rows []sortedRow) error {
	s.group = s.group[:0]
	for _, r := range rows {
		var row store.ImportRow
		d := codec.NewDecoder(r.code)
		row.Code(d)
		if err := d.Err(); err != nil {
			return fmt.Errorf("read the sorted rows: %w", err)
		}
		s.group = append(s.group, row)
	}
	return nil
}

// restrictive is how little a row lets its person be mailed: where two tell of
// the same one, the stricter is believed.
func restrictive(r store.ImportRow) int {
	if r.Suppress != "" {
		return 3
	}
	most := 0
	for _, s := range r.Subscriber.Subscriptions {
		switch s.Status {
		case store.StatusUnsubscribed:
			most = max(most, 2)
		case store.StatusPending:
			most = max(most, 1)
		}
	}
	return most
}

// settle parts the rows of one person into those that count, and those that
// name a newsletter which another one has named, with that one's line.
func settle(rows []store.ImportRow) (count, twice []store.ImportRow, lines []int) {
	if len(rows) == 1 {
		return rows, nil, nil
	}
	slices.SortStableFunc(rows, func(a, b store.ImportRow) int { return cmp.Compare(restrictive(b), restrictive(a)) })
	seen := map[string]int{} // newsletter → line
	for _, r := range rows {
		line := 0
		for _, sub := range r.Subscriber.Subscriptions {
			line = cmp.Or(line, seen[sub.Newsletter])
		}
		if line != 0 {
			twice, lines = append(twice, r), append(lines, line)
			continue
		}
		for _, sub := range r.Subscriber.Subscriptions {
			seen[sub.Newsletter] = r.Line
		}
		count = append(count, r)
	}
	slices.SortStableFunc(count, func(a, b store.ImportRow) int { return cmp.Compare(a.Line, b.Line) })
	return count, twice, lines
}
