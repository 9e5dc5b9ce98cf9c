package journal

import "testing"

// FuzzDecode reads any bytes as a journal, then the same behind two intact
// records, which must be understood whatever follows them.
func FuzzDecode(f *testing.F) {
	k := Key{Edition: 1, Seq: 2, Attempt: 3}
	reached, answered := encode(dot, k, 0), encode(answer, k, 250)
	f.Add([]byte{})
	f.Add(reached[:])
	f.Add(append(answered[:], reached[:recordSize-1]...))
	f.Add(make([]byte, 3*recordSize+1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(decode(b)); n > len(b)/recordSize {
			t.Errorf("%d outcomes in %d bytes", n, len(b))
		}
		other := Key{Edition: -1, Seq: -2, Attempt: -3}
		first, second := encode(dot, other, 0), encode(answer, other, 451)
		if got := decode(append(append(first[:], second[:]...), b...))[other]; got != (Outcome{Answered: true, Code: 451}) && !spoken(b, other) {
			t.Errorf("an intact record reads %+v", got)
		}
	})
}

// spoken reports whether b has an outcome of its own for a key.
func spoken(b []byte, k Key) bool {
	_, ok := decode(b)[k]
	return ok
}
