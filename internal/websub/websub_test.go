package websub_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/websub"
)

const hubA, hubB = "https://a.example/hub", "https://b.example/hub"

// network is the hubs: it notes what they are told and answers as asked to.
type network struct {
	mu      sync.Mutex
	pings   []string // "host topic"
	answers func(host string, n int) (status int, err error)
	refuses string // a topic that every hub has trouble with
	header  http.Header
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	if r.Method != "POST" || r.PostForm.Get("hub.mode") != "publish" || r.PostForm.Get("hub.url") != r.PostForm.Get("hub.topic") {
		return nil, errors.New("no announcement: " + string(body))
	}
	n.pings = append(n.pings, r.URL.Host+" "+r.PostForm.Get("hub.url"))
	status := 204
	if n.answers != nil {
		if status, err = n.answers(r.URL.Host, len(n.pings)); err != nil {
			return nil, err
		}
	}
	if n.refuses != "" && strings.HasSuffix(r.PostForm.Get("hub.url"), n.refuses) {
		status = 500
	}
	header := http.Header{"Location": {"https://elsewhere.example/"}}
	maps.Copy(header, n.header)
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader("as it is")), Header: header, Request: r}, nil
}

// now changes how the hubs answer.
func (n *network) now(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

// told takes what the hubs were told since the last call, sorted.
func (n *network) told() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	told := n.pings
	n.pings = nil
	slices.Sort(told)
	return told
}

// memory is a database of hubs.
type memory struct {
	mu   sync.Mutex
	rows map[string]map[string]string
	err  error
}

func (m *memory) LoadAnnounced(_ context.Context, hub string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := maps.Clone(m.rows[hub])
	if rows == nil {
		rows = map[string]string{}
	}
	return rows, m.err
}

func (m *memory) SaveAnnounced(_ context.Context, hub string, hashes map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.rows == nil {
		m.rows = map[string]map[string]string{}
	}
	if m.rows[hub] == nil {
		m.rows[hub] = map[string]string{}
	}
	maps.Copy(m.rows[hub], hashes)
	return nil
}

// A blog is what is published.
type blog struct {
	mu     sync.Mutex
	hashes map[string]string
}

func (b *blog) set(path, hash string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hashes[path] = hash
}

func (b *blog) topics() []websub.Topic {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []websub.Topic
	for _, path := range slices.Sorted(maps.Keys(b.hashes)) {
		list = append(list, websub.Topic{Path: path, URL: "https://blog.example" + path, Hash: b.hashes[path]})
	}
	return list
}

func (b *blog) topicsByPath() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.hashes)
}

// run starts a publisher, as a process does, and gives what ends it.
func run(t *testing.T, hubs []string, n *network, m *memory, b *blog) (p *websub.Publisher, stop func()) {
	t.Helper()
	p = websub.New(hubs, websub.Deps{Store: m, Topics: b.topics, Client: n, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	synctest.Wait()
	return p, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func want(t *testing.T, n *network, told ...string) {
	t.Helper()
	if got := n.told(); !slices.Equal(got, told) {
		t.Errorf("hubs were told %q, want %q", got, told)
	}
}

func TestOnePingForEachChangedFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, m, b := &network{}, &memory{}, &blog{hashes: map[string]string{"/feed.xml": "1", "/atom.xml": "1"}}
		p, stop := run(t, []string{hubA, hubB}, n, m, b)
		want(t, n) // a hub that is new
		b.set("/feed.xml", "2")
		p.Changed()
		time.Sleep(100 * time.Millisecond)
		b.set("/feed.xml", "3") // within the same burst
		b.set("/tags/x/feed.xml", "1")
		p.Changed()
		time.Sleep(time.Minute)
		want(t, n, "a.example https://blog.example/feed.xml", "a.example https://blog.example/tags/x/feed.xml",
			"b.example https://blog.example/feed.xml", "b.example https://blog.example/tags/x/feed.xml")
		p.Changed()
		time.Sleep(time.Hour)
		want(t, n)
		stop()

		_, stop = run(t, []string{hubA, hubB}, n, m, b)
		time.Sleep(time.Hour)
		want(t, n) // a start alone changes nothing
		stop()

		b.set("/atom.xml", "2") // while nobody ran
		_, stop = run(t, []string{hubA, hubB}, n, m, b)
		time.Sleep(time.Second)
		want(t, n, "a.example https://blog.example/atom.xml", "b.example https://blog.example/atom.xml")
		stop()
	})
}

func TestAHubOutOfReachIsToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, times := true, 0
		n, m, b := &network{}, &memory{}, &blog{hashes: map[string]string{"/feed.xml": "1"}}
		n.answers = func(host string, _ int) (int, error) {
			switch {
			case host != "a.example" || !down:
				return 202, nil
			case times%3 == 0:
				times++
				return 0, errors.New("connection refused")
			case times%3 == 1:
				times++
				return 503, nil
			}
			times++
			return 302, nil
		}
		p, stop := run(t, []string{hubA, hubB}, n, m, b)
		b.set("/feed.xml", "2")
		p.Changed()
		time.Sleep(2 * time.Second)
		want(t, n, "a.example https://blog.example/feed.xml", "b.example https://blog.example/feed.xml")
		time.Sleep(12 * time.Hour)
		tries := len(n.told())
		if tries < 15 || tries > 40 {
			t.Errorf("%d tries in twelve hours", tries)
		}
		b.set("/feed.xml", "3")
		p.Changed()
		time.Sleep(3 * time.Second)
		n.told()
		n.now(func() { down = false })
		time.Sleep(time.Hour)
		want(t, n, "a.example https://blog.example/feed.xml")
		stop()
	})
}

func TestATopicInTroubleKeepsNoOtherBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, m, b := &network{refuses: "/2"}, &memory{}, &blog{hashes: map[string]string{"/1": "a", "/2": "a", "/3": "a"}}
		p, stop := run(t, []string{hubA}, n, m, b)
		for path := range b.topicsByPath() {
			b.set(path, "b")
		}
		p.Changed()
		time.Sleep(3 * time.Second)
		want(t, n, "a.example https://blog.example/1", "a.example https://blog.example/2", "a.example https://blog.example/3")
		time.Sleep(12 * time.Hour) // /2 is tried once an hour at the most by now
		tries := n.told()
		if len(tries) < 10 || len(tries) > 40 || slices.ContainsFunc(tries, func(s string) bool { return s != "a.example https://blog.example/2" }) {
			t.Errorf("the hub was told %q", tries)
		}
		b.set("/1", "c")
		p.Changed()
		time.Sleep(3 * time.Second) // nobody waits for /2
		want(t, n, "a.example https://blog.example/1", "a.example https://blog.example/2")
		n.now(func() { n.refuses = "" })
		time.Sleep(time.Hour)
		want(t, n, "a.example https://blog.example/2")
		stop()
	})
}

func TestAHubThatIsBusyIsLeftAlone(t *testing.T) {
	for _, field := range []string{"7200", time.Date(2000, 1, 1, 2, 0, 1, 0, time.UTC).Format(http.TimeFormat)} { // a bubble begins at 2000-01-01
		synctest.Test(t, func(t *testing.T) {
			n, m, b := &network{header: http.Header{"Retry-After": {field}}}, &memory{}, &blog{hashes: map[string]string{"/1": "a", "/2": "a"}}
			busy := true
			n.answers = func(string, int) (int, error) {
				if busy {
					return 429, nil
				}
				return 204, nil
			}
			p, stop := run(t, []string{hubA}, n, m, b)
			b.set("/1", "b")
			b.set("/2", "b")
			p.Changed()
			time.Sleep(2 * time.Second)
			want(t, n, "a.example https://blog.example/1") // and nothing else
			n.now(func() { busy = false })
			p.Changed()
			time.Sleep(2*time.Hour - 5*time.Second)
			want(t, n)
			time.Sleep(time.Minute)
			want(t, n, "a.example https://blog.example/1", "a.example https://blog.example/2")
			stop()
		})
	}
}

func TestNothingIsNewBeforeAnythingIsPublic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, m, b := &network{}, &memory{}, &blog{hashes: map[string]string{}}
		p, stop := run(t, []string{hubA}, n, m, b)
		b.set("/feed.xml", "1")
		p.Changed()
		time.Sleep(time.Minute)
		want(t, n) // nobody subscribes by a hub that no feed has named yet
		b.set("/feed.xml", "2")
		p.Changed()
		time.Sleep(time.Minute)
		want(t, n, "a.example https://blog.example/feed.xml")
		stop()
	})
}

func TestARefusalIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, m, b := &network{}, &memory{}, &blog{hashes: map[string]string{"/feed.xml": "1", "/atom.xml": "1"}}
		n.answers = func(string, int) (int, error) { return 400, nil }
		p, stop := run(t, []string{hubA}, n, m, b)
		b.set("/feed.xml", "2")
		b.set("/atom.xml", "2")
		p.Changed()
		time.Sleep(24 * time.Hour)
		want(t, n, "a.example https://blog.example/atom.xml", "a.example https://blog.example/feed.xml")
		stop()
	})
}

func TestWhatWasSaidIsKeptBeforeMoreIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, m, b := &network{}, &memory{}, &blog{hashes: map[string]string{"/1": "a", "/2": "a", "/3": "a"}}
		_, stop := run(t, []string{hubA}, n, m, b)
		stop()
		for path := range b.hashes {
			b.set(path, "b")
		}
		ctx, cancel := context.WithCancel(t.Context())
		n.answers = func(_ string, said int) (int, error) {
			if said == 2 {
				cancel() // the process ends with its second ping
				return 0, ctx.Err()
			}
			return 204, nil
		}
		p := websub.New([]string{hubA}, websub.Deps{Store: m, Topics: b.topics, Client: n, Log: slog.New(slog.DiscardHandler)})
		if err := p.Run(ctx); err != nil {
			t.Fatal(err)
		}
		want(t, n, "a.example https://blog.example/1", "a.example https://blog.example/2")
		n.answers = nil
		_, stop = run(t, []string{hubA}, n, m, b)
		want(t, n, "a.example https://blog.example/2", "a.example https://blog.example/3")
		stop()
	})
}

func TestWithoutHubsItWaitsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := websub.New(nil, websub.Deps{Topics: (&blog{}).topics, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		p.Changed()
		if err := p.Run(ctx); err != nil || time.Since(began) < time.Hour {
			t.Errorf("Run ended after %s: %v", time.Since(began), err)
		}
	})
}

func TestADatabaseThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, b := &network{}, &blog{hashes: map[string]string{"/feed.xml": "2"}}
		m := &memory{rows: map[string]map[string]string{hubA: {"/feed.xml": "1"}}, err: errors.New("disk full")}
		_, stop := run(t, []string{hubA}, n, m, b)
		want(t, n)
		m.mu.Lock()
		m.err = nil
		m.mu.Unlock()
		time.Sleep(time.Minute)
		want(t, n, "a.example https://blog.example/feed.xml")
		stop()
	})
}
