package main

import (
	"strings"
	"testing"
)

const ownTemplates = captureConfig + "templates: {dir: own}\n"

// Own templates are taken over while the daemon runs; broken ones are not, and
// it says where they are broken.
func TestTemplatesAreReloaded(t *testing.T) {
	const notice, confirm = "own/web/feeds.html", "own/email/confirm.txt"
	d := prepare(t, ownTemplates, onePost)
	d.write(notice, `{{define "main"}}page one{{end}}`)
	d.write(confirm, "mail one {{.Confirm}}")
	d.start()
	if got := d.get("/feeds/"); !strings.Contains(got, "page one") {
		t.Fatalf("the daemon does not start with the user's page:\n%s", got)
	}
	d.write(confirm, "mail two {{.Confirm}}")
	d.write(notice, `{{define "main"}}page two{{end}}`)
	d.eventually("the new page is shown", func() bool { return strings.Contains(d.get("/feeds/"), "page two") })

	d.write(confirm, "mail three without a link")
	d.write(notice, "{{define \"main\"}}\n{{.Nonsense}}{{end}}")
	d.eventually("the faults are told", func() bool {
		return strings.Contains(d.logs.String(), "own/email/confirm.txt:1:1: the reader's link is missing") && strings.Contains(d.logs.String(), "own/web/feeds.html:2:3: there is no .Nonsense here")
	})
	if got := d.get("/feeds/"); !strings.Contains(got, "page two") {
		t.Errorf("the last good page does not stay:\n%s", got)
	}
	d.signUp("ann@example.org")
	d.eventually("the mail comes", func() bool { return len(d.mails("ann@example.org")) == 1 })
	if mail := d.mails("ann@example.org")[0]; !strings.Contains(mail, "mail two http") {
		t.Errorf("the mail is not of the last good template:\n%s", mail)
	}

	d.write(confirm, "mail four {{.Confirm}}")
	d.write(notice, `{{define "main"}}page four{{end}}`)
	d.eventually("mended, they are taken over", func() bool { return strings.Contains(d.get("/feeds/"), "page four") })
}
