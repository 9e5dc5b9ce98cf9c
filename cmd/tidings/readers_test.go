package main

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
)

// everyZone has one time zone for each way of keeping time that is about.
var everyZone = []string{
	"Pacific/Apia", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York",
	"America/Santiago", "America/St_Johns", "America/Sao_Paulo", "Atlantic/Azores", "Europe/London", "Africa/Casablanca", "Europe/Berlin",
	"Africa/Cairo", "Europe/Moscow", "Asia/Dubai", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Bangkok", "Asia/Tokyo", "Australia/Lord_Howe",
	"Pacific/Auckland", "Pacific/Kiritimati",
}

const zonesConfig = `
site: {title: Field Notes, url: "http://localhost:%[1]d"}
posts: {dir: posts, settle: 0s}
newsletters:
  news: {schedule: "30 6,18 * * *", timezone: Europe/Berlin, max_post_age: 60d, max_lateness: 60d}
http: {listen: "127.0.0.1:%[1]d"}
`

// A dweller is a reader somewhere.
type dweller struct {
	email, zone, frequency, hour string
	tags                         []string
}

// dwellers are three readers of each zone.
func dwellers() (all []dweller) {
	for i, zone := range everyZone {
		for j := range 3 {
			d := dweller{zone: zone, frequency: store.Cadences[(i+j*2)%5], hour: strconv.Itoa((i*7 + j*11) % 24)}
			if d.tags = [][]string{nil, {"go"}, {"life"}}[(i+j)%3]; !store.ByHour(d.frequency) {
				d.hour = ""
			}
			d.email = fmt.Sprintf("%s-%d-%d@example.com", d.frequency, i, j)
			all = append(all, d)
		}
	}
	return all
}

// TestReadersInEveryZone has the daemon rehearse weeks in which clocks change,
// or a year (TIDINGS_REHEARSE_DAYS=365), for readers in 24 time zones: each gets
// each post of their topics exactly once, at their own hour.
func TestReadersInEveryZone(t *testing.T) {
	t.Parallel() // it waits, mostly
	days, err := strconv.Atoi(cmp.Or(os.Getenv("TIDINGS_REHEARSE_DAYS"), "35"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(0, 0, days)
	port := freePort(t)
	posts, published := everyFewHours(start.AddDate(0, 0, 1), end)
	d := &running{blog: newBlog(t, fmt.Sprintf(zonesConfig, port), posts), base: fmt.Sprintf("http://localhost:%d", port), logs: &syncBuffer{}}
	d.must("subscribers", "list")
	db, err := sqlite.Open(t.Context(), filepath.Join(d.dir, "data", "tidings.db"), sqlite.AnyClock())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	people := dwellers()
	settle(t, db, people, start)
	rate := 50_000
	d.start("--clock", fmt.Sprintf("%s,%d", start.Format(time.RFC3339), rate))
	time.Sleep(end.Sub(start) / time.Duration(rate))
	d.eventually("the time is over", func() bool { return through(t, db, end) })
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	got := d.posted()
	counted := 0
	for _, p := range people {
		counted += p.check(t, got[p.email], published, end.AddDate(0, 0, -p.patience()))
	}
	if counted < 10*len(people) {
		t.Errorf("only %d posts were counted", counted)
	}
	if out := d.must("db", "check"); !strings.Contains(out, ": 0 problems") {
		t.Errorf("db check: %s", out)
	}
	t.Logf("%d readers in %d zones, %d days, %d posts: %d mails", len(people), len(everyZone), days, len(posts), len(slices.Concat(slices.Collect(maps.Values(got))...)))
}

// everyFewHours gives posts, and when each is published.
func everyFewHours(from, until time.Time) (files map[string]string, published map[string]time.Time) {
	files, published = map[string]string{}, map[string]time.Time{}
	for i := 0; from.Before(until); i, from = i+1, from.Add(17*time.Hour+11*time.Minute) {
		title := fmt.Sprintf("Post %04d %s", i, []string{"go", "life"}[i%2])
		files[fmt.Sprintf("p%04d.md", i)] = fmt.Sprintf("---\ntitle: %s\ndate: %s\ntags: [%s]\n---\nText.\n", title, from.Format(time.RFC3339), title[10:])
		published[title] = from
	}
	return files, published
}

// settle makes people readers.
func settle(t *testing.T, db store.Store, people []dweller, now time.Time) {
	t.Helper()
	var rows []store.ImportRow
	for _, p := range people {
		rows = append(rows, store.ImportRow{Subscriber: store.Subscriber{
			Email: p.email, Key: p.email, Timezone: p.zone,
			Subscriptions: []store.Subscription{{Newsletter: "news", Status: store.StatusActive, Frequency: p.frequency, Hour: p.hour, Tags: p.tags}},
		}})
	}
	if _, err := db.ImportSubscribers(t.Context(), now, rows, false); err != nil {
		t.Fatal(err)
	}
}

// through reports whether everything until an instant is made and sent.
func through(t *testing.T, db store.Store, end time.Time) bool {
	t.Helper()
	for _, c := range store.Cadences {
		state, err := db.Cadence(t.Context(), "news", c, []string{c})
		if err != nil {
			t.Fatal(err)
		}
		if state.Until.Before(end) {
			return false
		}
	}
	return true
}

// An arrival is a mail that was captured.
type arrival struct {
	date   time.Time // of its header
	at     time.Time
	titles []string
}

var titled = regexp.MustCompile(`Post \d{4} (?:go|life)`)

// posted gives the captured mails by address, in the order of their coming.
func (d *running) posted() map[string][]arrival {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "data", "mailbox", "new", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	slices.Sort(files)
	got := map[string][]arrival{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			d.t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(b)))
		if err != nil {
			d.t.Fatal(err)
		}
		var a arrival
		seconds, _, _ := strings.Cut(filepath.Base(file), ".")
		unix, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			d.t.Fatal(err)
		}
		a.at = time.Unix(unix, 0)
		if a.date, err = m.Header.Date(); err != nil {
			d.t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			d.t.Fatal(err)
		}
		_, text, _ := strings.Cut(strings.ReplaceAll(string(b), "=\r\n", ""), "\r\n\r\n")
		text, _, _ = strings.Cut(text, "text/html")
		a.titles = slices.Compact(slices.Sorted(slices.Values(titled.FindAllString(subject+text, -1))))
		got[m.Header.Get("Delivered-To")] = append(got[m.Header.Get("Delivered-To")], a)
	}
	return got
}

// check holds a reader's mails against what they want, and counts the posts
// that they must have.
func (p dweller) check(t *testing.T, mails []arrival, published map[string]time.Time, last time.Time) (counted int) {
	t.Helper()
	zone, err := time.LoadLocation(p.zone)
	if err != nil {
		t.Fatal(err)
	}
	times, days := map[string]int{}, map[string]bool{}
	for _, m := range mails {
		for _, title := range m.titles {
			if times[title]++; m.date.Before(published[title]) {
				t.Errorf("%s: %q, of %v, in a mail of %v", p.email, title, published[title], m.date)
			}
		}
		local := m.date.In(zone)
		if m.at.Before(m.date) || !p.due(local) {
			t.Errorf("%s: a mail of %v, due at hour %s, came at %v", p.email, local, p.hour, m.at.In(zone))
		}
		if day := local.Format(time.DateOnly); store.ByHour(p.frequency) {
			if days[day] {
				t.Errorf("%s: two mails on %s", p.email, day)
			}
			days[day] = true
		}
	}
	for title, at := range published {
		want := len(p.tags) == 0 || strings.HasSuffix(title, p.tags[0])
		if want && at.Before(last) {
			counted++
		}
		if n := times[title]; n > 1 || n > 0 && !want || want && n == 0 && at.Before(last) {
			t.Errorf("%s (tags %v): %q of %v came %d times", p.email, p.tags, title, at, n)
		}
	}
	return counted
}

// patience is for how many days a post may wait for the reader's next mail.
func (p dweller) patience() int {
	switch p.frequency {
	case store.CadenceMonthly:
		return 32
	case store.CadenceWeekly:
		return 8
	}
	return 2
}

// due reports whether a local time is one at which the reader may be mailed. An
// hour that the clocks leave out comes as the next one.
func (p dweller) due(local time.Time) bool {
	switch hour, _ := strconv.Atoi(p.hour); p.frequency {
	case store.CadenceEach:
		return true
	case store.CadenceSchedule:
		return (local.Hour() == 6 || local.Hour() == 18) && local.Minute() == 30
	default:
		_, now := local.Zone()
		_, before := local.Add(-time.Second).Zone()
		gap := now > before
		onDay := p.frequency == store.CadenceDaily || p.frequency == store.CadenceWeekly && local.Weekday() == time.Monday || p.frequency == store.CadenceMonthly && local.Day() == 1
		return onDay && (local.Hour() == hour && local.Minute() == 0 || gap)
	}
}
