package newsletter_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/roster"
	"tidings/internal/store"
	"tidings/internal/term"
)

// load imports a file.
func (h *house) load(content []byte, name string, in newsletter.Import) (newsletter.ImportReport, error) {
	h.t.Helper()
	r, err := roster.Open(bytes.NewReader(content), int64(len(content)), name, roster.Auto)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.Import(context.Background(), r, in)
}

func (h *house) exported() string {
	h.t.Helper()
	var b bytes.Buffer
	if err := h.ExportCSV(context.Background(), &b); err != nil {
		h.t.Fatal(err)
	}
	return b.String()
}

// statuses gives address → status, with the reason of a suppression.
func (h *house) statuses() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	err := h.Store.EachSubscriber(context.Background(), store.SubscriberFilter{}, func(p store.Subscriber) error {
		all[p.Email] = p.Subscriptions[0].Status
		if x, err := h.Store.Suppressed(context.Background(), p.Key); err == nil {
			all[p.Email] += " " + x.Reason
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// anyone draws somebody with a subscription in any state.
func anyone(rt *rapid.T, h *house, i int) store.ImportRow {
	email := fmt.Sprintf("r%d.%s@example.org", i, rapid.SampledFrom([]string{"x", "X", "ö", "用户"}).Draw(rt, "local"))
	key, err := h.SuppressionKey(email)
	if err != nil {
		rt.Fatal(err)
	}
	at := func(name string) time.Time {
		if rapid.Bool().Draw(rt, name) {
			return time.Time{}
		}
		return time.UnixMilli(rapid.Int64Range(1, 1_800_000_000_000).Draw(rt, name)).UTC()
	}
	word := rapid.StringOfN(rapid.RuneFrom([]rune(`aé;"',\ |語`)), 0, 8, -1)
	topics := func(name string) (keys []string) {
		for _, w := range rapid.SliceOfN(word, 0, 3).Draw(rt, name) {
			if k := term.Key(w); k != "" {
				keys = append(keys, k)
			}
		}
		return keys
	}
	p := store.Subscriber{
		Email: email, Key: key, Name: strings.TrimSpace(word.Draw(rt, "name")), CreatedAt: at("created"),
		Language:   rapid.SampledFrom([]string{"", "de", "pt-BR"}).Draw(rt, "language"),
		Timezone:   rapid.SampledFrom([]string{"", "Europe/Berlin"}).Draw(rt, "zone"),
		Format:     rapid.SampledFrom([]string{"html", "text"}).Draw(rt, "format"),
		QuietHours: rapid.SampledFrom([]string{"", "22-7"}).Draw(rt, "quiet"),
	}
	for _, n := range rapid.SampledFrom([][]string{{"weekly"}, {"daily"}, {"daily", "weekly"}}).Draw(rt, "newsletters") {
		s := store.Subscription{
			Newsletter: n, Status: rapid.SampledFrom([]string{store.StatusPending, store.StatusActive, store.StatusUnsubscribed}).Draw(rt, "status"),
			Categories: topics("categories"), Tags: topics("tags"), Frequency: rapid.SampledFrom([]string{"daily", "schedule"}).Draw(rt, "frequency"),
			Hour: rapid.SampledFrom([]string{"", "0", "23"}).Draw(rt, "hour"), PausedUntil: at("paused"),
			CreatedAt: at("joined"), ConfirmedAt: at("confirmed"), EndedAt: at("ended"),
		}
		p.Subscriptions = append(p.Subscriptions, s)
	}
	suppress := rapid.SampledFrom([]string{"", "", store.ReasonBounce, store.ReasonManual}).Draw(rt, "suppress")
	return store.ImportRow{Line: i, Subscriber: p, Suppress: suppress}
}

// TestExportIsLossless imports what was exported, into an empty database and into
// the one it came from.
func TestExportIsLossless(t *testing.T) {
	for seed := range 8 {
		h, other := freshHouse(t, weekly(), named("daily")), freshHouse(t, weekly(), named("daily"))
		if _, err := h.Store.ImportSubscribers(t.Context(), time.Now(), everybody(h).Example(seed), false); err != nil {
			t.Fatal(err)
		}
		who := "someone@example.org"
		if _, err := h.load([]byte("email,newsletters\n"+who+",\"weekly,daily\"\n"), "x.csv", newsletter.Import{Confirmed: true}); err != nil {
			t.Fatal(err)
		}
		h.comesAndGoes(who)
		first := h.exported()
		for _, to := range []*house{other, h} {
			r, err := to.load([]byte(first), "people.csv", newsletter.Import{Confirmed: true})
			if err != nil || r.Invalid+r.Duplicate > 0 || to == h && r.Added+r.Updated > 0 {
				t.Fatalf("%+v, %v\n%s", r, err, first)
			}
			if again := to.exported(); again != first {
				t.Fatalf("exported\n%s\nbecame\n%s", first, again)
			}
		}
	}
}

// everybody draws a lot of people.
func everybody(h *house) *rapid.Generator[[]store.ImportRow] {
	return rapid.Custom(func(rt *rapid.T) (rows []store.ImportRow) {
		for i := range 60 {
			rows = append(rows, anyone(rt, h, i))
		}
		return rows
	})
}

// comesAndGoes has somebody leave everything and sign up again.
func (h *house) comesAndGoes(email string) {
	h.t.Helper()
	who, err := h.Store.SubscriberByEmail(context.Background(), email)
	if err == nil {
		err = h.Store.Unsubscribe(context.Background(), time.Now(), who.ID, "")
	}
	if err == nil {
		err = h.SignUp(context.Background(), newsletter.SignUp{Email: email, Newsletters: []string{"daily"}})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func named(name string) newsletter.Newsletter {
	n := weekly()
	n.Name = name
	return n
}

func TestImportFromMailchimp(t *testing.T) {
	h := newHouse(t, weekly())
	h.snap = &catalog.Snapshot{Tags: []*catalog.Term{{Kind: catalog.Tag, Key: "go", Name: "Go", Slug: "go"}},
		Categories: []*catalog.Term{{Kind: catalog.Category, Key: "devops", Name: "DevOps", Slug: "devops"}}}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range map[string]string{
		"subscribed_email_audience_export_1.csv": "Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,LEID,EUID,TAGS\n" +
			"ada@example.com,Ada,L.,2021-03-04 05:06:07,2021-03-04 05:09:10,Nowhere/At All,1,a,\"\"\"GO\"\",\"\"DevOps\"\",\"\"VIP\"\"\"\n" +
			"left@example.com,,,2021-03-04 05:06:07,2021-03-04 05:09:10,,2,b,\n",
		"unsubscribed_email_audience_export_1.csv": "Email Address,OPTIN_TIME,UNSUB_TIME,LEID,EUID\nleft@example.com,2021-03-04 05:06:07,2022-03-04 05:06:07,2,b\n",
		"cleaned_email_audience_export_1.csv":      "Email Address,OPTIN_TIME,CLEAN_TIME,LEID,EUID\ngone@example.com,2021-03-04 05:06:07,2022-03-04 05:06:07,3,c\n",
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		r, err := h.load(b.Bytes(), "audience.zip", newsletter.Import{Confirmed: true, DryRun: dry})
		if err != nil {
			t.Fatal(err)
		}
		if r.Format != roster.Mailchimp || r.Added != 2 || r.Suppressed != 1 || r.Duplicate != 1 || r.Invalid != 0 || r.IgnoredTags["VIP"] != 1 || len(r.IgnoredTags) != 1 {
			t.Errorf("dry run %v: %+v", dry, r)
		}
		if len(r.Problems) != 2 || r.Problems[0].File != "cleaned_email_audience_export_1.csv" || r.Problems[1].Line != 3 ||
			!strings.Contains(r.Problems[1].Message, "unsubscribed_email_audience_export_1.csv, line 2") {
			t.Errorf("dry run %v: %v", dry, r.Problems)
		}
	}
	want := map[string]string{"ada@example.com": "active", "left@example.com": "unsubscribed", "gone@example.com": "unsubscribed bounce"}
	if got := h.statuses(); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	ada, err := h.Store.SubscriberByEmail(t.Context(), "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	sub := ada.Subscriptions[0]
	if ada.Name != "Ada L." || ada.Timezone != "" || !slices.Equal(sub.Tags, []string{"go"}) || !slices.Equal(sub.Categories, []string{"devops"}) ||
		!sub.ConfirmedAt.Equal(time.Date(2021, 3, 4, 5, 9, 10, 0, time.UTC)) || !sub.CreatedAt.Equal(time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)) {
		t.Errorf("%+v", ada)
	}
	h.publish("one", time.Now(), "DevOps")
	if p := h.plan(weekly()); p.Edition.Counts.Eligible != 1 {
		t.Errorf("readers: %+v", p.Edition.Counts)
	}
}

// TestStricterRowCounts: of two rows about one person, the one that lets them be
// mailed less is believed, whichever comes first.
func TestStricterRowCounts(t *testing.T) {
	for _, in := range []string{"a@example.org,active\nA@example.org,unsubscribed\n", "a@example.org,unsubscribed\nA@example.org,active\n",
		"a@example.org,active\na@example.org,active\na@example.org,unsubscribed\n"} {
		h := newHouse(t, weekly())
		r, err := h.load([]byte("email,status\n"+in), "x.csv", newsletter.Import{Confirmed: true})
		if err != nil || r.Added != 1 || r.Duplicate != strings.Count(in, "\n")-1 {
			t.Errorf("%+v, %v", r, err)
		}
		if got := slices.Collect(maps.Values(h.statuses())); !slices.Equal(got, []string{store.StatusUnsubscribed}) {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestImportRefusesWhatNobodyCouldUse(t *testing.T) {
	h := newHouse(t, weekly())
	for column, value := range map[string]string{
		"hour": "24", "quiet_hours": "22", "language": "x y", "format": "pdf", "frequency": "hourly", "timezone": "Mars/Base",
		"paused_until": "soon", "suppressed": "maybe", "newsletters": "\"weekly,weekly\"", "name": strings.Repeat("x", 201),
	} {
		r, err := h.load(fmt.Appendf(nil, "email,%s\na@example.org,%s\n", column, value), "x.csv", newsletter.Import{Confirmed: true})
		if err != nil || r.Invalid != 1 || len(r.Problems) != 1 || r.Problems[0].Line != 2 {
			t.Errorf("%s %q: %+v, %v", column, value, r, err)
		}
	}
	if _, err := h.load([]byte("email\na@example.org\n"), "x.csv", newsletter.Import{Newsletter: "daily"}); !errors.Is(err, newsletter.ErrNewsletter) {
		t.Errorf("a newsletter that is none: %v", err)
	}
}

// A haltingStore fails in the middle of an import.
type haltingStore struct {
	store.Store
	stage, apply int // calls that succeed
}

var errHalt = errors.New("halted")

func (s *haltingStore) StageImport(ctx context.Context, now time.Time, id int64, rows []store.ImportRow) error {
	if s.stage--; s.stage < 0 {
		return errHalt
	}
	return s.Store.StageImport(ctx, now, id, rows)
}

func (s *haltingStore) ApplyImport(ctx context.Context, now time.Time, _ time.Duration, w store.Wants) (int, error) {
	if s.apply--; s.apply < 0 {
		return 0, errHalt
	}
	return s.Store.ApplyImport(ctx, now, 0, w)
}

// manyRows is a file that is sorted in its temporary file, and staged in several
// steps.
func manyRows(n int) []byte {
	b := []byte("email\n")
	for i := range n {
		b = fmt.Appendf(b, "reader%d@example.org\n", i)
	}
	return append(b, "READER7@example.org\n"...)
}

// TestImportIsAllOrNothing stops imports halfway.
func TestImportIsAllOrNothing(t *testing.T) {
	const people = 9000
	h := newHouse(t, weekly())
	db := h.Store
	h.Store = &haltingStore{Store: db, stage: 1}
	if _, err := h.load(manyRows(people), "x.csv", newsletter.Import{Confirmed: true}); !errors.Is(err, errHalt) {
		t.Fatalf("staging: %v", err)
	}
	h.Store = db
	if err := h.FinishImports(t.Context()); err != nil || len(h.statuses()) != 0 {
		t.Errorf("of an import that was not staged whole %d people came in; %v", len(h.statuses()), err)
	}
	if stale, err := db.StaleImports(t.Context(), time.Now().Add(24*time.Hour)); err != nil || len(stale) != 0 {
		t.Errorf("what was staged is still there: %v, %v", stale, err)
	}

	h.Store = &haltingStore{Store: db, stage: people, apply: 2}
	var unfinished *newsletter.UnfinishedError
	if _, err := h.load(manyRows(people), "x.csv", newsletter.Import{Confirmed: true}); !errors.As(err, &unfinished) || !errors.Is(err, errHalt) {
		t.Fatalf("applying: %v", err)
	}
	if n := len(h.statuses()); n == 0 || n == people {
		t.Fatalf("%d people came in", n)
	}
	// The next edition sees all of them.
	h.Store = db
	h.publish("one", time.Now())
	if p := h.plan(weekly()); p.Edition.Counts.Eligible != people {
		t.Errorf("readers: %+v", p.Edition.Counts)
	}
}

func TestLargeImport(t *testing.T) {
	h := newHouse(t, weekly())
	stages := map[string]int64{}
	in := newsletter.Import{Confirmed: true, Progress: func(stage string, done, of int64) {
		if done > of || done < stages[stage] {
			t.Errorf("%s: %d of %d after %d", stage, done, of, stages[stage])
		}
		stages[stage] = done
	}}
	const people = 9000
	r, err := h.load(manyRows(people), "x.csv", in)
	if err != nil || r.Added != people || r.Duplicate != 1 || r.Problems[0].Line != people+2 || !strings.Contains(r.Problems[0].Message, "line 9 ") {
		t.Errorf("%+v, %v", r, err)
	}
	if stages[newsletter.ImportStages] != people || stages[newsletter.ImportApplies] < people {
		t.Errorf("progress: %v", stages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file, err := roster.Open(strings.NewReader("email\na@example.org\n"), 20, "", roster.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Import(ctx, file, newsletter.Import{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
