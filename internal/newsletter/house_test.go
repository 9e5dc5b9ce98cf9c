package newsletter_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/clock"
	"tidings/internal/digest"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/relay"
	"tidings/internal/schedule"
	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/sqlite/sqlitetest"
	"tidings/internal/token"
	"tidings/templates"
)

// A house is a Service on a real database, with posts that tests put in.
type house struct {
	*newsletter.Service
	t    testing.TB
	dir  string
	mu   sync.Mutex
	snap *catalog.Snapshot
}

func weekly() newsletter.Newsletter {
	return newsletter.Newsletter{
		Name: "weekly", Title: "Weekly", Zone: time.UTC, From: "News <news@example.org>",
		MaxPostAge: 30 * 24 * time.Hour, MinPosts: 1, CatchUp: true, MaxLateness: 24 * time.Hour, InDoubt: store.Resend,
	}
}

// newHouse gives a house whose newsletters were first seen an hour ago.
func newHouse(t testing.TB, letters ...newsletter.Newsletter) *house {
	t.Helper()
	h := freshHouse(t, letters...)
	h.Clock = clock.Rehearse(time.Now(), 20)
	for _, n := range letters {
		if _, err := h.Store.SeeNewsletter(context.Background(), time.Now().Add(-time.Hour), n.Name); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func freshHouse(t testing.TB, letters ...newsletter.Newsletter) *house {
	t.Helper()
	file := sqlitetest.File(t)
	h := &house{t: t, dir: filepath.Dir(file), snap: &catalog.Snapshot{}}
	db, err := sqlite.Open(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h.Service = newsletter.New(newsletter.Config{
		Newsletters: letters,
		Site: newsletter.Site{
			Title: "Field Notes", URL: "https://example.org", Language: "en",
			BaseURL: &url.URL{Scheme: "https", Host: "news.example.org"},
		},
		Expires: 72 * time.Hour,
	}, newsletter.Deps{
		Store: db, Key: testKey(t), Templates: testTemplates(t), Posts: h.posts,
		Clock: clock.Clock{}, Log: slog.New(slog.DiscardHandler),
	})
	return h
}

func testKey(t testing.TB) token.Key {
	k, err := token.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// builtin is parsed once: nobody replaces it.
var builtin = sync.OnceValues(func() (*digest.Templates, error) { return digest.Parse(templates.Builtin()) })

func testTemplates(t testing.TB) *digest.Templates {
	parsed, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (h *house) posts() *catalog.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.snap
}

// publish puts a post in, published at the given time.
func (h *house) publish(title string, at time.Time, categories ...string) *catalog.Entry {
	h.t.Helper()
	now := time.Now()
	p := &store.Post{GUID: "tag:example.org:" + title, File: title + ".md", Path: "/" + title + "/", Title: title, Published: at, FirstSeen: now, Changed: now}
	if err := h.Store.SavePosts(context.Background(), []*store.Post{p}); err != nil {
		h.t.Fatal(err)
	}
	e := &catalog.Entry{
		Post:   &post.Post{File: p.File, Title: title, Categories: categories, Summary: "About " + title, Published: at},
		PostID: p.ID, ID: p.GUID, Path: p.Path, URL: "https://example.org" + p.Path, Published: at, Updated: at, FirstSeen: now, Changed: now,
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	entries := append(slices.Clone(h.snap.Entries), e)
	slices.SortFunc(entries, func(a, b *catalog.Entry) int { return b.Published.Compare(a.Published) })
	h.snap = &catalog.Snapshot{Entries: entries}
	return e
}

// readers subscribes people who follow the categories; none means everything.
func (h *house) readers(n int, newsletterName string, categories ...string) []string {
	h.t.Helper()
	var emails []string
	var csv strings.Builder
	csv.WriteString("email,categories\n")
	for i := range n {
		emails = append(emails, fmt.Sprintf("r%d%s@example.com", i, strings.Join(categories, "")))
		fmt.Fprintf(&csv, "%s,%q\n", emails[i], strings.Join(categories, ","))
	}
	in := newsletter.Import{Newsletter: newsletterName, Confirmed: true}
	if _, err := h.ImportCSV(context.Background(), strings.NewReader(csv.String()), in); err != nil {
		h.t.Fatal(err)
	}
	return emails
}

// plan makes an edition by hand.
func (h *house) plan(n newsletter.Newsletter) newsletter.Plan {
	h.t.Helper()
	p, err := h.Plan(context.Background(), newsletter.Request{Newsletter: n})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// edition reads an edition and checks its account.
func (h *house) edition(id int64) store.Edition {
	h.t.Helper()
	e, err := h.Store.Edition(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	if !e.Counts.Balanced() {
		h.t.Errorf("edition %d does not balance: %+v", id, e.Counts)
	}
	return e
}

// sender makes a Sender with fast retries.
func (h *house) sender(r relay.Relay, change ...func(*newsletter.SenderConfig)) *newsletter.Sender {
	c := newsletter.SenderConfig{Connections: 3, RetryBase: 20 * time.Millisecond, JournalDir: filepath.Join(h.dir, "senders")}
	for _, f := range change {
		f(&c)
	}
	return newsletter.NewSender(h.Service, c, r, nil, nil)
}

// run sends until the condition holds, then stops the sender in good order.
func (h *house) run(s *newsletter.Sender, until func() bool) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	deadline := time.Now().Add(30 * time.Second)
	for !until() && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	met := until()
	stop()
	if err := <-done; err != nil {
		h.t.Errorf("sender: %v", err)
	}
	if !met {
		h.t.Fatal("the condition was not reached")
	}
}

func (h *house) finished(id int64) func() bool {
	return func() bool { return h.edition(id).Status == store.EditionFinished }
}

func spec(t testing.TB, text string) *schedule.Spec {
	t.Helper()
	s, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

// A fakeRelay stands at the network's edge: it answers as told and remembers
// what it took.
type fakeRelay struct {
	answer func(to string, try int) error // nil error: taken
	mu     sync.Mutex
	tries  map[string]int
	taken  map[string][][]byte
	from   map[string]string // last envelope sender by recipient
	down   error             // what Connect answers, if set
	begun  chan string       // told of each mail that is begun, if set
	hold   chan string       // then waited for, if set

	answerFrom func(to string) error // refuses at MAIL, before anything else
}

func newFakeRelay(answer func(to string, try int) error) *fakeRelay {
	return &fakeRelay{answer: answer, tries: map[string]int{}, taken: map[string][][]byte{}, from: map[string]string{}}
}

func (f *fakeRelay) Connect(context.Context) (relay.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, &relay.Error{Phase: "dial", Kind: relay.Unavailable, Err: f.down}
	}
	return &fakeConn{relay: f}, nil
}

func (f *fakeRelay) setDown(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

func (f *fakeRelay) got(to string) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken[to]
}

func (f *fakeRelay) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, m := range f.taken {
		n += len(m)
	}
	return n
}

type fakeConn struct {
	relay  *fakeRelay
	broken bool
}

func (c *fakeConn) Usable() bool                    { return !c.broken }
func (c *fakeConn) Announce(relay.Envelope, []byte) {}
func (c *fakeConn) Close() error                    { return nil }

func (c *fakeConn) Send(_ context.Context, env relay.Envelope, msg []byte, atDot func() error) (relay.Reply, error) {
	if c.relay.answerFrom != nil {
		if err := c.relay.answerFrom(env.To); err != nil {
			return relay.Reply{}, err
		}
	}
	if c.relay.begun != nil {
		c.relay.begun <- env.To
	}
	if c.relay.hold != nil {
		<-c.relay.hold
	}
	if atDot != nil {
		if err := atDot(); err != nil {
			return relay.Reply{}, &relay.Error{Phase: "body", Kind: relay.Unavailable, Err: err}
		}
	}
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	c.relay.tries[env.To]++
	c.relay.from[env.To] = env.From
	err := error(nil)
	if c.relay.answer != nil {
		err = c.relay.answer(env.To, c.relay.tries[env.To])
	}
	if re, ok := err.(*relay.Error); ok && re.Kind == relay.InDoubt {
		c.broken = true
		c.relay.taken[env.To] = append(c.relay.taken[env.To], bytes.Clone(msg)) // it may well have arrived
		return relay.Reply{}, err
	}
	if err != nil {
		return relay.Reply{}, err
	}
	c.relay.taken[env.To] = append(c.relay.taken[env.To], bytes.Clone(msg))
	return relay.Reply{Code: 250, Enhanced: "2.0.0", Text: "ok"}, nil
}

func refusal(kind relay.Kind, code int) *relay.Error {
	return &relay.Error{Phase: "rcpt", Kind: kind, Reply: relay.Reply{Code: code, Text: "because"}}
}
