package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A hub notes what it is told, and fetches it as a hub does.
type hub struct {
	*httptest.Server
	mu   sync.Mutex
	told []string // path of the topic and what it held then
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
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		topic, err := url.Parse(r.PostFormValue("hub.url"))
		if err != nil {
			t.Error(err)
			return
		}
		held := "old"
		if _, feed := fetch(t, topic.String()); strings.Contains(feed, "Better bees") {
			held = "new"
		}
		h.told = append(h.told, topic.Path+" "+held)
	}))
	t.Cleanup(h.Close)
	return h
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
	d := serve(t, "site: {url: 'http://localhost:%[1]d'}\nhttp: {listen: '127.0.0.1:%[1]d'}\nposts: {dir: posts}\nfeeds: {hubs: ['"+h.URL+"']}\n", map[string]string{
		"ants.md": "---\ntitle: Ants\ndate: 2025-01-01\ntags: [ants]\n---\nAll about ants.\n",
		"bees.md": fmt.Sprintf(bees, "Bees"),
	})
	for path, part := range map[string]string{"/feed.xml": `rel="hub" href="` + h.URL + `"`, "/feed.json": `"url": "` + h.URL + `"`} {
		res, feed := fetch(t, d.base+path)
		if !strings.Contains(feed, part) || !strings.Contains(res.Header.Get("Link"), "<"+h.URL+`>; rel="hub"`) {
			t.Errorf("%s names no hub: %s %v", path, feed, res.Header)
		}
	}
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
