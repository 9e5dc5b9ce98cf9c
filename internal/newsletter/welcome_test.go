package newsletter_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/mail"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/store"
)

func welcoming(t *testing.T) newsletter.Newsletter {
	n := scheduled(t, "0 8 * * *")
	n.Welcome, n.Archive = true, newsletter.ArchivePublic
	return n
}

// joins signs somebody up and confirms it.
func (h *house) joins(name string, sub store.Subscription) int64 {
	h.t.Helper()
	ctx, now := context.Background(), h.Clock.Now()
	p := store.Subscriber{Email: name + "@example.com", Key: "key of " + name + "@example.com"}
	sub.Newsletter = "weekly"
	p.Subscriptions = []store.Subscription{sub}
	if _, err := h.Store.QueueSignUp(ctx, now, store.SignUp{Subscriber: p, Mailbox: p.Email}, store.SignUpLimits{PerMailbox: 9, All: 999}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Store.ApplySignUps(ctx, now, 9); err != nil {
		h.t.Fatal(err)
	}
	who, err := h.Store.SubscriberByEmail(ctx, p.Email)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Store.Confirm(ctx, now, who.ID, "weekly"); err != nil {
		h.t.Fatal(err)
	}
	return who.ID
}

// came lists who got which posts, by cadence.
func (h *house) came(got []receipt) (list []string) {
	for _, r := range got {
		name, _, _ := strings.Cut(r.email, "@")
		list = append(list, fmt.Sprint(name, " ", r.edition.Cadence, " ", h.titles(r.group.PostIDs)))
	}
	slices.Sort(list)
	return list
}

// TestWelcome: whoever confirms gets what the latest edition has for them, and
// none of it again; the next edition brings what is new.
func TestWelcome(t *testing.T) {
	n := welcoming(t)
	bubble(t, n, func(t *testing.T, h *house) {
		h.SeeNow(t)
		h.joins("first", store.Subscription{}) // before there was any edition
		if got := h.came(h.delivered(time.Hour)); got != nil {
			t.Errorf("welcomed with nothing: %q", got)
		}
		h.publish("beds", time.Now(), "garden")
		h.publish("soup", time.Now(), "kitchen")
		if got, want := h.came(h.delivered(8*time.Hour)), []string{"first schedule [beds soup]"}; !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		h.enrol(store.Subscriber{Email: "imported@example.com"}, store.Subscription{})
		h.joins("all", store.Subscription{})
		h.joins("cook", store.Subscription{Categories: []string{"kitchen"}})
		h.joins("none", store.Subscription{Categories: []string{"sport"}})
		h.joins("daily", store.Subscription{Frequency: store.CadenceDaily, Hour: "20"})
		h.expect("all", 0, "comes 2")
		if a := h.explain("all@example.com", 0).Answers[0]; a.Reason != "welcome" || a.Cadence != store.CadenceWelcome {
			t.Errorf("before the welcome: %+v", a)
		}
		want := []string{"all welcome [beds soup]", "cook welcome [soup]", "daily welcome [beds soup]"}
		if got := h.came(h.delivered(time.Minute)); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		id := h.lastOf(store.CadenceWelcome)
		if e := h.edition(id); e.Counts != (store.Counts{Eligible: 4, Sent: 3, Empty: 1}) || e.Slot != fmt.Sprintf("edition-%d", h.lastOf(store.CadenceSchedule)) {
			t.Errorf("%+v", e)
		}
		h.expect("cook", id, "sent sent 1")
		h.expect("none", id, "empty no_post")
		h.expect("first", id, "left_out not_new")
		h.expect("imported", id, "left_out not_new")

		h.publish("news", time.Now(), "garden")
		want = []string{"all schedule [news]", "daily daily [news]", "first schedule [news]", "imported schedule [news beds soup]"}
		if got := h.came(h.delivered(24 * time.Hour)); !slices.Equal(got, want) {
			t.Errorf("the next day\n got %q\nwant %q", got, want)
		}
		issues, err := h.PastIssues(t.Context(), "weekly", 0, 9)
		if err != nil || issues.Total != 2 {
			t.Errorf("the archive lists %d editions, %v", issues.Total, err)
		}
	})
}

// SeeNow has the newsletters be seen first.
func (h *house) SeeNow(t *testing.T) {
	for _, n := range h.Newsletters {
		if _, err := h.Store.SeeNewsletter(t.Context(), time.Now(), n.Name); err != nil {
			t.Fatal(err)
		}
	}
}

// issued is a house with one reader, who has got an edition of posts.
func (h *house) issued(t *testing.T, titles ...string) (es []*catalog.Entry) {
	h.SeeNow(t)
	h.enrol(store.Subscriber{Email: "reader@example.com"}, store.Subscription{})
	for _, title := range titles {
		es = append(es, h.publish(title, time.Now()))
	}
	if got := h.delivered(9 * time.Hour); len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	return es
}

// TestWelcomeLeavesOut: what is held, gone or to settle is not mailed, however
// old it is may; there is a record of it all.
func TestWelcomeLeavesOut(t *testing.T) {
	n := welcoming(t)
	bubble(t, n, func(t *testing.T, h *house) {
		h.Settle = 30 * time.Second
		es := h.issued(t, "kept", "held")
		time.Sleep(3 * n.MaxPostAge)
		h.change(es[1], func(e *catalog.Entry) { e.Announce = post.Hold })
		edited := h.change(es[0], func(e *catalog.Entry) { e.Changed = time.Now() })
		h.joins("a", store.Subscription{})
		if got := h.came(h.delivered(20 * time.Second)); got != nil {
			t.Errorf("a post that has not settled was mailed: %q", got)
		}
		if got, want := h.came(h.delivered(20*time.Second)), []string{"a welcome [kept]"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		h.change(edited, func(e *catalog.Entry) { e.Announce = post.Hold })
		h.joins("b", store.Subscription{})
		if got := h.came(h.delivered(time.Minute)); got != nil {
			t.Errorf("held posts were mailed: %q", got)
		}
		if e := h.edition(h.lastOf(store.CadenceWelcome)); e.Counts != (store.Counts{Eligible: 2, Sent: 1, Empty: 1}) {
			t.Errorf("%+v", e)
		}
	})
}

// TestWelcomeObeys: quiet hours, leaving, pausing and suppression hold for it;
// approval was given before; without the key nobody is welcomed.
func TestWelcomeObeys(t *testing.T) {
	n := welcoming(t)
	n.QuietHours, n.Approve = "10-12", true
	bubble(t, n, func(t *testing.T, h *house) {
		h.SeeNow(t)
		h.enrol(store.Subscriber{Email: "reader@example.com"}, store.Subscription{})
		h.publish("one", time.Now())
		h.delivered(9 * time.Hour)
		mustDo(t, h.Store.ResumeEdition(t.Context(), time.Now(), h.lastOf(store.CadenceSchedule)))
		h.deliver()
		time.Sleep(time.Hour + time.Minute) // 10:01
		h.joins("waits", store.Subscription{})
		gone := h.joins("gone", store.Subscription{})
		h.joins("pauses", store.Subscription{PausedUntil: time.Now().Add(240 * time.Hour)})
		if got := h.came(h.delivered(time.Minute)); got != nil {
			t.Errorf("in quiet hours: %q", got)
		}
		id := h.lastOf(store.CadenceWelcome)
		h.expect("waits", id, "pending held 1")
		mustDo(t, h.Store.Unsubscribe(t.Context(), time.Now(), gone, "weekly"))
		if got, want := h.came(h.delivered(2*time.Hour)), []string{"waits welcome [one]"}; !slices.Equal(got, want) {
			t.Errorf("after them: %q, want %q", got, want)
		}
		if e := h.edition(id); e.Counts != (store.Counts{Eligible: 2, Sent: 1, Suppressed: 1}) || e.Status != store.EditionFinished {
			t.Errorf("%+v", e)
		}
		h.Newsletters[0].Welcome = false
		h.joins("later", store.Subscription{})
		if got := h.came(h.delivered(time.Hour)); got != nil {
			t.Errorf("without the key: %q", got)
		}
	})
}

// TestWelcomeIsAsPreviewed compares a preview with the mail, and the mail with
// the page that it leads to.
func TestWelcomeIsAsPreviewed(t *testing.T) {
	h := newHouse(t, archived(newsletter.ArchivePublic))
	h.Newsletters[0].Welcome = true
	h.readers(1, "")
	h.publish("one", time.Now(), "garden")
	h.publish("two", time.Now(), "kitchen")
	h.mailed(h.plan(h.Newsletters[0]).Edition.ID)
	h.joins("new", store.Subscription{Categories: []string{"garden"}})
	g, err := h.PreviewWelcome(t.Context(), h.Newsletters[0], "new@example.com")
	if err != nil {
		t.Fatal(err)
	}
	p, ok, _, err := h.Welcome(t.Context(), h.Newsletters[0])
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	got := h.mailed(p.Edition.ID)["new@example.com"]
	raw, err := h.Rendered(g, h.Newsletters[0], "new@example.com", 0)
	if err != nil {
		t.Fatal(err)
	}
	foreseen, err := mail.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(html string) string {
		return onWeb.ReplaceAllString(personal.ReplaceAllString(html, "/$1"), "/web/")
	}
	if !strings.Contains(got.Text, "Welcome! This is the latest edition of Weekly.") || strings.Contains(got.Text, "two") {
		t.Errorf("the mail:\n%s", got.Text)
	}
	if g.Subject != p.Groups[0].Subject || plain(foreseen.HTML) != plain(got.HTML) {
		t.Errorf("foreseen:\n%s\ngot:\n%s", foreseen.HTML, got.HTML)
	}
	page := h.issue(webName(t, got))
	if string(page.HTML) != personal.ReplaceAllString(got.HTML, "/preferences") {
		t.Error("the page is not the mail")
	}
	if g, err := h.PreviewWelcome(t.Context(), h.Newsletters[0], ""); err != nil || len(g.PostIDs) != 2 {
		t.Errorf("for everybody: %d posts, %v", len(g.PostIDs), err)
	}
	if _, err := h.PreviewWelcome(t.Context(), h.Newsletters[0], "new@example.com"); err == nil {
		t.Error("they have it already")
	}
}
