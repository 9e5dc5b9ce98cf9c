package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidings/internal/mail"
)

// TestApproval lets an edition wait in a rehearsal, across a kill: it is told
// of, can be read, mails nobody, is not on the web, and goes once it is
// released, once to each, as it was read.
func TestApproval(t *testing.T) {
	t.Parallel()
	config := strings.Replace(captureConfig, "{title: Weekly digest}", `{schedule: "0 20 * * *", approve: true}`, 1) + "alerts: {to: me@example.org}\n"
	posts := map[string]string{"a.md": "---\ntitle: Early\ndate: 2030-01-01T18:00:00Z\n---\nWords.\n"}
	const clock = "2030-01-01T12:00:00Z,7200" // 2 h a second
	d := serve(t, config, posts, "--clock", clock)
	d.subscribe(2)
	d.eventually("the maintainer is told", func() bool { return len(d.mails("me@example.org")) > 0 })
	d.kill()
	if e := d.edition(1); e.Status != "planned" || e.Pending != 2 || e.Sent != 0 {
		t.Errorf("what waits: %+v", e)
	}
	if out := d.must("editions", "show", "1"); !strings.Contains(out, "tidings editions resume 1") {
		t.Errorf("it does not say what to do:\n%s", out)
	}
	if out := d.must("editions", "list"); !strings.Contains(out, "waits for approval: editions show 1, then resume or cancel") {
		t.Errorf("the list does not say that it waits:\n%s", out)
	}
	if out := d.must("editions", "show", "1", "--format", "text"); !strings.Contains(out, "\nEarly\n") {
		t.Errorf("what waits cannot be read:\n%s", out)
	}
	read := d.must("editions", "show", "1", "--format", "eml", "--for", "r1@example.com")
	d.write("posts/a.md", "---\ntitle: Changed since\ndate: 2030-01-01T18:00:00Z\n---\nOther words.\n")
	d.start("--clock", "2030-01-01T21:00:00Z,7200")
	if page := d.get("/newsletters/weekly/"); strings.Contains(page, "Early") {
		t.Error("it is on the web before it is released")
	}
	if n := len(d.mails("r0@example.com")) + len(d.mails("r1@example.com")); n != 0 {
		t.Fatalf("%d mails before the release", n)
	}
	d.must("editions", "resume", "1")
	d.eventually("it is sent", func() bool { return d.edition(1).Sent == 2 })
	if out, err := d.command("editions", "resume", "1").CombinedOutput(); err == nil {
		t.Errorf("released twice:\n%s", out)
	}
	d.eventually("it is on the web", func() bool { return strings.Contains(d.get("/newsletters/weekly/"), "Early") })
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, to := range []string{"r0@example.com", "r1@example.com"} {
		if n := len(d.mails(to)); n != 1 {
			t.Errorf("%s has %d mails", to, n)
		}
	}
	if got := d.captured("r1@example.com")[0]; string(got) != read {
		t.Errorf("read before:\n%s\nmailed:\n%s", read, got)
	}
	if n := len(d.mails("me@example.org")); n != 1 {
		t.Errorf("the maintainer was told %d times", n)
	}
}

// captured gives the captured mails to an address, byte for byte as a mail
// server gets them: without the two lines of its envelope.
func (b *blog) captured(to string) (all [][]byte) {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "data", "mailbox", "new", "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			b.t.Fatal(err)
		}
		m, err := mail.Read(raw)
		if err != nil {
			b.t.Fatal(err)
		}
		if m.Header.Get("To") == to {
			_, raw, _ = bytes.Cut(raw, []byte("\r\nDelivered-To: "+to+"\r\n"))
			all = append(all, raw)
		}
	}
	return all
}
