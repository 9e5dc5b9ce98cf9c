package newsletter_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/internal/mail"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

func archived(who string) newsletter.Newsletter {
	n := weekly()
	n.Archive = who
	return n
}

// mailed sends an edition to everybody and gives each reader's mail.
func (h *house) mailed(id int64) map[string]mail.Content {
	h.t.Helper()
	srv := relaytest.Start(h.t, relaytest.Options{})
	out, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: srv.Port(), TLS: "none"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.run(h.sender(out), h.finished(id))
	mails := map[string]mail.Content{}
	for _, m := range srv.Messages() {
		c, err := mail.Read(m.Data)
		if err != nil {
			h.t.Fatal(err)
		}
		mails[m.To[0]] = c
	}
	return mails
}

// issue gives the page of an edition.
func (h *house) issue(name string) newsletter.IssuePage {
	h.t.Helper()
	p, err := h.Issue(context.Background(), "weekly", name)
	if err != nil {
		h.t.Fatalf("page of %s: %v", name, err)
	}
	return p
}

var (
	onWeb    = regexp.MustCompile(`https://news\.example\.org/newsletters/weekly/([a-z2-7]+)/`)
	personal = regexp.MustCompile(`/(unsubscribe|preferences)/[\w.~-]+`)
)

// webName gives the name under which a mail says it is on the web.
func webName(t *testing.T, m mail.Content) string {
	t.Helper()
	found := onWeb.FindStringSubmatch(m.HTML + m.Text)
	if found == nil {
		t.Fatalf("no link to the web in:\n%s", m.Text)
	}
	return found[1]
}

// Each mail leads to a page with exactly what it shows, but for the links that
// are its reader's own; they stay the same whatever becomes of the posts.
func TestIssueIsTheMail(t *testing.T) {
	h := newHouse(t, archived(newsletter.ArchivePublic))
	a := h.readers(1, "", "garden")[0]
	b := h.readers(1, "", "kitchen")[0]
	h.enrol(store.Subscriber{Email: "text@example.com", Format: store.FormatText}, store.Subscription{Categories: []string{"garden"}})
	h.publish("Beds", time.Now(), "garden")
	soup := h.publish("Soup", time.Now(), "kitchen")
	p := h.plan(h.Newsletters[0])
	if len(p.Groups) != 3 || len(p.Readers) != 3 {
		t.Fatalf("%d groups with readers, want 3", len(p.Groups))
	}
	if _, err := h.Issue(context.Background(), "weekly", fmt.Sprint(p.Edition.ID)); !errors.Is(err, newsletter.ErrIssue) {
		t.Errorf("an edition that nobody has got is on the web: %v", err)
	}
	mails := h.mailed(p.Edition.ID)
	check := func() {
		t.Helper()
		names := map[string]bool{}
		for _, to := range []string{a, b, "text@example.com"} {
			m := mails[to]
			name := webName(t, m)
			names[name] = true
			page := h.issue(name)
			if want := personal.ReplaceAllString(m.HTML, "/preferences"); string(page.HTML) != want || page.Canonical != p.Edition.ID {
				t.Errorf("%s: the page is not the mail:\n%s\n%s", to, page.HTML, want)
			}
			if want := personal.ReplaceAllString(m.Text, "/preferences"); string(page.Text) != want {
				t.Errorf("%s: the text is not the mail's:\n%s\n%s", to, page.Text, want)
			}
		}
		if len(names) != 3 {
			t.Errorf("three mails share pages: %v", names)
		}
		whole := string(h.issue(fmt.Sprint(p.Edition.ID)).HTML)
		if !strings.Contains(whole, "Beds") || !strings.Contains(whole, "Soup") {
			t.Errorf("the page of the edition lacks posts that no reader got together:\n%s", whole)
		}
	}
	check()
	before := string(h.issue(fmt.Sprint(p.Edition.ID)).HTML)
	soup.Title = "Another soup"
	h.snap.Entries = nil
	check()
	if after := string(h.issue(fmt.Sprint(p.Edition.ID)).HTML); after != before {
		t.Error("the page changed with the posts")
	}
	past, err := h.PastIssues(context.Background(), "weekly", 0, 10)
	if err != nil || past.Total != 1 || len(past.Issues) != 1 || past.Issues[0].Posts != 2 || len(past.Issues[0].Content) != 2 {
		t.Fatalf("past issues: %+v, %v", past, err)
	}
	if c := past.Issues[0].Content; c[0].Title+c[1].Title != "SoupBeds" || c[0].URL != "https://example.org/Soup/" {
		t.Errorf("posts of the issue: %+v", c)
	}
	for _, m := range mails {
		if m.Header.Get("List-Archive") != "<https://news.example.org/newsletters/weekly/>" {
			t.Errorf("List-Archive %q", m.Header.Get("List-Archive"))
		}
	}
}

// Where one group has all posts, the web shows it; nothing more is composed.
func TestIssueNeedsNoGroupOfItsOwn(t *testing.T) {
	h := newHouse(t, archived(newsletter.ArchivePublic))
	h.readers(2, "")
	h.readers(1, "", "garden")
	h.publish("Beds", time.Now(), "garden")
	h.publish("Soup", time.Now(), "kitchen")
	p := h.plan(h.Newsletters[0])
	groups, err := h.Store.EditionGroups(context.Background(), p.Edition.ID)
	if err != nil || len(groups) != 2 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
}

// An unlisted archive is there for whoever has a mail, and for nobody else.
func TestUnlistedArchive(t *testing.T) {
	h := newHouse(t, archived(newsletter.ArchiveUnlisted))
	a := h.readers(1, "")[0]
	h.publish("Beds", time.Now())
	p := h.plan(h.Newsletters[0])
	m := h.mailed(p.Edition.ID)[a]
	name := webName(t, m)
	if page := h.issue(name); page.Canonical != 0 || page.HTML == nil {
		t.Errorf("page %+v", page)
	}
	if m.Header.Get("List-Archive") != "" {
		t.Error("the mail leads to a list that there is not")
	}
	guesses := []string{fmt.Sprint(p.Edition.ID), "", "x", name[:len(name)-1], "7" + name[1:], h.Key.Tag("edition on the web", p.Edition.ID, 99), h.Key.Tag("edition on the web", 99, 0)}
	for _, guess := range guesses {
		if _, err := h.Issue(context.Background(), "weekly", guess); !errors.Is(err, newsletter.ErrIssue) {
			t.Errorf("%q: %v", guess, err)
		}
	}
	if _, err := h.PastIssues(context.Background(), "weekly", 0, 10); !errors.Is(err, newsletter.ErrIssue) {
		t.Errorf("it is listed: %v", err)
	}
	h.Newsletters[0].Archive = ""
	if _, err := h.Issue(context.Background(), "weekly", name); !errors.Is(err, newsletter.ErrIssue) {
		t.Errorf("it is there although the archive is off: %v", err)
	}
}

// A mail of a newsletter without an archive leads nowhere, and is sent as one
// that was frozen before mails led anywhere.
func TestNoArchive(t *testing.T) {
	h := newHouse(t, weekly())
	a := h.readers(1, "")[0]
	h.publish("Beds", time.Now())
	p := h.plan(h.Newsletters[0])
	groups, err := h.Store.EditionGroups(context.Background(), p.Edition.ID)
	if err != nil || len(groups) != 1 || groups[0].Web {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	if m := h.mailed(p.Edition.ID)[a]; strings.Contains(m.HTML+m.Text, "/newsletters/") {
		t.Errorf("the mail leads to the web:\n%s", m.Text)
	}
}

// An edition of one newsletter is not found at another's address.
func TestIssueOfAnotherNewsletter(t *testing.T) {
	other := archived(newsletter.ArchivePublic)
	other.Name = "other"
	h := newHouse(t, archived(newsletter.ArchivePublic), other)
	a := h.readers(1, "weekly")[0]
	h.publish("Beds", time.Now())
	p := h.plan(h.Newsletters[0])
	name := webName(t, h.mailed(p.Edition.ID)[a])
	for _, n := range []string{name, fmt.Sprint(p.Edition.ID)} {
		h.issue(n)
		for _, letter := range []string{"other", "none", ""} {
			if _, err := h.Issue(context.Background(), letter, n); !errors.Is(err, newsletter.ErrIssue) {
				t.Errorf("%s at %q: %v", n, letter, err)
			}
		}
	}
}
