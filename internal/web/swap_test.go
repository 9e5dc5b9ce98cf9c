package web_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tidings/internal/publish"
	"tidings/internal/web"
)

// Whatever changes meanwhile, the bytes that a reader gets are those of the tag
// that comes with them.
func TestTagsFitTheBytesWhileFeedsChange(t *testing.T) {
	var current atomic.Pointer[publish.Set]
	s := newSite(t, quietly, func(_ *web.Config, d *web.Deps) { d.Set = current.Load })
	sets := []*publish.Set{s.set, newSiteOf(t, samplePosts()[1:]).set, newSiteOf(t, samplePosts()[2:]).set}
	bytesOf := map[string][]byte{}
	for _, set := range sets {
		for _, doc := range set.Documents() {
			bytesOf[doc.Hash] = doc.Bytes()
		}
	}
	current.Store(sets[0])
	var wg sync.WaitGroup
	for _, accept := range []string{"", "gzip", "br", "zstd, gzip", "br, identity;q=0"} {
		wg.Go(func() {
			for range 100 {
				for _, path := range []string{"/feed.xml", "/atom.xml", "/tags/cloud/feed.json", "/feeds.opml"} {
					w := s.get(path, header("Accept-Encoding", accept))
					hash, _, _ := strings.Cut(strings.Trim(w.Header().Get("ETag"), `"`), "-")
					if w.Code != 200 || !bytes.Equal(decoded(t, w), bytesOf[hash]) {
						t.Errorf("%s, %q: status %d, not the bytes of %s", path, accept, w.Code, hash)
						return
					}
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 300 {
			current.Store(sets[i%len(sets)])
			s.get("/feeds.opml")
		}
	})
	wg.Wait()
}
