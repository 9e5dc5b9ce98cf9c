package cachefile

import "testing"

func FuzzDecode(f *testing.F) {
	f.Add([]byte(magic+"\x01s\x01a\x03one"), "s")
	f.Add([]byte(magic+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "")
	f.Fuzz(func(t *testing.T, b []byte, stamp string) {
		decode(b, stamp)
		r := reader(b)
		for len(r) > 0 {
			before := len(r)
			if _, ok := r.next(); !ok {
				break
			}
			if len(r) >= before {
				t.Fatal("next takes nothing")
			}
		}
	})
}
