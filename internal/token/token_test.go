package token_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/token"
)

func key(t testing.TB, b byte) token.Key {
	t.Helper()
	k, err := token.NewKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestRoundTrip(t *testing.T) {
	k := key(t, 1)
	rapid.Check(t, func(r *rapid.T) {
		c := token.Claim{
			Purpose:    rapid.SampledFrom([]string{"confirm", "unsubscribe"}).Draw(r, "purpose"),
			Subscriber: rapid.Int64Min(0).Draw(r, "subscriber"),
			Newsletter: rapid.StringMatching(`[a-z-]{0,20}`).Draw(r, "newsletter"),
		}
		if rapid.Bool().Draw(r, "expires") {
			c.Expires = now.Add(time.Duration(rapid.IntRange(1, 1e6).Draw(r, "seconds")) * time.Second)
		}
		s := k.Sign(c)
		if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			r.Fatalf("token %q is not URL-safe", s)
		}
		if got, err := k.Verify(c.Purpose, s, now); err != nil || got != c {
			r.Fatalf("Verify = %+v, %v, want %+v", got, err, c)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	k := key(t, 1)
	c := token.Claim{Purpose: "confirm", Subscriber: 7, Newsletter: "weekly", Expires: now.Add(time.Hour)}
	s := k.Sign(c)
	flipped := []byte(s)
	flipped[len(flipped)/2] ^= 1
	for name, try := range map[string]func() error{
		"expired":         func() error { _, err := k.Verify("confirm", s, now.Add(time.Hour)); return err },
		"another purpose": func() error { _, err := k.Verify("unsubscribe", s, now); return err },
		"another key":     func() error { _, err := key(t, 2).Verify("confirm", s, now); return err },
		"damaged":         func() error { _, err := k.Verify("confirm", string(flipped), now); return err },
		"cut":             func() error { _, err := k.Verify("confirm", s[:10], now); return err },
		"empty":           func() error { _, err := k.Verify("confirm", "", now); return err },
		"not base64":      func() error { _, err := k.Verify("confirm", "%%%", now); return err },
	} {
		if err := try(); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestOpenKeyAgreesAcrossProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "secret.key")
	keys := make([]string, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			k, err := token.OpenKey(file)
			if err != nil {
				t.Error(err)
			}
			keys[i] = k.Address("a@example.org")
		})
	}
	wg.Wait()
	for _, k := range keys[1:] {
		if k != keys[0] {
			t.Fatal("two starts made two keys")
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".secret-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenKeyNeverReplacesADamagedKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.key")
	for _, text := range []string{"", "not hex", "abcd"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := token.OpenKey(file); err == nil || !strings.Contains(err.Error(), "backup") {
			t.Errorf("key %q: %v, want advice", text, err)
		}
		if got, _ := os.ReadFile(file); string(got) != text {
			t.Errorf("key %q was changed", text)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := key(f, 1)
	f.Add(k.Sign(token.Claim{Purpose: "confirm", Subscriber: 1, Newsletter: "weekly"}))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := k.Verify("confirm", s, now)
		if err == nil && k.Sign(c) != s {
			t.Errorf("%q verifies, but its claim %+v has another token", s, c)
		}
	})
}

func FuzzSign(f *testing.F) {
	k := key(f, 1)
	f.Add("confirm", int64(1), "weekly")
	f.Add("a\r\nb", int64(-1), "\x00\xff")
	f.Add("", int64(1)<<62, "")
	f.Fuzz(func(t *testing.T, purpose string, subscriber int64, newsletter string) {
		want := token.Claim{Purpose: purpose, Subscriber: subscriber, Newsletter: newsletter}
		s := k.Sign(want)
		if strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			t.Errorf("%+v has the token %q, which is not safe in a URL", want, s)
		}
		if got, err := k.Verify(purpose, s, now); err != nil || got != want {
			t.Errorf("%+v reads %+v, %v", want, got, err)
		}
		if _, err := k.Verify(purpose+"x", s, now); err == nil {
			t.Errorf("%+v is good for another purpose", want)
		}
	})
}
