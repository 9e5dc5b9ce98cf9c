package storetest

import "testing"

func testHubs(_ *testing.T, f *fixture) {
	told := func(hub string) map[string]string {
		hashes, err := f.LoadAnnounced(f.ctx, hub)
		f.check(err)
		return hashes
	}
	f.equal("a hub never told", told("https://a.example/"), map[string]string{})
	f.check(f.SaveAnnounced(f.ctx, "https://a.example/", map[string]string{"/feed.xml": "1", "/atom.xml": "2"}))
	f.check(f.SaveAnnounced(f.ctx, "https://b.example/", map[string]string{"/feed.xml": "3"}))
	f.check(f.SaveAnnounced(f.ctx, "https://a.example/", map[string]string{"/feed.xml": "4", "/tags/x/feed.xml": "5"}))
	f.equal("one hub", told("https://a.example/"), map[string]string{"/feed.xml": "4", "/atom.xml": "2", "/tags/x/feed.xml": "5"})
	f.equal("the other", told("https://b.example/"), map[string]string{"/feed.xml": "3"})
}
