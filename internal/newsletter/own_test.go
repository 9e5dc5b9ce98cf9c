package newsletter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/internal/newsletter"
	"tidings/internal/store"
	"tidings/internal/token"
)

// leave is the token of the links in every mail.
func (h *house) leave(subscriber int64) string {
	return h.Key.Sign(token.Claim{Purpose: "unsubscribe", Subscriber: subscriber, Newsletter: "weekly"})
}

// fresh is the token of a link that was mailed to a person just now.
func (h *house) fresh(who store.Subscriber) string {
	return h.Key.Sign(token.Claim{Purpose: "preferences", Subscriber: who.ID, Newsletter: who.Key, Expires: h.Clock.Now().Add(24 * time.Hour)})
}

func TestPreferences(t *testing.T) {
	daily := weekly()
	daily.Name, daily.Title = "daily", "Daily"
	h := newHouse(t, weekly(), daily)
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly", Tags: []string{"go"}})
	tok := h.leave(who.ID)
	p, err := h.Person(t.Context(), tok)
	if err != nil {
		t.Fatal(err)
	}
	if p.Email != "a…@example.com" || p.Fresh || len(p.Letters) != 2 || !p.Letters[0].On || p.Letters[1].On || !slices.Equal(p.Letters[0].Tags, []string{"go"}) {
		t.Fatalf("%+v", p)
	}
	day := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	want := newsletter.Choices{
		Language: "de", Timezone: "Europe/Berlin", Format: store.FormatText, QuietFrom: "22", QuietTo: "7", PauseUntil: day,
		Letters: map[string]newsletter.LetterChoice{
			"weekly": {}, "daily": {On: true, Categories: []string{"DevOps"}, Frequency: "daily", Hour: "6"},
		},
	}
	if err := h.SetPreferences(t.Context(), tok, want); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("more, by a link of an old mail: %v", err)
	}
	if err := h.SetPreferences(t.Context(), h.fresh(who), want); err != nil {
		t.Fatal(err)
	}
	p, err = h.Person(t.Context(), tok)
	if err != nil {
		t.Fatal(err)
	}
	l := p.Letters[1]
	if p.Letters[0].On || !l.On || l.Frequency != "daily" || l.Hour != "6" || !slices.Equal(l.Categories, []string{"devops"}) {
		t.Errorf("%+v", p.Letters)
	}
	if p.Language != "de" || p.Timezone != "Europe/Berlin" || p.Format != store.FormatText || p.QuietHours != "22-7" || p.PausedUntil.Format(time.DateOnly) != day {
		t.Errorf("%+v", p)
	}

	for field, change := range map[string]func(*newsletter.Choices){
		newsletter.FieldZone:   func(c *newsletter.Choices) { c.Timezone = "Europe/Nowhere" },
		newsletter.FieldFormat: func(c *newsletter.Choices) { c.Format = "pdf" },
		newsletter.FieldQuiet:  func(c *newsletter.Choices) { c.QuietTo = "22" },
		newsletter.FieldPause:  func(c *newsletter.Choices) { c.PauseUntil = "2020-01-01" },
		newsletter.Of(newsletter.FieldHour, "daily"): func(c *newsletter.Choices) {
			c.Letters = map[string]newsletter.LetterChoice{"daily": {On: true, Frequency: "daily", Hour: "24"}}
		},
		newsletter.Of(newsletter.FieldFrequency, "daily"): func(c *newsletter.Choices) {
			c.Letters = map[string]newsletter.LetterChoice{"daily": {On: true, Frequency: "hourly"}}
		},
	} {
		wrong := want
		change(&wrong)
		faults, ok := errors.AsType[newsletter.FieldErrors](h.SetPreferences(t.Context(), tok, wrong))
		if !ok || len(faults) != 1 || faults[field] == nil {
			t.Errorf("%s: %v", field, faults)
		}
	}
	if _, err := h.Person(t.Context(), "forged"); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("a forged token: %v", err)
	}
}

// TestAFrequencyThatIsNotOfferedAnyMore is left as it is by who saves their page.
func TestAFrequencyThatIsNotOfferedAnyMore(t *testing.T) {
	n := weekly()
	n.Frequencies = []string{"daily", "weekly"}
	h := newHouse(t, n)
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly", Frequency: "monthly"})
	tok := h.leave(who.ID)
	p, err := h.Person(t.Context(), tok)
	if err != nil || p.Letters[0].Frequency != store.CadenceSchedule || !slices.Equal(p.Letters[0].Offers, []string{"schedule", "daily", "weekly"}) {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, step := range []struct {
		frequency string
		ok        bool
	}{{"schedule", true}, {"monthly", false}, {"daily", true}, {"schedule", false}} { // which was left, and is not offered
		err := h.SetPreferences(t.Context(), tok, newsletter.Choices{Letters: map[string]newsletter.LetterChoice{"weekly": {On: true, Frequency: step.frequency}}})
		if (err == nil) != step.ok {
			t.Errorf("%s: %v", step.frequency, err)
		}
	}
}

// TestSensitiveActsNeedAFreshLink: a mail that is passed on must not give the
// address away.
func TestSensitiveActsNeedAFreshLink(t *testing.T) {
	h := newHouse(t, weekly())
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly"})
	old := h.leave(who.ID)
	if _, err := h.Export(t.Context(), old); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("export: %v", err)
	}
	if err := h.Erase(t.Context(), old); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("erase: %v", err)
	}
	if err := h.AskAddress(t.Context(), old, "b@example.com"); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("another address: %v", err)
	}
	if err := h.SwitchFeed(t.Context(), old, true); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("a private feed: %v", err)
	}
	if err := h.SwitchFeed(t.Context(), h.fresh(who), true); err != nil {
		t.Fatal(err)
	}
	if p, err := h.Person(t.Context(), old); err != nil || !p.HasFeed || p.Feed != "" {
		t.Errorf("it shows where the private feed is: %+v, %v", p, err)
	}
	if p, err := h.Person(t.Context(), h.fresh(who)); err != nil || p.Feed == "" {
		t.Errorf("a fresh link does not show it: %+v, %v", p, err)
	}
	if err := h.SwitchFeed(t.Context(), old, false); err != nil {
		t.Errorf("to end it: %v", err)
	}
	if err := h.Unsubscribe(t.Context(), old, false); err != nil {
		t.Fatal(err)
	}
	back := newsletter.Choices{Letters: map[string]newsletter.LetterChoice{"weekly": {On: true}}}
	if err := h.SetPreferences(t.Context(), old, back); !errors.Is(err, newsletter.ErrFresh) {
		t.Errorf("back to what was left: %v", err)
	}
}

// TestAStrangersMoveIsStopped: whoever had a link of somebody else's cannot take
// their subscription away once they have said that it was not them.
func TestAStrangersMoveIsStopped(t *testing.T) {
	for name, stop := range map[string]func(h *house, tok string) error{
		"not me": func(h *house, tok string) error { _, err := h.KeepAddress(t.Context(), tok); return err },
		"leave":  func(h *house, tok string) error { _, err := h.LeaveAll(t.Context(), tok); return err },
		"erase":  func(h *house, tok string) error { return h.Erase(t.Context(), tok) },
	} {
		h := newHouse(t, weekly())
		who := h.subscriber("gus@example.com", store.Subscription{Newsletter: "weekly"})
		link := h.fresh(who)
		for i := range 3 {
			if err := h.AskAddress(t.Context(), link, fmt.Sprintf("evil%d@example.org", i)); err != nil {
				t.Fatal(err)
			}
		}
		r := newFakeRelay(nil)
		h.letters(r, 4)
		confirm := tokenIn(t, r.got("evil2@example.org")[0])
		if p, err := h.NextAddress(t.Context(), confirm); err != nil || p.Email != "g…@example.com" {
			t.Errorf("%s: whose address it is, is told: %+v, %v", name, p, err)
		}
		if err := stop(h, tokenIn(t, r.got("gus@example.com")[0])); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := h.MoveAddress(t.Context(), confirm); !errors.Is(err, newsletter.ErrToken) {
			t.Errorf("%s: moved all the same: %v", name, err)
		}
		if name != "not me" {
			continue
		}
		if err := h.AskAddress(t.Context(), link, "evil3@example.org"); !errors.Is(err, newsletter.ErrToken) {
			t.Errorf("the stranger's link still works: %v", err)
		}
		own := h.Key.Sign(token.Claim{Purpose: "preferences", Subscriber: who.ID, Newsletter: who.Key, Expires: h.Clock.Now().Add(24*time.Hour + 2*time.Second)})
		if err := h.AskAddress(t.Context(), own, "gus2@example.com"); err != nil {
			t.Fatal(err)
		}
		if p, err := h.Person(t.Context(), own); err != nil || p.NextEmail != "gus2@example.com" {
			t.Errorf("the stranger has used up what the owner may ask for: %+v, %v", p, err)
		}
	}
}

// TestAMoveEnds, when nobody confirms it in time.
func TestAMoveEnds(t *testing.T) {
	h := newHouse(t, weekly())
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly"})
	if err := h.AskAddress(t.Context(), h.fresh(who), "b@example.org"); err != nil {
		t.Fatal(err)
	}
	for days, next := range []string{0: "b@example.org", 8: ""} {
		if days != 0 && days != 8 {
			continue
		}
		if err := h.Store.ForgetMoves(t.Context(), h.Clock.Now().AddDate(0, 0, days-7)); err != nil {
			t.Fatal(err)
		}
		if p, err := h.Store.Subscriber(t.Context(), who.ID); err != nil || p.NextEmail != next {
			t.Errorf("after %d days: %+v, %v", days, p, err)
		}
	}
}

// TestLeavingEverythingIsTakenBack, with what was left by the same link before;
// from one's own page too.
func TestLeavingEverythingIsTakenBack(t *testing.T) {
	h := newHouse(t, weekly(), named("daily"), named("monthly"))
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly"})
	var more newsletter.Choices
	more.Letters = map[string]newsletter.LetterChoice{"daily": {On: true}, "monthly": {On: true}}
	if err := h.SetPreferences(t.Context(), h.fresh(who), more); err != nil {
		t.Fatal(err)
	}
	tok := h.leave(who.ID)
	active := func() (names []string) {
		now, err := h.Store.Subscriber(t.Context(), who.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range now.Subscriptions {
			if sub.Status == store.StatusActive {
				names = append(names, sub.Newsletter)
			}
		}
		return names
	}
	for _, name := range []string{"monthly", "weekly"} {
		if err := h.Store.Unsubscribe(t.Context(), h.Clock.Now().Add(-time.Hour), who.ID, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Unsubscribe(t.Context(), tok, true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Return(t.Context(), tok); err != nil || !slices.Equal(active(), []string{"daily", "weekly"}) {
		t.Errorf("%v, %v", active(), err)
	}
	left, err := h.LeaveAll(t.Context(), tok)
	if err != nil || len(active()) != 0 {
		t.Fatalf("%v, %v", active(), err)
	}
	if sub, err := h.Leaving(t.Context(), left); err != nil || !sub.MayReturn {
		t.Errorf("%+v, %v", sub, err)
	}
	if err := h.SayWhy(t.Context(), left, "too_many"); err != nil {
		t.Error(err)
	}
	if _, err := h.Return(t.Context(), left); err != nil || !slices.Equal(active(), []string{"daily", "weekly"}) {
		t.Errorf("%v, %v", active(), err)
	}
}

func TestALinkOfOnesOwn(t *testing.T) {
	h := newHouse(t, weekly())
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly"})
	for _, email := range []string{"nobody@example.com", "A@example.com"} {
		if err := h.SendLink(t.Context(), email); err != nil {
			t.Fatal(err)
		}
	}
	r := newFakeRelay(nil)
	h.letters(r, 1)
	tok := tokenIn(t, r.got("a@example.com")[0])
	p, err := h.Person(t.Context(), tok)
	if err != nil || !p.Fresh {
		t.Fatalf("%+v, %v", p, err)
	}
	record, err := h.Export(t.Context(), tok)
	var all newsletter.Record
	if err != nil || json.Unmarshal(record, &all) != nil || all.Email != "a@example.com" || len(all.Subscriptions) != 1 || len(all.Notices) != 1 {
		t.Errorf("%s, %v", record, err)
	}

	// Another address, which is asked first; the present one is told.
	if err := h.AskAddress(t.Context(), tok, "not an address"); !errors.Is(err, newsletter.ErrAddress) {
		t.Errorf("no address: %v", err)
	}
	if err := h.AskAddress(t.Context(), tok, "b@example.com"); err != nil {
		t.Fatal(err)
	}
	r = newFakeRelay(nil)
	h.letters(r, 2)
	if bytes.Contains(r.got("a@example.com")[0], []byte("b@example.com")) {
		t.Error("what somebody typed was mailed")
	}
	move := tokenIn(t, r.got("b@example.com")[0])
	if p, err := h.NextAddress(t.Context(), move); err != nil || p.NextEmail != "b@example.com" || p.Email != "a…@example.com" {
		t.Fatalf("%+v, %v", p, err)
	}
	for range 2 { // twice is a success
		if p, err := h.MoveAddress(t.Context(), move); err != nil || p.NextEmail != "b@example.com" {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	// The former mailbox has no say any more, and does not learn the new address.
	if _, err := h.Person(t.Context(), tok); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("with the link to the former address: %v", err)
	}
	if sub, err := h.Leaving(t.Context(), h.leave(who.ID)); err != nil || sub.Email != "b…@example.com" {
		t.Errorf("with an old mail: %+v, %v", sub, err)
	}
	if p, err = h.Person(t.Context(), h.leave(who.ID)); err != nil || p.Email != "b…@example.com" || p.Fresh {
		t.Errorf("%+v, %v", p, err)
	}

	if err := h.SendLink(t.Context(), "b@example.com"); err != nil {
		t.Fatal(err)
	}
	r = newFakeRelay(nil)
	h.letters(r, 1)
	tok = tokenIn(t, r.got("b@example.com")[0])
	if err := h.Erase(t.Context(), tok); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.Subscriber(t.Context(), who.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after erasure: %v", err)
	}
	if _, err := h.Person(t.Context(), tok); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("the page of who was erased: %v", err)
	}
}

func TestLeavingIsTakenBack(t *testing.T) {
	h := newHouse(t, weekly())
	who := h.subscriber("a@example.com", store.Subscription{Newsletter: "weekly", Tags: []string{"go"}})
	tok := h.leave(who.ID)
	if _, err := h.Return(t.Context(), tok); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("nothing to take back: %v", err)
	}
	if err := h.Unsubscribe(t.Context(), tok, false); err != nil {
		t.Fatal(err)
	}
	if err := h.SayWhy(t.Context(), tok, "a reason of one's own"); err != nil {
		t.Fatal(err)
	}
	sub, err := h.Leaving(t.Context(), tok)
	if err != nil || !sub.MayReturn || sub.Status != store.StatusUnsubscribed {
		t.Fatalf("%+v, %v", sub, err)
	}
	now, err := h.Store.Subscriber(t.Context(), who.ID)
	if err != nil || now.Subscriptions[0].LeftBecause != "other" {
		t.Errorf("%+v, %v", now, err)
	}
	sub, err = h.Return(t.Context(), tok)
	if err != nil || sub.Status != store.StatusActive || !slices.Equal(sub.Tags, []string{"go"}) || sub.MayReturn {
		t.Errorf("%+v, %v", sub, err)
	}
}
