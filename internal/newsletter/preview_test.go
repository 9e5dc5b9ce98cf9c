package newsletter_test

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/relay"
	"tidings/internal/relay/relaytest"
	"tidings/internal/store"
)

// varied enrols readers who differ in all that makes mails differ.
func (h *house) varied(frequency string) (emails []string) {
	h.t.Helper()
	for _, who := range []store.Subscriber{
		{Email: "plain@example.com"},
		{Email: "german@example.com", Language: "de", Timezone: "Europe/Berlin"},
		{Email: "text@example.com", Format: store.FormatText, Language: "ja", Timezone: "Asia/Tokyo"},
		{Email: "garden@example.com", Timezone: "America/New_York"},
	} {
		sub := store.Subscription{Frequency: frequency}
		if strings.HasPrefix(who.Email, "garden") {
			sub.Categories, sub.Hour = []string{"garden"}, "6"
		}
		h.enrol(who, sub)
		emails = append(emails, who.Email)
	}
	return emails
}

// differ are the parts in which a preview differs from the mail: when it is
// sent, its own name, the secrets in its links and where it is on the web.
var differ = []struct{ part, with string }{
	{`(?m)^Date: .*\r\n`, "Date\r\n"},
	{`(?m)^Message-ID: .*\r\n`, "Message-ID\r\n"},
	{`/(unsubscribe|preferences)/[\w.~-]+`, "/$1/TOKEN"},
	{`/newsletters/weekly/[a-z2-7]+/`, "/newsletters/weekly/NAME/"},
}

// alike is a message without what differs. Links are cut apart by soft line
// breaks, which move with the length of tokens.
func alike(eml []byte) string {
	s := strings.ReplaceAll(string(eml), "=\r\n", "")
	for _, d := range differ {
		s = regexp.MustCompile(d.part).ReplaceAllString(s, d.with)
	}
	return s
}

// What preview shows a reader is what a send mails them, and what is kept of it.
func TestPreviewIsTheMail(t *testing.T) {
	n := archived(newsletter.ArchivePublic)
	n.Subject, n.PostalAddress, n.ReplyTo = "{{.Newsletter}}: {{.Title}}", "Street 1\nTown", "re@example.org"
	h := newHouse(t, n)
	emails := h.varied("")
	h.publish("Beds 🌱 in spring", time.Now(), "garden")
	h.publish("Soup", time.Now(), "kitchen")
	r := newsletter.Request{Newsletter: n, Intro: "Hello *there*"}
	previews := map[string][]byte{}
	for _, email := range emails {
		g, err := h.Preview(t.Context(), r, email)
		if err != nil {
			t.Fatal(err)
		}
		who, err := h.Store.SubscriberByEmail(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		if previews[email], err = h.Rendered(g, n, email, who.ID); err != nil {
			t.Fatal(err)
		}
	}
	p, err := h.Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	srv := relaytest.Start(t, relaytest.Options{})
	out, err := relay.NewSMTP(relay.SMTPConfig{Host: "127.0.0.1", Port: srv.Port(), TLS: "none"})
	if err != nil {
		t.Fatal(err)
	}
	h.run(h.sender(out), h.finished(p.Edition.ID))
	if len(srv.Messages()) != len(emails) {
		t.Fatalf("%d mails", len(srv.Messages()))
	}
	bodies := map[string]bool{}
	for _, m := range srv.Messages() {
		got, want := alike(m.Data), alike(previews[m.To[0]])
		if got != want {
			t.Errorf("%s: preview\n%s\nmail\n%s", m.To[0], want, got)
		}
		bodies[got] = true
		kept, err := h.KeptMailTo(t.Context(), p.Edition, m.To[0])
		if err != nil || !bytes.Equal(kept, m.Data) {
			t.Errorf("%s: what is kept is not what was mailed: %v", m.To[0], err)
		}
	}
	if len(bodies) != len(emails) {
		t.Error("the readers do not differ")
	}
	whole, err := h.KeptMail(t.Context(), p.Edition)
	if err != nil || !bytes.Contains(whole, []byte("Soup")) || !bytes.Contains(whole, []byte("text/html")) {
		t.Errorf("the mail with the most posts: %v\n%s", err, whole)
	}
	if _, err := h.KeptMailTo(t.Context(), store.Edition{ID: p.Edition.ID + 1, Newsletter: n.Name}, emails[0]); err == nil {
		t.Error("a mail of an edition that there is not")
	}
}

// What a preview of the next run shows is what that run composes, to the byte,
// for readers of every cadence, zone, hour, language and format.
func TestNextMailIsTheRuns(t *testing.T) {
	for _, frequency := range store.Cadences {
		t.Run(frequency, func(t *testing.T) {
			n := scheduled(t, "0 8 * * *")
			n.Archive, n.Hour, n.Weekday, n.MonthDay = newsletter.ArchivePublic, 8, time.Monday, 5
			bubble(t, n, func(t *testing.T, h *house) {
				ctx := context.Background()
				if _, err := h.Store.SeeNewsletter(ctx, time.Now(), n.Name); err != nil {
					t.Fatal(err)
				}
				h.Settle = 10 * time.Minute
				emails := h.varied(frequency)
				h.delivered(time.Minute) // the cadences are known from here on
				h.publish("Beds", time.Now(), "garden")
				h.publish("Soup", time.Now(), "garden")
				f, err := h.Foresee(ctx, n, time.Now(), func(time.Time) (*catalog.Snapshot, error) { return h.posts(), nil })
				if err != nil {
					t.Fatal(err)
				}
				foretold := map[string]store.Group{}
				for _, email := range emails {
					g, run, err := f.NextMail(ctx, email)
					if err != nil {
						t.Fatalf("%s, run of %s: %v", email, run.Key, err)
					}
					foretold[email] = g
				}
				run, wait := h.attended, 48*time.Hour
				switch frequency {
				case store.CadenceEach:
					run, wait = h.delivered, time.Hour // no run to come is known
				case store.CadenceWeekly, store.CadenceMonthly:
					wait = 9 * 24 * time.Hour
				}
				got := run(wait)
				if len(got) != len(emails) {
					t.Fatalf("%d mails: %v", len(got), tell(got))
				}
				for _, m := range got {
					if want := foretold[m.email]; !bytes.Equal(want.Template, m.group.Template) || want.Subject != m.group.Subject || !want.Date.Equal(m.group.Date) {
						t.Errorf("%s: foretold %q of %s, got %q of %s", m.email, want.Subject, want.Date, m.group.Subject, m.group.Date)
					}
				}
			})
		})
	}
}

// A post whose file was changed a moment ago is in the preview, since a send
// waits for it; what waits is named.
func TestPreviewShowsUnsettledPosts(t *testing.T) {
	h := newHouse(t, weekly())
	email := h.readers(1, "")[0]
	h.Settle = time.Hour
	h.publish("Beds", time.Now())
	r := newsletter.Request{Newsletter: weekly()}
	for _, reader := range []string{email, ""} {
		if g, err := h.Preview(t.Context(), r, reader); err != nil || g.Subject != "Beds" {
			t.Errorf("preview for %q: %q, %v", reader, g.Subject, err)
		}
	}
	file, at, err := h.Settling(t.Context(), weekly(), time.Time{})
	if err != nil || file != "Beds.md" || at.Before(time.Now().Add(50*time.Minute)) {
		t.Errorf("waits for %q until %s, %v", file, at, err)
	}
	if p := h.plan(weekly()); p.Edition.Status != store.EditionSkipped {
		t.Errorf("an unsettled post was mailed: %+v", p.Edition)
	}
}

// One approval releases all waves of an edition; only a wave with other posts
// waits for another.
func TestApprovalOfWaves(t *testing.T) {
	n := scheduled(t, "0 8 * * *")
	n.Approve, n.Archive = true, newsletter.ArchivePublic
	bubble(t, n, func(t *testing.T, h *house) {
		ctx := context.Background()
		for i, zone := range []string{"Asia/Tokyo", "Europe/Berlin", "America/New_York"} {
			h.enrol(store.Subscriber{Email: fmt.Sprintf("r%d@example.com", i), Timezone: zone}, store.Subscription{})
		}
		h.delivered(time.Hour) // the zones are known
		h.publish("Beds", time.Now())
		if got := h.delivered(8 * time.Hour); len(got) != 0 { // Berlin's wave is due at seven
			t.Fatalf("mailed without approval: %v", tell(got))
		}
		e := h.lastEdition()
		if e.Status != store.EditionPlanned || e.Counts.Pending != 1 {
			t.Fatalf("what waits: %+v", e)
		}
		if eml, err := h.KeptMail(ctx, e); err != nil || !bytes.Contains(eml, []byte("Beds")) {
			t.Errorf("what waits cannot be looked at: %v", err)
		}
		if err := h.Store.ResumeEdition(ctx, time.Now(), e.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.deliver(); len(got) != 1 {
			t.Errorf("released: %v", tell(got))
		}
		if got := tell(h.delivered(6 * time.Hour)); len(got) != 1 || got[0] != "r2@example.com 01 13:00" {
			t.Errorf("New York's wave, with the same posts: %v", got)
		}
		h.publish("Soup", time.Now())
		if got := h.delivered(10 * time.Hour); len(got) != 0 { // Tokyo's of the next day
			t.Errorf("another edition, without approval: %v", tell(got))
		}
		// It expires while it waits: nobody gets it.
		waits := h.lastEdition()
		time.Sleep(h.Expires)
		if err := h.Store.ResumeEdition(ctx, time.Now(), waits.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.deliver(); len(got) != 0 {
			t.Errorf("expired, and mailed: %v", tell(got))
		}
		if e := h.edition(waits.ID); e.Counts.Failed != e.Counts.Eligible || e.Status != store.EditionFinished {
			t.Errorf("expired: %+v", e)
		}
	})
}

// lastEdition gives the newest one.
func (h *house) lastEdition() store.Edition {
	h.t.Helper()
	es, err := h.Store.ListEditions(context.Background(), "weekly", 1)
	if err != nil || len(es) == 0 {
		h.t.Fatalf("no edition: %v", err)
	}
	return es[0]
}
