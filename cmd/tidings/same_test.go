package main

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/mail"
)

const sameConfig = `
site: {title: Field Notes, url: "http://localhost:%[1]d", languages: [de, ar]}
posts: {dir: posts, settle: 0s}
newsletters: {weekly: {title: Weekly digest, postal_address: "Street 1\nTown"}}
http: {listen: "127.0.0.1:%[1]d"}
`

var samePosts = map[string]string{
	"bed.md":   "---\ntitle: \"Raised beds 🌱 & <more>\"\ndate: %s\ncategories: [Garden]\ntags: [wood]\nimage: /bed.png\n---\nTimber.\n",
	"soup.md":  "---\ntitle: Soup\ndate: %s\ncategories: [Kitchen]\n---\nLeeks.\n",
	"rtl.md":   "---\ntitle: كيف تبني حوضاً\ndate: %s\ncategories: [Garden]\nlanguage: ar\n---\nالخشب والتربة.\n",
	"held.md":  "---\ntitle: Held\ndate: %s\nhold: true\n---\nNot yet.\n",
	"pins.md":  "---\ntitle: Pinned\ndate: %s\npin: true\ncategories: [Kitchen, Garden]\n---\nFirst.\n",
	"plain.md": "---\ntitle: Plain\ndate: %s\n---\nWords.\n",
}

// sameReaders differ in all that makes mails differ.
const sameReaders = `email,categories,language,format,timezone
all@example.com,,,,
german@example.com,,de,,Europe/Berlin
arab@example.com,,ar,,Africa/Cairo
garden@example.com,Garden,,,America/New_York
text@example.com,Kitchen,,text,Asia/Tokyo
none@example.com,Sport,,,
`

// TestOneMailEverywhere compares, for readers who differ, what plan tells, what
// preview and a test copy show, what is mailed, what is kept and what is on the
// web: it is one mail.
func TestOneMailEverywhere(t *testing.T) {
	t.Parallel()
	posts := map[string]string{}
	for name, text := range samePosts {
		posts[name] = fmt.Sprintf(text, time.Now().UTC().Add(-time.Hour).Format(time.RFC3339))
	}
	d := serve(t, sameConfig, posts)
	d.write("people.csv", sameReaders)
	d.must("subscribers", "import", "people.csv", "--confirmed")
	send := []string{"--since", "2025-01-01"}
	var plan planJSON
	if err := json.Unmarshal([]byte(d.must(append([]string{"plan", "weekly", "--json"}, send...)...)), &plan); err != nil {
		t.Fatal(err)
	}
	emails := []string{"all", "german", "arab", "garden", "text"}
	previews := map[string]string{}
	for _, who := range emails {
		previews[who] = d.must(append([]string{"preview", "weekly", "--for", who + "@example.com", "--format", "eml"}, send...)...)
	}
	dry := d.must(append([]string{"send", "weekly", "--dry-run", "--json"}, send...)...)
	d.must(append([]string{"send", "weekly", "--yes"}, send...)...)

	var mailed []string // subjects
	for _, who := range emails {
		got := d.captured(who + "@example.com")
		if len(got) != 1 {
			t.Fatalf("%s has %d mails", who, len(got))
		}
		if a, b := sameMail(previews[who]), sameMail(string(got[0])); a != b {
			t.Errorf("%s: preview\n%s\nmail\n%s", who, a, b)
		}
		if kept := d.must("editions", "show", "1", "--format", "eml", "--for", who+"@example.com"); kept != string(got[0]) {
			t.Errorf("%s: kept\n%s\nmailed\n%s", who, kept, got[0])
		}
		m, err := mail.Read(got[0])
		if err != nil {
			t.Fatal(err)
		}
		mailed = append(mailed, m.Header.Get("Subject"))
		d.sameOnWeb(who, m)
	}
	slices.Sort(mailed)
	if planned := plan.subjects(); !slices.Equal(planned, mailed) {
		t.Errorf("plan tells of %q, mailed were %q", planned, mailed)
	}
	var dryRun planJSON
	if err := json.Unmarshal([]byte(dry), &dryRun); err != nil || !slices.Equal(dryRun.subjects(), mailed) {
		t.Errorf("--dry-run tells of %q, %v", dryRun.subjects(), err)
	}
	if e := d.edition(1); e.Sent != plan.Pending || e.Empty != plan.Empty || e.Posts != plan.Posts || e.Sent != len(emails) {
		t.Errorf("planned %+v\nsent %+v", plan.editionJSON, e)
	}
	if len(plan.Excluded) != 1 || plan.Excluded[0].Title != "Held" {
		t.Errorf("left out: %+v", plan.Excluded)
	}
	d.sameList(plan)
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// subjects gives the subject of each reader's mail, in order.
func (p planJSON) subjects() (all []string) {
	for _, g := range p.Groups {
		all = append(all, slices.Repeat([]string{g.Subject}, g.Readers)...)
	}
	slices.Sort(all)
	return all
}

// sameParts are what a preview cannot know.
var sameParts = []struct {
	part *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?m)^(Date|Message-ID): .*\r\n`), "$1\r\n"},
	{regexp.MustCompile(`/(unsubscribe|preferences)/[\w.~-]+`), "/$1/TOKEN"},
	{regexp.MustCompile(`/newsletters/weekly/[a-z2-7]+/`), "/newsletters/weekly/NAME/"},
}

// sameMail is a message without what differs, and with what it splits joined.
func sameMail(eml string) string {
	s := strings.ReplaceAll(eml, "=\r\n", "")
	for _, d := range sameParts {
		s = d.part.ReplaceAllString(s, d.with)
	}
	return s
}

var (
	webPage     = regexp.MustCompile(`http://localhost:\d+(/newsletters/weekly/[a-z2-7]+/)`)
	ownPages    = regexp.MustCompile(`/(?:unsubscribe|preferences)/[\w.~-]+`)
	issueTitles = regexp.MustCompile(`(?s)<li><bdi>(.*?)</bdi></li>`)
)

// sameOnWeb opens the page that a mail leads to.
func (d *running) sameOnWeb(who string, m mail.Content) {
	d.t.Helper()
	shown := m.HTML
	if who == "text" {
		shown = m.Text
	}
	link := webPage.FindStringSubmatch(shown)
	if link == nil {
		d.t.Errorf("%s: no link to the web", who)
		return
	}
	if page, want := d.get(link[1]), ownPages.ReplaceAllString(shown, "/preferences"); page != want {
		d.t.Errorf("%s: the page\n%s\nthe mail\n%s", who, page, want)
	}
}

// sameList looks at the list of past editions, and the page that it leads to.
func (d *running) sameList(plan planJSON) {
	d.t.Helper()
	list := d.get("/newsletters/weekly/")
	var listed, planned []string
	for _, m := range issueTitles.FindAllStringSubmatch(list, -1) {
		listed = append(listed, html.UnescapeString(m[1]))
	}
	for _, p := range plan.Included {
		planned = append(planned, p.Title)
	}
	slices.Sort(listed)
	slices.Sort(planned)
	if !slices.Equal(listed, planned) {
		d.t.Errorf("the list shows %q, planned were %q", listed, planned)
	}
	page := html.UnescapeString(d.get("/newsletters/weekly/1/"))
	for _, title := range planned {
		if !strings.Contains(page, title) {
			d.t.Errorf("the page of the edition lacks %q", title)
		}
	}
}
