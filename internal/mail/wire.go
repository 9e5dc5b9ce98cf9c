package mail

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// formatVersion is the first byte of a marshalled Template. Editions under
// way keep theirs across an upgrade: a reader for each version stays.
const formatVersion = 1

// MarshalBinary gives the template in its stored form.
func (t *Template) MarshalBinary() ([]byte, error) {
	b := []byte{formatVersion}
	b = appendStrings(b, t.fields)
	b = appendStrings(b, t.names)
	b = binary.AppendUvarint(b, uint64(len(t.order)))
	for _, i := range t.order {
		b = binary.AppendUvarint(b, uint64(i))
	}
	for _, literal := range t.literals {
		b = appendBytes(b, literal)
	}
	return b, nil
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendBytes(b, []byte(s))
	}
	return b
}

func appendBytes(b, s []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// UnmarshalBinary reads what MarshalBinary gave. It keeps nothing of data.
func (t *Template) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		return errors.New("stored mail template: empty")
	}
	if data[0] != formatVersion {
		return fmt.Errorf("stored mail template: version %d, but this program reads %d; use the version that wrote it, or a later one", data[0], formatVersion)
	}
	r := reader{rest: data[1:]}
	var read Template
	read.fields = r.strings()
	read.names = r.strings()
	read.order = r.indexes(len(read.names))
	for range len(read.order) + 1 {
		read.literals = append(read.literals, r.bytes())
	}
	if r.failed || len(r.rest) > 0 {
		return errors.New("stored mail template: damaged")
	}
	*t = read
	return nil
}

// A reader takes values off the front of rest. A failure empties it, so that
// every value read after it is zero.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) fail() {
	r.failed, r.rest = true, nil
}

// number reads a number from 0 to limit.
func (r *reader) number(limit int) int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || limit < 0 || n > uint64(limit) {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.number(len(r.rest))
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := append([]byte(nil), r.rest[:n]...)
	r.rest = r.rest[n:]
	return b
}

// strings reads a list. Each entry takes at least one byte, so that a forged
// count cannot ask for much memory.
func (r *reader) strings() []string {
	var list []string
	for range r.number(len(r.rest)) {
		list = append(list, string(r.bytes()))
	}
	return list
}

// indexes reads a list of numbers below limit.
func (r *reader) indexes(limit int) []int {
	var list []int
	for range r.number(len(r.rest)) {
		list = append(list, r.number(limit-1))
	}
	return list
}
