package token_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/token"
)

func tagKey(t testing.TB, b byte) token.Key {
	k, err := token.NewKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTag(t *testing.T) {
	k := tagKey(t, 7)
	for _, numbers := range [][]int64{nil, {0}, {1, 12, 345678}, {1, 1 << 34, 1 << 34}, {math.MaxInt64, math.MaxInt64}} {
		tag := k.Tag("mail", numbers...)
		if strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("tag %q has other letters", tag)
		}
		for _, form := range []string{tag, strings.ToUpper(tag)} {
			got, err := k.ReadTag("mail", form)
			if err != nil || !slices.Equal(got, numbers) {
				t.Errorf("ReadTag(%q) = %v, %v; want %v", form, got, err, numbers)
			}
		}
	}
	if n := len(k.Tag("mail", 9, 1<<35-1, 1<<35-1)); n > token.MaxTag {
		t.Errorf("a large tag has %d characters, more than %d", n, token.MaxTag)
	}
}

func TestTagIsNotForged(t *testing.T) {
	k := tagKey(t, 7)
	good := k.Tag("mail", 1, 12, 5)
	for name, tag := range map[string]string{
		"empty": "", "cut short": good[:len(good)-1], "too long": good + "a", "padded": good + "======", "of another alphabet": "0189",
		"another key's": tagKey(t, 8).Tag("mail", 1, 12, 5), "another purpose's": k.Tag("other", 1, 12, 5),
	} {
		if got, err := k.ReadTag("mail", tag); err == nil {
			t.Errorf("%s (%q): %v", name, tag, got)
		}
	}
	for i := range len(good) { // each letter counts, the last one's spare bits too
		for _, c := range "abcdefghijklmnopqrstuvwxyz234567" {
			if tag := good[:i] + string(c) + good[i+1:]; tag != good {
				if got, err := k.ReadTag("mail", tag); err == nil {
					t.Errorf("%q read as %v", tag, got)
				}
			}
		}
	}
}

// A stamp is taken once, by its letters: there is no other way to write it.
func TestStampHasOneSpelling(t *testing.T) {
	k, at := tagKey(t, 7), time.Unix(1_800_000_000, 0)
	tok := k.Stamp(at)
	if got, err := k.Stamped(tok); err != nil || !got.Equal(at) {
		t.Fatalf("%v, %v", got, err)
	}
	for i, c := range tok {
		for _, other := range []string{strings.ToUpper(string(c)), "\u212a"} { // the sign for kelvin is a k in lower case
			if spelling := tok[:i] + other + tok[i+1:]; spelling != tok {
				if got, err := k.Stamped(spelling); err == nil {
					t.Errorf("%q read as %v", spelling, got)
				}
			}
		}
	}
}

func FuzzReadTag(f *testing.F) {
	k := tagKey(f, 7)
	f.Add(k.Tag("mail", 1, 12, 5))
	f.Add("aaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, tag string) {
		if numbers, err := k.ReadTag("mail", tag); err == nil && k.Tag("mail", numbers...) != strings.ToLower(tag) {
			t.Errorf("%q read as %v, whose tag is another", tag, numbers)
		}
	})
}
