package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/store"
)

// undoable is how long the people of this test may take back that they left.
const undoable = 7 * 24 * time.Hour

// testWishes lets one person sign up, choose, leave and come back in any order,
// and compares what is on record with what they would say themselves.
func testWishes(t *testing.T, open func(*testing.T) store.Store) {
	st, run := open(t), 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		w := &wishes{
			fixture: &fixture{Store: st, t: r, ctx: t.Context(), now: epoch}, email: fmt.Sprintf("w%d@example.com", run),
			have: map[string]*wish{},
		}
		w.id = w.signUp(w.email, "a")
		w.have["a"] = &wish{status: store.StatusPending}
		w.events = []string{"asked a"}
		w.collect("a", nil)
		r.Repeat(map[string]func(*rapid.T){
			"": w.compare, "ask": w.ask, "confirm": w.confirm, "follow": w.follow, "choose": w.choose, "leave": w.leave, "return": w.takeBack,
			"why": w.why, "bounce": w.bounce, "wait": w.wait,
		})
	})
}

// A wish is what a person knows of a newsletter that they have, or had.
type wish struct {
	status string
	tags   []string
	ended  time.Time
	undo   bool // it was active when they ended it
	why    string
}

// mailed is a link that confirms what one sign-up asked for.
type mailed struct {
	signUp     int64
	newsletter string
	tags       []string
	used, void bool
}

// wishes is a person, with what they know.
type wishes struct {
	*fixture
	id     int64
	email  string
	have   map[string]*wish
	links  []*mailed
	barred string // why they are not mailed; ""
	events []string
}

var letterNames = []string{"a", "b", "c"}

func (w *wishes) some(r *rapid.T) string { return rapid.SampledFrom(letterNames).Draw(r, "newsletter") }

func someTags(r *rapid.T) []string {
	return slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 2, rapid.ID[string]).Draw(r, "tags")))
}

// own reports whether what keeps them from being mailed is their own wish.
func (w *wishes) own() bool { return w.barred == "" || w.barred == store.ReasonUnsubscribed }

func (w *wishes) note(event, newsletter string) {
	w.events = append(w.events, words(event, newsletter))
}

func (w *wishes) anyActive() bool {
	for _, x := range w.have {
		if x.status == store.StatusActive {
			return true
		}
	}
	return false
}

func (w *wishes) lift() {
	if w.own() {
		w.barred = ""
	}
}

func (w *wishes) ask(r *rapid.T) {
	name, tags := w.some(r), someTags(r)
	w.attended(person(w.email), store.Subscription{Newsletter: name, Tags: tags})
	x := w.have[name]
	if x == nil {
		x = &wish{status: store.StatusPending, tags: tags}
		w.have[name] = x
	}
	if x.status == store.StatusActive {
		return
	}
	w.note(store.ConsentAsked, name)
	w.collect(name, tags)
}

// collect keeps the link of the mail that asks to confirm, if there is one.
func (w *wishes) collect(name string, tags []string) {
	notices, err := w.ClaimNotices(w.ctx, w.now, w.now.AddDate(99, 0, 0), 1000)
	w.check(err)
	for _, n := range notices {
		if n.SubscriberID == w.id && n.Kind == store.NoticeConfirm {
			w.links = append(w.links, &mailed{signUp: n.SignUpID, newsletter: name, tags: tags})
		}
	}
}

// follow confirms what one of the mails asked for, and nothing else.
func (w *wishes) follow(r *rapid.T) {
	if len(w.links) == 0 {
		return
	}
	link := rapid.SampledFrom(w.links).Draw(r, "link")
	err := w.ConfirmWishes(w.ctx, w.now, w.id, link.signUp)
	if link.void {
		w.fails("a link of before they left", err, store.ErrNotFound)
		return
	}
	if w.check(err); link.used {
		return
	}
	link.used = true
	w.activate(link.newsletter, link.tags)
	w.note(store.ConsentConfirmed, link.newsletter)
	w.lift()
}

func (w *wishes) voidLinks(newsletter string) {
	for _, link := range w.links {
		link.void = link.void || link.newsletter == newsletter
	}
}

func (w *wishes) confirm(r *rapid.T) {
	name := w.some(r)
	err := w.Confirm(w.ctx, w.now, w.id, name)
	x := w.have[name]
	if x == nil || x.status == store.StatusUnsubscribed {
		w.fails("confirm what was not asked for", err, store.ErrNotFound)
		return
	}
	if w.check(err); x.status == store.StatusPending {
		w.activate(name, x.tags)
		w.note(store.ConsentConfirmed, name)
		w.lift()
	}
}

func (w *wishes) activate(name string, tags []string) {
	w.have[name] = &wish{status: store.StatusActive, tags: tags}
}

// end ends what is not ended.
func (w *wishes) end(name string) {
	if x := w.have[name]; x != nil && x.status != store.StatusUnsubscribed {
		x.undo, x.status, x.ended, x.why = x.status == store.StatusActive, store.StatusUnsubscribed, w.now, ""
		w.note(store.ConsentLeft, name)
	}
}

func (w *wishes) leave(r *rapid.T) {
	name := rapid.SampledFrom(append([]string{""}, letterNames...)).Draw(r, "newsletter")
	w.check(w.Unsubscribe(w.ctx, w.now, w.id, name))
	for _, n := range letterNames {
		if name == "" || n == name {
			w.end(n)
			w.voidLinks(n)
		}
	}
	if (name == "" || !w.anyActive()) && w.barred == "" {
		w.barred = store.ReasonUnsubscribed
	}
}

// choose saves the page of preferences, with all newsletters that it names.
func (w *wishes) choose(r *rapid.T) {
	var p store.Preferences
	for _, name := range letterNames {
		sub := store.Subscription{Newsletter: name, Status: store.StatusUnsubscribed}
		switch rapid.SampledFrom([]string{"on", "off", "not named"}).Draw(r, name) {
		case "on":
			sub.Status, sub.Tags = store.StatusActive, someTags(r)
			x := w.have[name]
			switch {
			case x == nil || x.status != store.StatusActive:
				w.note(store.ConsentConfirmed, name)
			case !slices.Equal(x.tags, sub.Tags):
				w.note(store.ConsentChanged, name)
			}
			w.activate(name, sub.Tags)
		case "off":
			if x := w.have[name]; x != nil && x.status == store.StatusActive {
				w.end(name)
				w.voidLinks(name)
			}
		default:
			continue
		}
		p.Subscriptions = append(p.Subscriptions, sub)
	}
	w.check(w.SetPreferences(w.ctx, w.now, w.id, p))
	switch {
	case w.anyActive():
		w.lift()
	case w.barred == "":
		w.barred = store.ReasonUnsubscribed
	}
}

func (w *wishes) takeBack(r *rapid.T) {
	name := w.some(r)
	names, err := w.Return(w.ctx, w.now, w.id, name, w.now.Add(-undoable))
	w.check(err)
	x := w.have[name]
	if x == nil || x.status != store.StatusUnsubscribed || !x.undo || w.now.Sub(x.ended) > undoable {
		w.equal("nothing to take back", len(names), 0)
		return
	}
	var want []string
	for _, n := range letterNames {
		if y := w.have[n]; y != nil && y.status == store.StatusUnsubscribed && y.undo && y.ended.Equal(x.ended) {
			want = append(want, n)
		}
	}
	w.equal("what ended with it", names, want)
	for _, n := range want {
		w.activate(n, w.have[n].tags)
		w.note(store.ConsentReturned, n)
	}
	w.lift()
}

func (w *wishes) why(r *rapid.T) {
	name := w.some(r)
	w.check(w.SayWhy(w.ctx, w.id, name, "other"))
	if x := w.have[name]; x != nil && x.status == store.StatusUnsubscribed {
		x.why = "other"
	}
}

func (w *wishes) bounce(*rapid.T) {
	_, err := w.Suppress(w.ctx, []store.Suppression{{Key: key(w.email), Reason: store.ReasonBounce, At: w.now}})
	w.check(err)
	w.barred = store.ReasonBounce
}

func (w *wishes) wait(r *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(r, "hours")) * time.Hour)
}

// compare holds what is on record against what the person knows.
func (w *wishes) compare(*rapid.T) {
	for _, name := range letterNames {
		got, want := w.subscription(w.id, name), w.have[name]
		if want == nil {
			w.equal(name, got.Status, "")
			continue
		}
		w.equal(name, words(got.Status, got.Tags), words(want.status, want.tags))
		if want.status == store.StatusUnsubscribed {
			w.equal(name+", left", words(got.EndedAt, got.WasActive, got.LeftBecause), words(want.ended, want.undo, want.why))
		}
	}
	x, err := w.Suppressed(w.ctx, key(w.email))
	if w.barred == "" {
		w.fails("suppression", err, store.ErrNotFound)
	} else {
		w.check(err)
		w.equal("suppression", x.Reason, w.barred)
	}
	w.equal("on record", w.fixture.events(w.id), w.events)
}
