package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// A Sum stands for the content of a table, whatever the order of its rows: the
// number of rows, and the sum of their SHA-256 hashes, as four numbers of 64
// bits that wrap around.
type Sum struct {
	Rows   int64
	lanes  [4]uint64
	buffer []byte
}

// String is the sum of hashes in hexadecimal.
func (s *Sum) String() string {
	var b [32]byte
	for i, n := range s.lanes {
		binary.BigEndian.PutUint64(b[8*i:], n)
	}
	return hex.EncodeToString(b[:])
}

func (s *Sum) equal(o *Sum) bool { return s.Rows == o.Rows && s.lanes == o.lanes }

// add takes a row into account. Each value is written with its kind and
// length, so that no two rows read the same.
func (s *Sum) add(row []any) error {
	b := s.buffer[:0]
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 0)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 1), uint64(v))
		case string:
			b = append(binary.AppendUvarint(append(b, 2), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, 3), uint64(len(v))), v...)
		default:
			return fmt.Errorf("a value of the unknown kind %T", v)
		}
	}
	s.buffer = b
	hash := sha256.Sum256(b)
	for i := range s.lanes {
		s.lanes[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
	s.Rows++
	return nil
}

// sum adds up a table; of each row what as makes of it.
func (d Database) sum(ctx context.Context, t Table, as func(row []any) error) (s Sum, err error) {
	err = d.each(ctx, t, func(row []any) error {
		if err := as(row); err != nil {
			return err
		}
		return s.add(row)
	}, `SELECT `+t.names()+` FROM `+t.Name)
	return s, err
}

func asItIs([]any) error { return nil }

// compare reads both databases anew, at the same time.
func (c *copier) compare(ctx context.Context) (all []Copied, err error) {
	for _, t := range c.tables {
		copied, err := c.compareTable(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, copied)
	}
	return all, nil
}

func (c *copier) compareTable(ctx context.Context, t Table) (copied Copied, err error) {
	type result struct {
		Sum
		err error
	}
	theirs := make(chan result, 1)
	go func() {
		s, err := c.to.sum(ctx, t, asItIs)
		theirs <- result{s, err}
	}()
	copied.Table = t.Name
	copied.Sum, err = c.from.sum(ctx, t, func(row []any) error {
		places, err := c.fit(t, row)
		copied.Replaced = append(copied.Replaced, places...)
		return err
	})
	there := <-theirs
	switch {
	case err != nil:
		return copied, fmt.Errorf("read table %s of the source again: %w", t.Name, err)
	case there.err != nil:
		return copied, fmt.Errorf("read table %s of the target: %w", t.Name, there.err)
	case !copied.equal(&there.Sum):
		return copied, fmt.Errorf("%w in table %s: %d rows, %s, of %d, %s; if the source was in use between two runs, empty the target and begin anew",
			ErrDiffers, t.Name, there.Rows, &there.Sum, copied.Rows, &copied.Sum)
	}
	return copied, nil
}
