package catalog

import (
	"errors"
	"io"
	"time"

	"tidings/internal/post"
)

// A stamp tells one state of a file from another.
type stamp struct {
	size    int64
	modTime time.Time
}

func (s stamp) equal(t stamp) bool { return s.size == t.size && s.modTime.Equal(t.modTime) }

// A source is a file that is open.
type source interface {
	io.ReadCloser
	stamp() (stamp, error)
}

// settledTries is how often a file that changes while it is read is read
// again; after that the next event will bring its end.
const settledTries = 3

// readFile reads a file, at most one byte more than a post may have, with
// the size and time that belong to those bytes.
func readFile(name string) ([]byte, stamp, error) {
	for try := 1; ; try++ {
		src, before, after, err := readOnce(name)
		if err != nil {
			return nil, stamp{}, err
		}
		if try == settledTries || before.equal(after) {
			return src, after, nil
		}
	}
}

func readOnce(name string) (src []byte, before, after stamp, err error) {
	file, err := openSource(name)
	if err != nil {
		return nil, before, after, err
	}
	defer file.Close()
	before, err = file.stamp()
	if err != nil || before.size > post.MaxBytes {
		return nil, before, before, err
	}
	if src, err = readSized(file, int(before.size)); err != nil {
		return nil, before, after, err
	}
	after, err = file.stamp()
	return src, before, after, err
}

// readSized reads a file that is said to have so many bytes, in one go if that
// is true, and at most one byte more than a post may have.
func readSized(r io.Reader, size int) ([]byte, error) {
	src := make([]byte, size+1) // so that the end shows
	n, err := io.ReadAtLeast(r, src, size)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // it became shorter
		return src[:n], nil
	case err != nil:
		return nil, err
	case n == size:
		return src[:n], nil
	}
	rest, err := io.ReadAll(io.LimitReader(r, post.MaxBytes-int64(size)))
	return append(src, rest...), err
}
