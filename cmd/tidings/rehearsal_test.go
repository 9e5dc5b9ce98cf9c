package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/store"
)

const rehearsedConfig = `
site: {title: Field Notes, url: "http://localhost:%[1]d"}
posts: {dir: posts, settle: 0s}
newsletters:
  nightly: {schedule: "30 2 * * *", timezone: Europe/Berlin}
  hourly: {schedule: "0 * * * *", timezone: America/New_York, tags: [go]}
  weekly: {schedule: "0 0 * * 5", timezone: Africa/Cairo, min_posts: 2}
http: {listen: "127.0.0.1:%[1]d"}
`

// TestPlansComeTrue tells ahead the runs of a week in which clocks change, has
// the daemon rehearse it, and compares: every run has its record, and is what
// was told.
func TestPlansComeTrue(t *testing.T) {
	for _, c := range []struct {
		name, start string
		first       map[string]string // the first run to tell, by newsletter
	}{
		{"spring", "2027-03-22", map[string]string{"nightly": "2027-03-26T02:30", "hourly": "2027-03-25T12:00", "weekly": "2027-03-26T00:00"}},
		{"autumn", "2027-10-25", map[string]string{"nightly": "2027-10-29T02:30", "hourly": "2027-10-28T12:00", "weekly": "2027-10-29T00:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // it waits, mostly
			start, err := time.Parse(time.DateOnly, c.start)
			if err != nil {
				t.Fatal(err)
			}
			d := rehearsed(t, start)
			plans, last := map[string]planJSON{}, map[string]string{}
			for name, first := range c.first {
				plans[name] = d.told(name, first, map[string]int{"nightly": 4, "hourly": 100, "weekly": 0}[name])
				runs := plans[name].Runs
				if last[name] = first; len(runs) > 0 {
					last[name] = runs[len(runs)-1].Slot
				}
			}
			d.start("--clock", start.Format(time.RFC3339)+",100000")
			for name, slot := range last {
				d.eventually(name+" is through", func() bool {
					return slices.ContainsFunc(d.runs(name), func(e editionJSON) bool { return e.Slot == slot && e.Pending == 0 })
				})
			}
			if err := d.stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
			for name, plan := range plans {
				d.compare(name, plan)
			}
		})
	}
}

// rehearsed makes a blog with posts from the fourth day after start on: what
// is published before the daemon is up, which lasts long on such a clock, is
// no newsletter's.
func rehearsed(t *testing.T, start time.Time) *running {
	posts := map[string]string{}
	for i := range 12 {
		at := start.Add(time.Duration(3*24+9*i)*time.Hour + 30*time.Minute)
		posts[fmt.Sprintf("p%d.md", i)] = fmt.Sprintf("---\ntitle: Post %d\ndate: %s\ntags: [%s]\n---\nText.\n",
			i, at.Format(time.RFC3339), []string{"go", "life"}[i%2])
	}
	port := freePort(t)
	d := &running{blog: newBlog(t, fmt.Sprintf(rehearsedConfig, port), posts), base: fmt.Sprintf("http://localhost:%d", port), logs: &syncBuffer{}}
	d.write("people.csv", "email,newsletters,tags\na@example.com,\"nightly,hourly,weekly\",\nb@example.com,\"nightly,weekly\",go\nc@example.com,nightly,life\n")
	d.must("subscribers", "import", "people.csv", "--confirmed")
	return d
}

// told is the plan of a run and of those after it.
func (d *running) told(name, slot string, runs int) (plan planJSON) {
	d.t.Helper()
	out := d.must("plan", name, "--at", slot, "--runs", fmt.Sprint(runs), "--json")
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		d.t.Fatal(err)
	}
	if plan.Slot != slot || plan.Manual || len(plan.Runs) != runs {
		d.t.Fatalf("the plan of %s is of %s, with %d runs", slot, plan.Slot, len(plan.Runs))
	}
	return plan
}

// runs are the records of a newsletter, newest first.
func (d *running) runs(name string) (list []editionJSON) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.must("editions", "list", "--newsletter", name, "--limit", "0", "--json")), &list); err != nil {
		d.t.Fatal(err)
	}
	return list
}

// compare holds the records against the plan.
func (d *running) compare(name string, plan planJSON) {
	d.t.Helper()
	records := map[string]editionJSON{}
	for _, e := range d.runs(name) {
		if _, twice := records[e.Slot]; twice || e.Missed || e.LateSeconds != 0 {
			d.t.Errorf("%s: %s has two records, or was late: %+v", name, e.Slot, e)
		}
		records[e.Slot] = e
	}
	first := planRun{Slot: plan.Slot, Status: plan.Status, Posts: plan.Posts, Readers: plan.Pending, Reason: plan.Reason}
	mailed := 0
	for _, want := range append([]planRun{first}, plan.Runs...) {
		if want.Status == store.EditionSending {
			want.Status = store.EditionFinished
		}
		mailed += want.Posts
		e := records[want.Slot]
		got := fmt.Sprint(e.Status, " ", e.Posts, " ", e.Sent, " ", e.Reason)
		if told := fmt.Sprint(want.Status, " ", want.Posts, " ", want.Readers, " ", want.Reason); got != told {
			d.t.Errorf("%s, run of %s:\ngot  %s\ntold %s", name, want.Slot, got, told)
		}
	}
	if mailed == 0 {
		d.t.Errorf("%s: nothing was mailed, so nothing was compared", name)
	}
	subjects := d.edition(int(records[plan.Slot].ID)).Subjects
	for i, g := range plan.Groups {
		if i >= len(subjects) || subjects[i] != g.Subject {
			d.t.Errorf("%s: subjects %q, told %q", name, strings.Join(subjects, "; "), g.Subject)
		}
	}
}

// TestRehearsalOfThePast starts where nothing was yet that commands have noted
// since: the posts came later, and the newsletter was first seen later. Whoever
// wants each post, or a digest each day, gets what is published from the start on.
func TestRehearsalOfThePast(t *testing.T) {
	t.Parallel() // it waits, mostly
	start := time.Now().AddDate(0, -6, 0).Truncate(24 * time.Hour)
	post := func(title string, at time.Time) string {
		return fmt.Sprintf("---\ntitle: %s\ndate: %s\ntags: [go]\n---\nText.\n", title, at.UTC().Format(time.RFC3339))
	}
	posts := map[string]string{"a.md": post("Post 0001 go", start.AddDate(0, 0, 9)), "b.md": post("Post 0002 go", start.AddDate(0, 0, 12))}
	config := strings.Replace(zonesConfig, "settle: 0s", "settle: 30s", 1)
	d := prepare(t, config, posts)
	d.write("people.csv", "email,frequency\neach@example.com,each\ndaily@example.com,daily\n")
	d.must("subscribers", "import", "people.csv", "--confirmed")
	d.must("send", "news", "--subject", "Nobody", "--since", "1h", "--yes") // sees the newsletter, now
	d.start("--clock", start.Format(time.RFC3339)+",100000")
	d.eventually("the posts are mailed", func() bool {
		got := d.posted()
		return len(got["each@example.com"]) >= 2 && len(got["daily@example.com"]) >= 2
	})
	if err := d.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for reader, mails := range d.posted() {
		var titles []string
		for _, m := range mails {
			titles = append(titles, m.titles...)
		}
		if slices.Sort(titles); !slices.Equal(titles, []string{"Post 0001 go", "Post 0002 go"}) {
			t.Errorf("%s got %q", reader, titles)
		}
	}
}
