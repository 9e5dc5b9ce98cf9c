package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A hub notes what it is told, and looks at it as a hub does.
type hub struct {
	*httptest.Server
	mu   sync.Mutex
	told []string // path of the topic and what it held then
	down bool
	look func(topic *url.URL) string // gives what a topic holds
}

// fetch asks as a program on the network does.
func fetch(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Error(err)
		return &http.Response{Header: http.Header{}}, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res, string(b)
}

func newHub(t *testing.T) *hub {
	h := &hub{}
	h.look = func(topic *url.URL) string {
		_, feed := fetch(t, topic.String())
		return feed
	}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		topic, err := url.Parse(r.PostFormValue("hub.url"))
		switch {
		case err != nil:
			t.Error(err)
		case h.down:
			w.WriteHeader(http.StatusInternalServerError)
		case strings.Contains(h.look(topic), "Better bees"):
			h.told = append(h.told, topic.Path+" new")
		default:
			h.told = append(h.told, topic.Path+" old")
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) setDown(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

func (h *hub) lookBy(look func(*url.URL) string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.look = look
}

func (h *hub) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := slices.Clone(h.told)
	slices.Sort(told)
	return told
}

func TestHubsHearOfChangedFeedsOnceTheyArePublic(t *testing.T) {
	h := newHub(t)
	bees := "---\ntitle: %s\ndate: 2025-01-02\ntags: [bees]\n---\nAll about bees.\n"
	d := serve(t, hubSite+"feeds: {hubs: ['"+h.URL+"']}\n", map[string]string{
		"ants.md": "---\ntitle: Ants\ndate: 2025-01-01\ntags: [ants]\n---\nAll about ants.\n",
		"bees.md": fmt.Sprintf(bees, "Bees"),
	})
	for path, part := range map[string]string{"/feed.xml": `rel="hub" href="` + h.URL + `"`, "/feed.json": `"url": "` + h.URL + `"`} {
		res, feed := fetch(t, d.base+path)
		if !strings.Contains(feed, part) || !strings.Contains(res.Header.Get("Link"), "<"+h.URL+`>; rel="hub"`) {
			t.Errorf("%s names no hub: %s %v", path, feed, res.Header)
		}
	}
	d.knows()
	write := func(text string) { d.write("posts/bees.md", text) }
	write(strings.Replace(fmt.Sprintf(bees, "Better bees"), "tags", "draft: true\ntags", 1)) // leaves the feeds
	d.eventually("the hub hears that a post left", func() bool { return len(h.heard()) >= 3 })
	write(fmt.Sprintf(bees, "Better bees"))
	want := []string{"/atom.xml new", "/feed.json new", "/feed.xml new", "/tags/bees/atom.xml new", "/tags/bees/feed.json new", "/tags/bees/feed.xml new"}
	d.eventually("the hub hears of every changed feed", func() bool {
		heard := h.heard()
		return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(heard, w) })
	})
	for _, told := range h.heard() {
		if strings.Contains(told, "/tags/ants/") || strings.Contains(told, "opml") {
			t.Errorf("the hub was told of %s, which did not change", told)
		}
	}
}

// knows waits until the daemon has taken down what is published when a hub is
// new: changes before that are no news.
func (d *running) knows() {
	d.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.dir, "data", "tidings.db")+"?mode=ro")
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	d.eventually("the hub is known", func() bool {
		n := 0
		err := db.QueryRow("SELECT count(*) FROM hub_topics").Scan(&n)
		return err == nil && n > 0
	})
}

const hubSite = "site: {url: 'http://localhost:%[1]d'}\nhttp: {listen: '127.0.0.1:%[1]d'}\nposts: {dir: posts}\n"

func TestHubsHearOnceTheFilesAreWritten(t *testing.T) {
	h := newHub(t)
	d := serve(t, hubSite+"feeds: {dir: public, formats: [rss], hubs: ['"+h.URL+"']}\n", map[string]string{
		"bees.md": "---\ntitle: Bees\ndate: 2025-01-02\n---\nAll about bees.\n",
	})
	h.lookBy(func(topic *url.URL) string {
		b, err := os.ReadFile(filepath.Join(d.dir, "public", topic.Path))
		if err != nil {
			t.Error(err)
		}
		return string(b)
	})
	d.knows()
	public, aside := filepath.Join(d.dir, "public"), filepath.Join(d.dir, "aside")
	if err := os.Rename(public, aside); err != nil {
		t.Fatal(err)
	}
	d.write("public", "no folder") // nothing can be written
	d.write("posts/bees.md", "---\ntitle: Better bees\ndate: 2025-01-02\n---\nAll about bees.\n")
	d.eventually("the files fail", func() bool { return strings.Contains(d.logs.String(), "feeds not written") })
	if err := errors.Join(os.Remove(public), os.Rename(aside, public)); err != nil {
		t.Fatal(err)
	}
	d.write("posts/wasps.md", "---\ntitle: Wasps\ndate: 2025-01-01\n---\nAll about wasps.\n")
	d.eventually("the hub hears", func() bool { return len(h.heard()) > 0 })
	if got := h.heard(); got[0] != "/feed.xml new" || strings.Contains(d.logs.String(), "a hub was not told") {
		t.Errorf("the hub heard %q", got)
	}
}

func TestHubsHearOfAChangeBeforeAKill(t *testing.T) {
	h := newHub(t)
	d := serve(t, hubSite+"feeds: {formats: [rss], hubs: ['"+h.URL+"']}\n", map[string]string{
		"bees.md": "---\ntitle: Bees\ndate: 2025-01-02\n---\nAll about bees.\n",
	})
	d.knows()
	h.setDown(true)
	d.write("posts/bees.md", "---\ntitle: Better bees\ndate: 2025-01-02\n---\nAll about bees.\n")
	d.eventually("the hub is not told", func() bool { return strings.Contains(d.logs.String(), "a hub was not told") })
	d.kill()
	h.setDown(false)
	d.start()
	d.eventually("the hub hears", func() bool { return slices.Equal(h.heard(), []string{"/feed.xml new"}) })
}
