package mail_test

import (
	"bytes"
	"strings"
	"testing"

	"tidings/internal/mail"
)

func stored(t testing.TB, m mail.Message) []byte {
	t.Helper()
	b, err := compile(t, m).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStoredTemplateRendersTheSame(t *testing.T) {
	var read mail.Template
	if err := read.UnmarshalBinary(stored(t, digest())); err != nil {
		t.Fatal(err)
	}
	got, err := read.Render(nil, reader())
	if err != nil {
		t.Fatal(err)
	}
	if want := render(t, digest(), reader()); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	spoilt := reader()
	spoilt.Headers[0].Name = "Precedence"
	if _, err := read.Render(nil, spoilt); err == nil {
		t.Error("a stored template forgot its frozen headers")
	}
}

func TestStoredTemplateIsIndependent(t *testing.T) {
	data := stored(t, digest())
	var read mail.Template
	if err := read.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	clear(data)
	got, err := read.Render(nil, reader())
	if err != nil || !bytes.Equal(got, render(t, digest(), reader())) {
		t.Errorf("the template changed with the bytes it was read from (%v)", err)
	}
}

func TestDamagedTemplateIsRefused(t *testing.T) {
	data := stored(t, digest())
	for n := range data {
		var read mail.Template
		if err := read.UnmarshalBinary(data[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(data))
		}
	}
	var read mail.Template
	if err := read.UnmarshalBinary(append(data, 0)); err == nil {
		t.Error("a byte too many was accepted")
	}
	data[0] = 99
	if err := read.UnmarshalBinary(data); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("another version: %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(stored(f, digest()))
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		var tpl mail.Template
		if tpl.UnmarshalBinary(data) != nil {
			return
		}
		again, err := tpl.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var second mail.Template
		if err := second.UnmarshalBinary(again); err != nil {
			t.Fatalf("what was read and written cannot be read: %v", err)
		}
		r := reader()
		r.Slots = map[string]string{}
		for _, name := range tpl.Slots() {
			r.Slots[name] = "x"
		}
		one, err1 := tpl.Render(nil, r)
		two, err2 := second.Render(nil, r)
		if !bytes.Equal(one, two) || (err1 == nil) != (err2 == nil) {
			t.Errorf("rendered differently: %q (%v), %q (%v)", one, err1, two, err2)
		}
	})
}
