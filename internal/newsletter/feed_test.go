package newsletter_test

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/store"
	"tidings/internal/term"
)

// withTerms gives the snapshot of entries that have categories and tags.
func withTerms(entries []*catalog.Entry) *catalog.Snapshot {
	snap := &catalog.Snapshot{Entries: entries}
	file := func(list *[]*catalog.Term, kind catalog.Kind, names []string, e *catalog.Entry) {
		for _, name := range names {
			i := slices.IndexFunc(*list, func(t *catalog.Term) bool { return t.Key == term.Key(name) })
			if i < 0 {
				i = len(*list)
				*list = append(*list, &catalog.Term{Kind: kind, Key: term.Key(name), Name: name, Slug: term.Slug(name)})
			}
			(*list)[i].Entries = append((*list)[i].Entries, e)
		}
	}
	for _, e := range entries {
		file(&snap.Categories, catalog.Category, e.Categories, e)
		file(&snap.Tags, catalog.Tag, e.Tags, e)
	}
	return snap
}

// feedTag is the secret part of a private feed's address.
func feedTag(address string) string { return path.Base(strings.TrimSuffix(address, "/")) }

// TestWhatIsMailedIsWhatTheFeedShows: for whatever topics a newsletter and its
// reader have, the mail of a reader who has got nothing yet holds the posts of
// their private feed, in its order.
func TestWhatIsMailedIsWhatTheFeedShows(t *testing.T) {
	h := newHouse(t, weekly())
	names := []string{"Go", "C++", "Open Science", "日本語"}
	for i := range 16 { // every set of two categories and two tags
		var cs, ts []string
		for bit, name := range names {
			switch {
			case i>>bit&1 == 0:
			case bit < 2:
				cs = append(cs, name)
			default:
				ts = append(ts, strings.ToUpper(name))
			}
		}
		e := h.publish(fmt.Sprint(i), time.Now().Add(-time.Duration(i)*time.Millisecond), cs...)
		e.Tags = ts
	}
	h.snap = withTerms(h.snap.Entries)
	reader := 0
	rapid.Check(t, func(t *rapid.T) {
		some := func(label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(append(names, "unknown")), 0, 3, rapid.ID).Draw(t, label)
		}
		n := weekly()
		n.Topics = newsletter.NewTopics(some("categories of the newsletter"), some("tags of the newsletter"))
		h.Newsletters = []newsletter.Newsletter{n}
		own := newsletter.NewTopics(some("categories of the reader"), some("tags of the reader"))
		reader++
		email := fmt.Sprintf("reader%d@example.com", reader)
		who := h.subscriber(email, store.Subscription{Newsletter: "weekly", Categories: own.Categories, Tags: own.Tags})
		address, err := h.RenewFeed(t.Context(), who.ID)
		if err != nil {
			t.Fatal(err)
		}
		f, err := h.Feed(t.Context(), feedTag(address))
		if err != nil {
			t.Fatal(err)
		}
		var want []int64
		for _, e := range h.snap.Select(f.By...) {
			want = append(want, e.PostID)
		}
		g, err := h.Preview(t.Context(), newsletter.Request{Newsletter: n}, email)
		if err != nil && len(want) > 0 {
			t.Fatal(err)
		}
		if !slices.Equal(g.PostIDs, want) {
			t.Fatalf("mailed are %v, the feed shows %v", g.PostIDs, want)
		}
	})
}

// subscriber gives a person with an active subscription.
func (h *house) subscriber(email string, sub store.Subscription) store.Subscriber {
	h.t.Helper()
	key, err := h.SuppressionKey(email)
	if err != nil {
		h.t.Fatal(err)
	}
	sub.Status = store.StatusActive
	row := store.ImportRow{Line: 1, Subscriber: store.Subscriber{Email: email, Key: key, Subscriptions: []store.Subscription{sub}}}
	if _, err := h.Store.ImportSubscribers(h.t.Context(), time.Now(), []store.ImportRow{row}, false); err != nil {
		h.t.Fatal(err)
	}
	who, err := h.Store.SubscriberByEmail(h.t.Context(), email)
	if err != nil {
		h.t.Fatal(err)
	}
	return who
}

func TestPrivateFeed(t *testing.T) {
	h := newHouse(t, weekly())
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly", Tags: []string{"go"}})
	if got := h.PrivateFeed(who); got != "" {
		t.Fatalf("a feed that nobody asked for: %s", got)
	}
	renew := func() string {
		t.Helper()
		address, err := h.RenewFeed(t.Context(), who.ID)
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	works := func(address string) bool {
		t.Helper()
		_, err := h.Feed(t.Context(), feedTag(address))
		if err != nil && !errors.Is(err, newsletter.ErrToken) {
			t.Fatal(err)
		}
		return err == nil
	}
	first := renew()
	if !strings.HasPrefix(first, "https://news.example.org/feeds/private/") || !works(first) {
		t.Fatalf("%s does not work", first)
	}
	now, err := h.Store.Subscriber(t.Context(), who.ID)
	if err != nil || h.PrivateFeed(now) != first {
		t.Errorf("the address is shown as %s, not %s: %v", h.PrivateFeed(now), first, err)
	}
	second := renew()
	if works(first) || !works(second) {
		t.Error("a new address does not end the former one")
	}
	if err := h.RevokeFeed(t.Context(), who.ID); err != nil || works(second) {
		t.Errorf("revoked, but it works: %v", err)
	}
	third := renew()
	if works(first) || works(second) || !works(third) {
		t.Error("an address that ended works again")
	}
	if works(strings.Replace(third, feedTag(third), "aaaaaaaaaaaaaaaa", 1)) || works(strings.TrimSuffix(third, "/")+"a/") {
		t.Error("an address that was made up works")
	}
	if err := h.Store.Unsubscribe(t.Context(), time.Now(), who.ID, "weekly"); err != nil || works(third) {
		t.Errorf("it works for who has left: %v", err)
	}
	if err := h.Store.EraseSubscriber(t.Context(), time.Now(), who.ID); err != nil || works(third) {
		t.Errorf("it works for who was erased: %v", err)
	}
}
