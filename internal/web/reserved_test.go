package web_test

import (
	"testing"

	"tidings/internal/web"
)

func TestReserved(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/feed.xml": true, "/subscribe": true, "/admin/mailbox/": true, "/tags/x/": true, "/rss/feed.xml": true,
		"/posts/a/": false, "/2025/feed/": false, "/about/": false, "/tagsoup/": false,
	} {
		if got := web.Reserved(path); got != want {
			t.Errorf("Reserved(%q) = %v", path, got)
		}
	}
}
