package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestWelcomed has somebody confirm, and kills the daemon in that moment: they
// are welcomed with the latest edition once, and it is theirs.
func TestWelcomed(t *testing.T) {
	config := strings.Replace(captureConfig, "{title: Weekly digest}", `{title: Weekly digest, welcome: true}`, 1)
	d := serve(t, config, onePost)
	d.subscribe(1)
	d.must("send", "weekly", "--since", "2025-01-01", "--yes")
	if out := d.must("preview", "weekly", "--welcome"); !strings.Contains(out, "Welcome! This is the latest edition of Weekly digest.") || !strings.Contains(out, "\nOne\n") {
		t.Errorf("preview:\n%s", out)
	}
	d.signUp("ann@example.org")
	d.eventually("the confirmation mail comes", func() bool { return len(d.mails("ann@example.org")) == 1 })
	confirm := pathTo.FindStringSubmatch(d.mails("ann@example.org")[0])[1]
	d.post(confirm, nil)
	d.kill()
	d.start()
	d.eventually("the welcome comes", func() bool { return len(d.mails("ann@example.org")) == 2 })
	d.post(confirm, nil) // once more
	welcome := d.mails("ann@example.org")[1]
	for _, want := range []string{"Subject: One\r\n", "Welcome! This is the latest edition", "\nList-Unsubscribe: <", "/newsletters/weekly/"} {
		if !strings.Contains(welcome, want) {
			t.Errorf("no %q in\n%s", want, welcome)
		}
	}
	var all []editionJSON
	if err := json.Unmarshal([]byte(d.must("editions", "list", "--json")), &all); err != nil || len(all) != 2 ||
		all[0].Cadence != "welcome" || all[0].Slot != "edition-1" {
		t.Fatalf("editions: %+v, %v", all, err)
	}
	d.eventually("it is accounted for", func() bool { e := d.edition(2); return e.Eligible == 1 && e.Sent == 1 && e.Status == "finished" })
	if out := d.must("subscribers", "explain", "ann@example.org", "2"); !strings.Contains(out, "welcome of new readers with edition 1") || !strings.Contains(out, "sent on") {
		t.Errorf("explain:\n%s", out)
	}
	d.write("posts/two.md", "---\ntitle: Two\ndate: "+time.Now().UTC().Format(time.RFC3339)+"\n---\nNew.\n")
	d.eventually("the new post is there", func() bool { return strings.Contains(d.get("/feed.xml"), "<title>Two</title>") })
	d.must("send", "weekly", "--since", "2025-01-01", "--yes")
	if mails := d.mails("ann@example.org"); len(mails) != 3 || !strings.Contains(mails[2], "Subject: Two\r\n") {
		t.Errorf("%d mails, want a third with the new post alone", len(mails))
	}
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}
