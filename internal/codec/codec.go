// Package codec turns values into bytes and back. One function that goes
// through the fields of a value with a Coder both writes and reads it, so that
// the two cannot but agree. The form holds no names and no versions: bytes are
// for the program that wrote them.
package codec

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrDamaged says that bytes are not what an Encoder made of such a value.
var ErrDamaged = errors.New("damaged data")

// A Coder writes the values it is given, or reads them.
type Coder interface {
	Text(*string)
	Texts(*[]string) // nil stays nil
	Int(*int64)
	Choice(**bool)
	// Time keeps the zone loc whatever that is when the record is read, and
	// of another zone the name and the offset.
	Time(t *time.Time, loc *time.Location)
}

// Number codes whole numbers of any type.
func Number[T ~int | ~int64 | ~uint8](c Coder, v *T) {
	n := int64(*v)
	c.Int(&n)
	*v = T(n)
}

// Flag codes a yes or no.
func Flag(c Coder, v *bool) {
	var n int64
	if *v {
		n = 1
	}
	c.Int(&n)
	*v = n != 0
}

// List codes a list, each element by its own function.
func List[T any](c Coder, list *[]T, element func(*T)) {
	n := len(*list)
	Number(c, &n)
	if d, reads := c.(*Decoder); reads {
		if n < 0 || n > len(d.rest) { // an element takes a byte at least
			d.fail()
			n = 0
		}
		*list = make([]T, n)[:n:n]
	}
	for i := range *list {
		element(&(*list)[i])
	}
	if n == 0 {
		*list = nil
	}
}

// An Encoder appends to Bytes.
type Encoder struct{ Bytes []byte }

// A Decoder takes values off the bytes it was made of.
type Decoder struct {
	rest   []byte
	failed bool
}

// NewDecoder gives a Decoder of b, which must not change.
func NewDecoder(b []byte) *Decoder { return &Decoder{rest: b} }

// Err is ErrDamaged if any value could not be read, or if something is left.
func (d *Decoder) Err() error {
	if d.failed || len(d.rest) > 0 {
		return ErrDamaged
	}
	return nil
}

// fail makes everything that follows fail too.
func (d *Decoder) fail() { d.failed, d.rest = true, nil }

// Int implements [Coder].
func (e *Encoder) Int(n *int64) { e.Bytes = binary.AppendVarint(e.Bytes, *n) }

// Int implements [Coder].
func (d *Decoder) Int(n *int64) {
	v, used := binary.Varint(d.rest)
	if used <= 0 {
		d.fail()
		return
	}
	*n, d.rest = v, d.rest[used:]
}

// Text implements [Coder].
func (e *Encoder) Text(s *string) {
	e.Bytes = append(binary.AppendUvarint(e.Bytes, uint64(len(*s))), *s...)
}

// Text implements [Coder].
func (d *Decoder) Text(s *string) {
	n, used := binary.Uvarint(d.rest)
	if used <= 0 || n > uint64(len(d.rest)-used) {
		d.fail()
		return
	}
	end := used + int(n)
	*s, d.rest = string(d.rest[used:end]), d.rest[end:]
}

// Texts implements [Coder].
func (e *Encoder) Texts(list *[]string) { texts(e, list) }

// Texts implements [Coder].
func (d *Decoder) Texts(list *[]string) { texts(d, list) }

func texts(c Coder, list *[]string) {
	there := int64(0)
	if *list != nil {
		there = 1
	}
	c.Int(&there)
	if there == 0 {
		return
	}
	List(c, list, c.Text)
	if *list == nil {
		*list = []string{}
	}
}

// Choice implements [Coder].
func (e *Encoder) Choice(v **bool) {
	n := int64(0)
	switch {
	case *v == nil:
	case **v:
		n = 2
	default:
		n = 1
	}
	e.Int(&n)
}

// Choice implements [Coder].
func (d *Decoder) Choice(v **bool) {
	var n int64
	if d.Int(&n); n != 0 {
		chosen := n == 2
		*v = &chosen
	}
}

// Forms of a time.
const (
	none int64 = iota
	here       // in the zone loc
	elsewhere
)

// Time implements [Coder].
func (e *Encoder) Time(t *time.Time, loc *time.Location) {
	form := here
	switch {
	case t.IsZero():
		form = none
	case t.Location() != loc:
		form = elsewhere
	}
	e.Int(&form)
	if form == none {
		return
	}
	seconds, nanos := t.Unix(), t.Nanosecond()
	e.Int(&seconds)
	Number(e, &nanos)
	if form == elsewhere {
		name, offset := t.Zone()
		e.Text(&name)
		Number(e, &offset)
	}
}

// Time implements [Coder].
func (d *Decoder) Time(t *time.Time, loc *time.Location) {
	var form, seconds, nanos int64
	if d.Int(&form); form == none {
		return
	}
	d.Int(&seconds)
	d.Int(&nanos)
	if form == elsewhere {
		loc = d.zone()
	}
	*t = time.Unix(seconds, nanos).In(loc)
}

func (d *Decoder) zone() *time.Location {
	var name string
	var offset int
	d.Text(&name)
	Number(d, &offset)
	if name == "UTC" && offset == 0 {
		return time.UTC
	}
	return time.FixedZone(name, offset)
}
