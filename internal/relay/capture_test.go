package relay_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/mail"
	"tidings/internal/relay"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123456000, time.UTC)

// ticking gives a clock that moves on by a second at each look.
func ticking() func() time.Time {
	var mu sync.Mutex
	now := noon
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

const multipart = "To: ann@example.com\r\nMessage-ID: <1@example.org>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0100\r\n" +
	"From: =?utf-8?q?J=C3=B6rg?= <news@example.org>\r\nSubject: =?utf-8?b?8J+OiQ==?= party\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=xyz\r\n\r\n--xyz\r\nContent-Type: text/plain; charset=UTF-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9=20=\r\n\r\n--xyz\r\nContent-Type: text/html; charset=UTF-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Caf=C3=A9</p>\r\n--xyz--\r\n"

// stamp is what the box writes before a mail.
const stamp = "Return-Path: <bounce@example.org>\r\nDelivered-To: ann@example.com\r\n"

func capture(t testing.TB, c relay.Conn, to, msg string) relay.Reply {
	t.Helper()
	reply, err := c.Send(t.Context(), relay.Envelope{From: "bounce@example.org", To: to}, []byte(msg), nil)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func box(t testing.TB) (string, relay.Conn, *relay.Mailbox) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mail [box]")
	r, b := relay.NewCapture(dir, ticking())
	c, err := r.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir, c, b
}

func TestCaptured(t *testing.T) {
	_, c, b := box(t)
	if reply := capture(t, c, "ann@example.com", multipart); reply.Code != 250 {
		t.Errorf("reply %+v", reply)
	}
	items, err := b.List(0)
	if err != nil || len(items) != 1 {
		t.Fatalf("%v, %v", items, err)
	}
	want := relay.Item{
		ID: items[0].ID, From: "Jörg <news@example.org>", To: "ann@example.com", Subject: "🎉 party",
		Date: time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC), Received: noon.Add(time.Second), Size: int64(len(stamp + multipart)),
	}
	if diff := cmp.Diff(want, items[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m, err := b.Open(items[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, m.Item); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if m.Envelope != (relay.Envelope{From: "bounce@example.org", To: "ann@example.com"}) || string(m.Raw) != multipart {
		t.Errorf("envelope %v, message %q", m.Envelope, m.Raw)
	}
	if m.Text != "Café " || m.HTML != "<p>Café</p>" {
		t.Errorf("text %q, HTML %q", m.Text, m.HTML)
	}
	if len(m.Header) != 7 || m.Header[0] != (mail.Header{Name: "To", Value: "ann@example.com"}) || m.Header[4] != (mail.Header{Name: "Subject", Value: "🎉 party"}) {
		t.Errorf("header %v", m.Header)
	}
}

func TestMaildirIsOne(t *testing.T) {
	dir, c, _ := box(t)
	capture(t, c, "ann@example.com", multipart)
	files, err := filepath.Glob(filepath.Join(strings.ReplaceAll(dir, "[", `\[`), "*", "*"))
	if err != nil || len(files) != 1 || filepath.Base(filepath.Dir(files[0])) != "new" {
		t.Fatalf("files %v, %v", files, err)
	}
	stored, err := os.ReadFile(files[0])
	if err != nil || string(stored) != stamp+multipart {
		t.Errorf("stored %q, %v", stored, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestListIsNewestFirst(t *testing.T) {
	_, c, b := box(t)
	for n := range 25 {
		capture(t, c, fmt.Sprintf("r%d@example.com", n), multipart)
	}
	var got []string
	for before := ""; ; {
		page, err := b.Before(before, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, i := range page {
			got = append(got, i.To)
		}
		before = page[len(page)-1].ID
	}
	var want []string
	for n := range 25 {
		want = append(want, fmt.Sprintf("r%d@example.com", 24-n))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if items, err := b.List(3); err != nil || len(items) != 3 || items[0].To != "r24@example.com" {
		t.Errorf("%v, %v", items, err)
	}
	if n, err := b.Count(); n != 25 || err != nil {
		t.Errorf("%d mails, %v", n, err)
	}
}

func TestEmptyBox(t *testing.T) {
	_, b := relay.NewCapture(filepath.Join(t.TempDir(), "none"), ticking())
	items, err := b.List(10)
	if len(items) != 0 || err != nil {
		t.Errorf("%v, %v", items, err)
	}
}

func TestSeveralProcessesShareABox(t *testing.T) {
	dir := t.TempDir()
	still := func() time.Time { return noon } // all in the same microsecond
	var wg sync.WaitGroup
	for range 4 {
		r, _ := relay.NewCapture(dir, still)
		wg.Go(func() {
			c, err := r.Connect(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			for range 50 {
				if _, err := c.Send(t.Context(), envelope, message, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	_, b := relay.NewCapture(dir, still)
	if items, err := b.List(0); len(items) != 200 || err != nil {
		t.Errorf("%d mails, %v", len(items), err)
	}
}

func TestSeenByAMailProgram(t *testing.T) {
	for _, flags := range []string{"", ":2,", ":2,S", ":2,FRS"} {
		dir, c, b := box(t)
		capture(t, c, "ann@example.com", multipart)
		items, err := b.List(1)
		if err != nil {
			t.Fatal(err)
		}
		id := items[0].ID
		if err := os.Rename(filepath.Join(dir, "new", id), filepath.Join(dir, "cur", id+flags)); err != nil {
			t.Fatal(err)
		}
		again, err := b.List(1)
		if diff := cmp.Diff(items, again); diff != "" || err != nil {
			t.Errorf("flags %q: %v\n%s", flags, err, diff)
		}
		if m, err := b.Open(id); err != nil || string(m.Raw) != multipart {
			t.Errorf("flags %q: %v", flags, err)
		}
	}
}

func TestOpenStaysInTheBox(t *testing.T) {
	dir, c, b := box(t)
	capture(t, c, "ann@example.com", multipart)
	items, err := b.List(1)
	if err != nil {
		t.Fatal(err)
	}
	secret := "0000000001.M000000Q00000001P1R00.tidings"
	if err := os.WriteFile(filepath.Join(dir, secret), []byte(multipart), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{
		"", ".", "..", "../" + secret, "..%2f" + secret, "/etc/passwd", "../new/" + items[0].ID, items[0].ID + "/", items[0].ID + "\x00",
		items[0].ID + ":2,S", "new/" + items[0].ID, "*", "0000000001.*.tidings", secret, strings.Repeat("1", 300) + ".tidings",
	} {
		if m, err := b.Open(id); !errors.Is(err, relay.ErrNoMail) {
			t.Errorf("Open(%q) = %+v, %v, want ErrNoMail", id, m, err)
		}
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir, c, b := box(t)
	capture(t, c, "ann@example.com", multipart)
	for _, name := range []string{"1111.foreign.host", "README", ".hidden", "1.M1.tidings.bak"} {
		if err := os.WriteFile(filepath.Join(dir, "new", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if items, err := b.List(0); len(items) != 1 || err != nil {
		t.Errorf("%v, %v", items, err)
	}
}

func TestCaptureFailures(t *testing.T) {
	dir, c, b := box(t)
	stop := errors.New("the journal is full")
	_, err := c.Send(t.Context(), envelope, message, func() error {
		if n, _ := b.Count(); n != 0 {
			t.Error("in the box before the dot")
		}
		return stop
	})
	want{"dot", relay.Unavailable, 0, true}.check(t, err, c.Usable())
	if !errors.Is(err, stop) {
		t.Errorf("%v does not wrap its cause", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Send(ctx, envelope, message, nil)
	want{"body", relay.Unavailable, 0, true}.check(t, err, c.Usable())
	_, err = c.Send(t.Context(), relay.Envelope{From: "a@b.org", To: "x\r\nEvil: y"}, message, nil)
	want{"rcpt", relay.Permanent, 0, true}.check(t, err, c.Usable())

	left, err := os.ReadDir(filepath.Join(dir, "tmp"))
	if n, _ := b.Count(); n != 0 || len(left) != 0 || err != nil {
		t.Errorf("%d mails, left in tmp: %v (%v)", n, left, err)
	}
}

func TestCaptureCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, b := relay.NewCapture(file, ticking())
	_, err := r.Connect(t.Context())
	want{"dial", relay.Unavailable, 0, false}.check(t, err, false)
	if _, err := b.List(1); err == nil {
		t.Error("listed a file")
	}
}

func TestUnreadableMailIsShownRaw(t *testing.T) {
	_, c, b := box(t)
	for _, msg := range []string{
		"no header at all", "Subject: x\r\nContent-Type: text/plain; charset=martian\r\n\r\nbody\r\n",
		"Subject: x\r\nContent-Type: multipart/mixed\r\n\r\nbody\r\n", "Subject: =?martian?q?x?=\r\n\r\nbody\r\n",
		"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n", "Content-Type: ;;;\r\n\r\nbody\r\n",
	} {
		capture(t, c, "ann@example.com", msg)
		items, err := b.List(1)
		if err != nil || len(items) != 1 {
			t.Fatalf("%q: %v, %v", msg, items, err)
		}
		if m, err := b.Open(items[0].ID); err != nil || string(m.Raw) != msg || m.To != "ann@example.com" {
			t.Errorf("%q is shown as %q, to %q (%v)", msg, m.Raw, m.To, err)
		}
	}
	if items, err := b.List(0); len(items) != 6 || err != nil {
		t.Errorf("%d mails, %v", len(items), err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(multipart))
	f.Add([]byte("x"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n"))
	dir := f.TempDir()
	const id = "0000000001.M000000Q00000001P1R00.tidings"
	if err := os.MkdirAll(filepath.Join(dir, "new"), 0o700); err != nil {
		f.Fatal(err)
	}
	_, b := relay.NewCapture(dir, ticking())
	f.Fuzz(func(t *testing.T, stored []byte) {
		if err := os.WriteFile(filepath.Join(dir, "new", id), stored, 0o600); err != nil {
			t.Fatal(err)
		}
		if items, err := b.List(0); err != nil || !slices.ContainsFunc(items, func(i relay.Item) bool { return i.ID == id }) {
			t.Errorf("%v, %v", items, err)
		}
		if m, err := b.Open(id); err != nil || !strings.HasSuffix(string(stored), string(m.Raw)) {
			t.Errorf("%q is shown as %q (%v)", stored, m.Raw, err)
		}
	})
}

func BenchmarkListLargeBox(b *testing.B) {
	dir, c, box := box(b)
	capture(b, c, "ann@example.com", multipart)
	for n := range 100_000 {
		name := fmt.Sprintf("%010d.M000000Q%08xP1R00.tidings", n, n)
		if err := os.WriteFile(filepath.Join(dir, "new", name), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if items, err := box.List(50); err != nil || len(items) != 50 {
			b.Fatal(len(items), err)
		}
	}
}
