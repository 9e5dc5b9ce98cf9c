package newsletter_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// enrol makes an active reader of the newsletter, or changes one; what is
// blank stays as it is.
func (h *house) enrol(p store.Subscriber, sub store.Subscription) int64 {
	h.t.Helper()
	sub.Newsletter, sub.Status = "weekly", store.StatusActive
	p.Key, p.Subscriptions = "key of "+p.Email, []store.Subscription{sub}
	ctx := context.Background()
	if _, err := h.Store.ImportSubscribers(ctx, h.Clock.Now(), []store.ImportRow{{Subscriber: p}}, false); err != nil {
		h.t.Fatal(err)
	}
	who, err := h.Store.SubscriberByEmail(ctx, p.Email)
	if err != nil {
		h.t.Fatal(err)
	}
	return who.ID
}

// daily makes a reader who wants a mail a day.
func (h *house) daily(email, zone, hour string) int64 {
	h.t.Helper()
	return h.enrol(store.Subscriber{Email: email, Timezone: zone}, store.Subscription{Frequency: store.CadenceDaily, Hour: hour})
}

// A receipt is a mail that a reader got.
type receipt struct {
	reader  int64
	email   string
	at      time.Time
	edition store.Edition
	group   store.Group
}

// deliver takes all mails that may be sent now, as a Sender would.
func (h *house) deliver() (got []receipt) {
	h.t.Helper()
	ctx, now := context.Background(), h.Clock.Now()
	for {
		jobs, err := h.Store.Claim(ctx, now, "test", 100)
		if err != nil {
			h.t.Fatal(err)
		}
		var rs []store.Result
		for _, j := range jobs {
			g, err := h.Store.Group(ctx, j.EditionID, j.Group)
			if err != nil {
				h.t.Fatal(err)
			}
			if until := newsletter.HoldOff(h.Service, j, g.Date, now); !until.IsZero() {
				rs = append(rs, store.Result{DeliveryRef: j.DeliveryRef, State: store.DeliveryPending, NextAt: until})
				continue
			}
			got = append(got, receipt{j.SubscriberID, j.Email, now, h.edition(j.EditionID), g})
			rs = append(rs, store.Result{DeliveryRef: j.DeliveryRef, State: store.DeliverySent, Counted: true})
		}
		if len(jobs) == 0 {
			return got
		}
		if err := h.Store.Record(ctx, now, "test", rs); err != nil {
			h.t.Fatal(err)
		}
	}
}

// delivered runs a Scheduler for a while, and gives what was mailed meanwhile.
func (h *house) delivered(d time.Duration) (got []receipt) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := newsletter.NewScheduler(h.Service, func() { got = append(got, h.deliver()...) }, nil)
	go func() { done <- s.Run(ctx) }()
	time.Sleep(d)
	stop()
	if err := <-done; err != nil {
		h.t.Error(err)
	}
	return append(got, h.deliver()...)
}

// attended is delivered, but that the daemon is only attended to when something
// is due.
func (h *house) attended(d time.Duration) (got []receipt) {
	h.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		now := time.Now()
		at, ok, err := h.NextRun(context.Background(), h.Newsletters[0], now)
		if err != nil {
			h.t.Fatal(err)
		}
		held, waits, err := h.Store.NextDue(context.Background())
		if err != nil {
			h.t.Fatal(err)
		}
		if waits && (!ok || held.Before(at)) {
			at, ok = held, true
		}
		if !ok || at.After(end) {
			time.Sleep(time.Until(end))
			break
		}
		time.Sleep(max(0, at.Sub(now)-20*time.Second))
		got = append(got, h.delivered(40*time.Second)...)
	}
	return got
}

// tell names readers and when they were mailed.
func tell(mails []receipt) (all []string) {
	for _, m := range mails {
		all = append(all, m.email+" "+m.at.Format("02 15:04"))
	}
	slices.SortStableFunc(all, func(a, b string) int { // by time, then by reader
		return strings.Compare(a[len(a)-8:]+a, b[len(b)-8:]+b)
	})
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func TestEachReaderAtTheirHour(t *testing.T) {
	n := scheduled(t, "30 9 * * *")
	n.Zone, n.Hour, n.Weekday, n.MonthDay = mustZone(t, "Europe/Berlin"), 8, time.Sunday, 2
	bubble(t, n, func(t *testing.T, h *house) { // from Saturday 0:00 UTC
		h.daily("tokyo", "Asia/Tokyo", "23")
		h.daily("new-york", "America/New_York", "7")
		h.daily("here", "", "")
		h.enrol(store.Subscriber{Email: "weekly", Timezone: "Asia/Kathmandu"}, store.Subscription{Frequency: store.CadenceWeekly})
		h.enrol(store.Subscriber{Email: "monthly", Timezone: "Pacific/Apia"}, store.Subscription{Frequency: store.CadenceMonthly, Hour: "0"})
		h.enrol(store.Subscriber{Email: "schedule", Timezone: "Asia/Dubai"}, store.Subscription{})
		h.enrol(store.Subscriber{Email: "schedule-here"}, store.Subscription{})
		h.scheduled(time.Minute)
		h.publish("one", time.Now())
		equal(t, "mails", tell(h.attended(47*time.Hour)), []string{
			"schedule 01 05:30", "here 01 07:00", "schedule-here 01 08:30", "new-york 01 12:00", "tokyo 01 14:00", "weekly 02 02:15", "monthly 02 11:00",
		})
		for _, e := range h.scheduledRuns() {
			waves, err := h.Store.EditionWaves(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range waves {
				if w.Late != "" || w.CreatedAt.Sub(w.At) > time.Second || w.Status == store.WaveMade && w.Readers != 1 {
					t.Errorf("%s %s: %+v", e.Cadence, e.Slot, w)
				}
			}
		}
	})
}

// TestDownOverSomeZones: each band makes up for what it missed, once, and a
// band whose time had not come is in time.
func TestDownOverSomeZones(t *testing.T) {
	n := weekly()
	n.Hour = 8
	bubble(t, n, func(t *testing.T, h *house) {
		h.daily("auckland", "Pacific/Auckland", "") // 19:00 UTC of the day before
		h.daily("tokyo", "Asia/Tokyo", "")          // 23:00 UTC of the day before
		h.daily("berlin", "Europe/Berlin", "")      // 7:00 UTC
		h.scheduled(time.Minute)
		h.publish("one", time.Now())
		time.Sleep(47 * time.Hour) // until Sunday 23:01
		h.publish("two", time.Now())
		h.daily("new", "Asia/Seoul", "") // as in Tokyo, but nobody was there before
		equal(t, "mails", tell(append(h.delivered(time.Minute), h.attended(12*time.Hour)...)), []string{
			"auckland 02 23:01", "berlin 02 23:01", "tokyo 02 23:01",
		})
		var got []string
		for _, e := range h.scheduledRuns() {
			waves, err := h.Store.EditionWaves(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range waves {
				got = append(got, fmt.Sprint(e.Slot[8:], " ", w.Zone, " ", w.Status, " ", w.Missed, " ", w.Late))
			}
		}
		equal(t, "waves", got, []string{
			"01 Europe/Berlin skipped true ", "02 Pacific/Auckland skipped true ", "02 Asia/Tokyo skipped true ",
			"02 Europe/Berlin made false 16h1m0s: tidings was not running", "03 Pacific/Auckland made false 4h1m0s: tidings was not running",
			"03 Asia/Tokyo made false ", "03 Europe/Berlin skipped false ",
		})
	})
}

func TestEachPostByItself(t *testing.T) {
	n := weekly()
	n.MinPosts = 5 // is of runs
	bubble(t, n, func(t *testing.T, h *house) {
		h.Settle = 30 * time.Second
		h.enrol(store.Subscriber{Email: "each"}, store.Subscription{Frequency: store.CadenceEach})
		h.enrol(store.Subscriber{Email: "go"}, store.Subscription{Frequency: store.CadenceEach, Tags: []string{"go"}, Categories: []string{"go"}})
		h.publish("before", time.Now().Add(-time.Hour), "go")
		time.Sleep(5 * time.Minute)
		if got := h.delivered(10 * time.Minute); len(got) > 0 {
			t.Fatalf("mailed of before the newsletter: %v", tell(got))
		}
		go func() {
			time.Sleep(time.Hour)
			h.publish("one", time.Now())
			time.Sleep(time.Hour)
			h.publish("two", time.Now())
			h.publish("three", time.Now(), "go")
		}()
		got := h.delivered(3 * time.Hour)
		equal(t, "mails", tell(got), []string{"each 01 01:15", "each 01 02:15", "go 01 02:15"})
		var subjects []string
		for _, m := range got {
			if late := m.at.Sub(m.group.Date); late > time.Second {
				t.Errorf("%q was mailed %v late", m.group.Subject, late)
			}
			subjects = append(subjects, m.group.Subject)
		}
		equal(t, "subjects", subjects, []string{"one", "two and 1 more post", "three"})
		before := h.runs()
		want := []string{"post-2 finished", "post-3 skipped", "post-4 finished"}
		equal(t, "runs", before, want)

		h.delivered(3 * time.Hour) // a new process looks back, and makes nothing anew
		equal(t, "runs after a restart", h.runs(), before)

		e := h.posts().Entries[0]
		h.change(e, func(e *catalog.Entry) { e.Announce, e.Announced, e.Changed = "again", time.Now(), time.Now() })
		equal(t, "announced again", tell(h.delivered(time.Hour)), map[string][]string{
			"two": {"each 01 06:15"}, "three": {"each 01 06:15", "go 01 06:15"}}[e.Title])

		h.publish("four", time.Now())
		time.Sleep(2 * time.Hour) // down
		equal(t, "made up for", tell(h.delivered(time.Minute)), []string{"each 01 09:15"})
	})
}

func TestTwoSchedulersMakeOneWave(t *testing.T) {
	n := weekly()
	bubble(t, n, func(t *testing.T, h *house) {
		for i := range 24 {
			h.daily(fmt.Sprint("r", i), []string{"Asia/Tokyo", "Europe/Berlin", ""}[i%3], fmt.Sprint(i%8+[]int{9, 1, 0}[i%3]))
		}
		h.enrol(store.Subscriber{Email: "each"}, store.Subscription{Frequency: store.CadenceEach})
		h.scheduled(time.Minute)
		second := make(chan struct{})
		go func() { defer close(second); h.scheduled(8 * time.Hour) }()
		go func() {
			for range 7 {
				time.Sleep(time.Hour)
				h.publish(time.Now().Format("02 15:04"), time.Now())
			}
		}()
		h.scheduled(8 * time.Hour)
		<-second
		waves := 0
		for _, e := range h.scheduledRuns() {
			all, err := h.Store.EditionWaves(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range all {
				if waves++; w.Status == store.WaveMade && w.Late != "" {
					t.Errorf("%s %s: %+v", e.Cadence, e.Slot, w)
				}
			}
		}
		if waves < 20+7 {
			t.Errorf("%d waves", waves)
		}
	})
}

func TestQuietHours(t *testing.T) {
	n := scheduled(t, "0 23 * * *")
	n.QuietHours = "22-7"
	bubble(t, n, func(t *testing.T, h *house) {
		h.Settle = 0
		h.enrol(store.Subscriber{Email: "each"}, store.Subscription{Frequency: store.CadenceEach})
		h.enrol(store.Subscriber{Email: "owl", QuietHours: "7-12"}, store.Subscription{Frequency: store.CadenceEach})
		h.enrol(store.Subscriber{Email: "tokyo", Timezone: "Asia/Tokyo"}, store.Subscription{Frequency: store.CadenceEach})
		h.enrol(store.Subscriber{Email: "schedule"}, store.Subscription{})
		h.scheduled(time.Minute)
		time.Sleep(22*time.Hour + 28*time.Minute)
		h.publish("one", time.Now()) // 22:29, in Tokyo 7:29
		equal(t, "at once, and at a chosen hour", tell(h.delivered(time.Hour)), []string{"owl 01 22:29", "tokyo 01 22:29", "schedule 01 23:00"})
		time.Sleep(7*time.Hour + 31*time.Minute - time.Second)
		equal(t, "while it is quiet", tell(h.deliver()), nil)
		time.Sleep(time.Second)
		got := h.deliver()
		equal(t, "when quiet hours end", tell(got), []string{"each 02 07:00"})
		if d := got[0].group.Date; !d.Equal(time.Now()) {
			t.Errorf("dated %v", d)
		}

		h.publish("two", time.Now())
		p := h.plan(n)
		equal(t, "by hand", tell(h.deliver()), []string{"each 02 07:00", "schedule 02 07:00", "tokyo 02 07:00"})
		if len(p.Groups) != 2 {
			t.Errorf("%d groups", len(p.Groups))
		}
		time.Sleep(5 * time.Hour)
		equal(t, "by hand, when quiet hours end", tell(h.deliver()), []string{"owl 02 12:00"})
		h.publish("three", time.Now())
		time.Sleep(12 * time.Hour) // down over the run of 23:00, until Monday 0:00
		equal(t, "a late run", tell(h.delivered(time.Minute)), []string{"owl 03 00:00", "tokyo 03 00:00"})
		time.Sleep(7 * time.Hour)
		equal(t, "a late run, when quiet hours end", tell(h.deliver()), []string{"each 03 07:01", "schedule 03 07:01"})
	})
}

func TestFormatAndLanguage(t *testing.T) {
	h := newHouse(t, weekly())
	h.readers(2, "")
	for email, p := range map[string]store.Subscriber{
		"text": {Format: store.FormatText}, "german": {Language: "de-AT"}, "german-text": {Language: "de", Format: store.FormatText},
		"german-too": {Language: "de"}, "klingon": {Language: "tlh"},
	} {
		p.Email = email + "@example.com"
		h.enrol(p, store.Subscription{})
	}
	h.publish("one", time.Now())
	p := h.plan(weekly())
	if len(p.Groups) != 4 {
		t.Fatalf("%d groups, want one for each language and format", len(p.Groups))
	}
	count := map[string]int{}
	for i, g := range p.Groups {
		eml, err := h.Rendered(g, weekly(), "a@example.com", 1)
		if err != nil {
			t.Fatal(err)
		}
		kind := "html "
		if !bytes.Contains(eml, []byte("text/html")) {
			kind = "text "
		}
		for _, name := range []string{"List-Unsubscribe: ", "List-Unsubscribe-Post: ", "List-Id: ", "Message-ID: ", "Subject: one\r\n"} {
			if !bytes.Contains(eml, []byte("\n"+name)) {
				t.Errorf("%s: no %s", kind, name)
			}
		}
		if kind == "text " && bytes.Contains(eml, []byte("multipart")) {
			t.Errorf("several parts:\n%s", eml)
		}
		_, language, _ := strings.Cut(string(eml), "\nContent-Language: ")
		count[kind+language[:2]] += p.Readers[i]
	}
	if want := (map[string]int{"html en": 3, "html de": 2, "text en": 1, "text de": 1}); fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("readers %v, want %v", count, want)
	}
}

// TestAFrequencyThatIsNotOffered goes by the schedule.
func TestAFrequencyThatIsNotOffered(t *testing.T) {
	n := scheduled(t, "0 12 * * *")
	n.Frequencies = []string{store.CadenceSchedule, store.CadenceWeekly}
	bubble(t, n, func(t *testing.T, h *house) {
		h.daily("daily", "Asia/Tokyo", "5")
		h.scheduled(time.Minute)
		h.publish("one", time.Now())
		equal(t, "mails", tell(h.attended(24*time.Hour)), []string{"daily 01 03:00"})
	})
}
