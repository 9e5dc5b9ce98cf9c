package newsletter_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// A deed is what readers, the maintainer or the machine do in a story.
type deed struct {
	verb  string
	who   int
	what  int // whichever of those that the verb knows
	hours int // that pass before
}

var (
	someZones   = []string{"", "Asia/Tokyo", "America/St_Johns", "Pacific/Auckland", "America/Los_Angeles"}
	someHours   = []string{"", "0", "7", "23"}
	someTopics  = [][]string{{}, {"a"}, {"b"}}
	someSilence = []string{"0-12", "", "22-7"}
	verbs       = []string{"post", "post", "post", "frequency", "hour", "zone", "topics", "quiet", "pause", "leave", "join", "send", "down"}
)

func drawDeeds(r *rapid.T) []deed {
	one := rapid.Custom(func(r *rapid.T) deed {
		return deed{
			rapid.SampledFrom(verbs).Draw(r, "verb"), rapid.IntRange(0, 4).Draw(r, "who"),
			rapid.IntRange(0, 59).Draw(r, "what"), rapid.SampledFrom([]int{0, 0, 1, 3, 7, 13, 30}).Draw(r, "hours"),
		}
	})
	return rapid.SliceOfN(one, 30, 60).Draw(r, "deeds")
}

// TestEveryReaderEveryPostOnce lets readers change what they want, when and
// where, while posts appear, the daemon is down now and then, and somebody sends
// by hand. Each gets each post of their topics exactly once, never before their
// hour, and no more than one mail in a slot.
func TestEveryReaderEveryPostOnce(t *testing.T) {
	stories, failed := 0, false
	enough, err := strconv.Atoi(cmp.Or(os.Getenv("TIDINGS_STORIES"), "6"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		deeds := drawDeeds(r)
		if stories >= enough && !failed {
			return // each takes a second or two
		}
		stories++
		var problems []string
		synctest.Test(t, func(t *testing.T) { problems = (&story{house: freshHouse(t, storyLetter(t))}).tell(deeds) })
		if failed = len(problems) > 0; failed {
			r.Fatalf("%s", strings.Join(problems, "\n"))
		}
	})
}

func storyLetter(t *testing.T) newsletter.Newsletter {
	n := scheduled(t, "30 6,18 * * *")
	n.Zone, n.Hour, n.Weekday, n.MonthDay = mustZone(t, "Europe/Berlin"), 8, time.Thursday, 20
	n.MaxPostAge, n.MaxLateness = 400*24*time.Hour, 400*24*time.Hour
	return n
}

// A hero is a reader of a story, as the test knows them.
type hero struct {
	store.Subscriber
	store.Subscription
	id     int64
	gone   bool
	joined time.Time
	wanted map[string]bool // post → whether they wanted it, as yet, all the time
	hoped  map[string]bool // post → whether they ever did
	got    map[string]int
}

// A story is a house with readers.
type story struct {
	*house
	heroes   []*hero
	posts    map[int64]string  // id → title
	topic    map[string]string // title → category
	problems []string
	slots    map[string]bool // reader and edition
}

func (s *story) fail(format string, args ...any) {
	s.problems = append(s.problems, time.Now().Format("01-02 15:04:05 ")+fmt.Sprintf(format, args...))
}

func (s *story) tell(deeds []deed) []string {
	s.posts, s.topic, s.slots = map[int64]string{}, map[string]string{}, map[string]bool{}
	for i := range 5 {
		h := &hero{Subscriber: store.Subscriber{Email: fmt.Sprint("hero", i)}, wanted: map[string]bool{}, hoped: map[string]bool{}, got: map[string]int{}}
		h.Frequency = store.Cadences[i]
		s.heroes = append(s.heroes, h)
		s.set(h)
	}
	s.attend(time.Minute)
	for i, d := range deeds[:20] { // everybody has wishes to begin with
		s.do(deed{verb: []string{"zone", "hour", "quiet", "topics"}[i/5], who: i % 5, what: d.what})
	}
	for _, d := range deeds {
		s.pass(time.Duration(d.hours)*time.Hour + time.Duration(d.what)*time.Minute)
		s.do(d)
		if len(s.problems) > 0 {
			return s.problems
		}
	}
	s.pass(6 * 24 * time.Hour) // all pauses end
	s.do(deed{verb: "post", what: 2})
	s.pass(33 * 24 * time.Hour)
	s.end()
	return s.problems
}

// set puts on record what a hero wants, and remembers it.
func (s *story) set(h *hero) {
	h.id = s.enrol(h.Subscriber, h.Subscription)
	if h.joined.IsZero() {
		h.joined = time.Now()
	}
	for title := range s.topic {
		s.hope(h, title)
	}
}

// hope remembers whether a hero wants a post now.
func (s *story) hope(h *hero, title string) {
	all := len(h.Categories) == 0
	wants := all || slices.Contains(h.Categories, s.topic[title])
	before, known := h.wanted[title]
	h.wanted[title] = wants && (before || !known)
	h.hoped[title] = h.hoped[title] || wants
}

func (s *story) do(d deed) {
	h := s.heroes[d.who]
	switch d.verb {
	case "post":
		title := fmt.Sprint("post ", len(s.posts))
		category := []string{"a", "b", "c"}[d.what%3]
		e := s.publish(title, time.Now(), category)
		s.posts[e.PostID], s.topic[title] = title, category
		for _, h := range s.heroes {
			s.hope(h, title)
		}
		s.attend(40 * time.Second)
		return
	case "send":
		s.house.plan(s.Newsletters[0])
		s.receive(s.deliver())
		return
	case "down":
		time.Sleep(time.Duration(1+d.what) * time.Hour)
		s.attend(40 * time.Second)
		return
	}
	if d.verb == "join" && h.gone {
		s.rejoin(h)
	}
	if h.gone {
		return
	}
	switch d.verb { // what is blank stays as it is
	case "frequency":
		h.Frequency = store.Cadences[d.what%5]
	case "hour":
		h.Hour = cmp.Or(someHours[d.what%len(someHours)], h.Hour)
	case "zone":
		h.Timezone = cmp.Or(someZones[d.what%len(someZones)], h.Timezone)
	case "topics":
		h.Categories = someTopics[d.what%3]
		h.Tags = []string{}
	case "quiet":
		h.QuietHours = cmp.Or(someSilence[d.what%3], h.QuietHours)
	case "pause":
		h.PausedUntil = time.Now().Add(time.Duration(1+2*d.what) * time.Hour)
	case "leave":
		h.gone = true
		if err := s.Store.Unsubscribe(context.Background(), time.Now(), h.id, "weekly"); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	s.set(h)
}

// rejoin lets a hero who left sign up and confirm again, with what they wanted
// before.
func (s *story) rejoin(h *hero) {
	ctx, now := context.Background(), time.Now()
	p, sub := h.Subscriber, h.Subscription
	p.Key, sub.Newsletter = "key of "+p.Email, "weekly"
	p.Subscriptions = []store.Subscription{sub}
	limits := store.SignUpLimits{PerMailbox: 1000, MailboxSince: now, All: 1000, AllSince: now}
	_, err := s.Store.QueueSignUp(ctx, now, store.SignUp{Subscriber: p, Mailbox: p.Key}, limits)
	if err == nil {
		_, err = s.Store.ApplySignUps(ctx, now, 1)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Store.ConfirmWishes(ctx, now, h.id, s.mailed(h)); err != nil {
		s.t.Fatal(err)
	}
	h.gone, h.PausedUntil = false, time.Time{} // a pause ends with what was paused
}

// mailed gives the sign-up that a hero is asked to confirm.
func (s *story) mailed(h *hero) (signUp int64) {
	notices, err := s.Store.ClaimNotices(context.Background(), time.Now(), time.Now(), 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range notices {
		if n.SubscriberID == h.id {
			signUp = max(signUp, n.SignUpID)
		}
	}
	return signUp
}

// attend runs the daemon for a moment.
func (s *story) attend(d time.Duration) { s.receive(s.delivered(d)) }

// pass lets time go by.
func (s *story) pass(d time.Duration) { s.receive(s.attended(d)) }

func (s *story) receive(mails []receipt) {
	for _, m := range mails {
		i := slices.IndexFunc(s.heroes, func(h *hero) bool { return h.id == m.reader })
		s.got(s.heroes[i], m)
	}
}

// got checks one mail.
func (s *story) got(h *hero, m receipt) {
	if h.gone || h.PausedUntil.After(m.at) {
		s.fail("%s was mailed though gone (%v) or paused until %v", h.Email, h.gone, h.PausedUntil)
	}
	slot := fmt.Sprint(h.id, m.edition.Cadence, m.edition.Slot)
	if s.slots[slot] {
		s.fail("%s got two mails of %s", h.Email, slot)
	}
	s.slots[slot] = true
	for _, id := range m.group.PostIDs {
		title := s.posts[id]
		if h.got[title]++; h.got[title] > 1 || !h.hoped[title] {
			s.fail("%s got %q (of %s) %d times, wanted %v: %s %s", h.Email, title, s.topic[title], h.got[title], h.hoped[title], m.edition.Cadence, m.edition.Slot)
		}
	}
	zone := s.Newsletters[0].Zone
	if h.Timezone != "" {
		zone = mustZone(s.t, h.Timezone)
	}
	quiet := map[string]bool{"": false, "22-7": m.at.In(zone).Hour() >= 22 || m.at.In(zone).Hour() < 7, "0-12": m.at.In(zone).Hour() < 12}[h.QuietHours]
	if e := m.edition; e.Manual || e.Cadence == store.CadenceEach {
		if quiet {
			s.fail("%s was mailed in quiet hours (%s): %s", h.Email, h.QuietHours, e.Cadence)
		}
		return
	}
	if m.at.Sub(m.group.Date) > time.Minute || m.at.Sub(s.planned(m).At) > time.Minute {
		return // made late or put off; meanwhile they may have moved
	}
	due := s.due(m, zone, h.Hour)
	if m.at.Before(due) {
		s.fail("%s was mailed before their hour %v: %s %s", h.Email, due.In(zone), m.edition.Cadence, m.edition.Slot)
	}
	if late := m.at.Sub(due); late > time.Minute {
		s.fail("%s was mailed %v late: %s %s", h.Email, late, m.edition.Cadence, m.edition.Slot)
	}
}

// planned gives the last wave by which a mail can have been planned.
func (s *story) planned(m receipt) (last store.Wave) {
	waves, err := s.Store.EditionWaves(context.Background(), m.edition.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, w := range waves {
		if w.Zone == m.group.Zone && w.Status == store.WaveMade && !w.CreatedAt.After(m.at) {
			last = w
		}
	}
	if last.At.IsZero() {
		s.fail("%s was mailed by no wave: %s %s, %v", m.email, m.edition.Cadence, m.edition.Slot, waves)
	}
	return last
}

// due gives the instant of a reader's slot. Until spring no clocks change.
func (s *story) due(m receipt, zone *time.Location, hour string) time.Time {
	if m.edition.Cadence == store.CadenceSchedule {
		at, err := time.ParseInLocation(slotKey, m.edition.Slot, zone)
		if err != nil {
			s.t.Fatal(err)
		}
		return at
	}
	at, err := time.ParseInLocation(time.DateOnly, m.edition.Slot, zone)
	if err != nil {
		s.t.Fatal(err)
	}
	own := s.Newsletters[0].Hour
	if hour != "" {
		fmt.Sscan(hour, &own)
	}
	return at.Add(time.Duration(own) * time.Hour)
}

// end checks that nobody is left without what they wanted all the time.
func (s *story) end() {
	for _, h := range s.heroes {
		for title, wanted := range h.wanted {
			if wanted && !h.gone && h.got[title] == 0 {
				s.fail("%s (%s, %q, %q, %v, quiet %q) never got %q (of %s)", h.Email, h.Frequency, h.Timezone, h.Hour, h.Categories, h.QuietHours, title, s.topic[title])
			}
		}
	}
	es, err := s.Store.ListEditions(context.Background(), "", 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range es {
		waves, err := s.Store.EditionWaves(context.Background(), e.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		failed := slices.ContainsFunc(waves, func(w store.Wave) bool { return w.Status == store.WaveFailed })
		if !e.Counts.Balanced() || e.Status == store.EditionFailed || failed {
			s.fail("%+v %+v", e, waves)
		}
	}
	problems, err := s.Store.(interface {
		CheckEditions(context.Context) ([]string, error)
	}).CheckEditions(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	s.problems = append(s.problems, problems...)
}
