package web

import "strings"

// Reserved reports whether an address, as a post may ask for it, is one of
// the daemon's own: a page, a feed or a probe. What a site has below its own
// folders for categories, tags and feeds is reserved as a whole.
func Reserved(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "address", "admin", "api", "assets", "atom.xml", "categories", "confirm", "feed", "feed.atom", "feed.json", "feed.xml",
		"feeds", "feeds.opml", "healthz", "index.json", "index.rss", "index.xml", "metrics", "newsletters", "preferences",
		"readyz", "rss", "rss.xml", "subscribe", "tags", "unsubscribe":
		return true
	}
	return false
}
