package digest

import (
	"mime/quotedprintable"
	"sort"
)

// maxSent is the room for HTML and text together as they are sent, in bytes:
// 80 kB, less what tokens and soft line breaks around them add. Large mail
// providers clip a mail, and with it the footer, at about 102 kB.
const maxSent = 78_000

// shortening is how far posts are cut down.
type shortening struct {
	summary int // characters kept
	tags    bool
}

// shortenings from none to titles alone.
var shortenings = [...]shortening{
	{summary: maxSummary, tags: true},
	{summary: 160, tags: true},
	{summary: 80, tags: true},
	{summary: 0, tags: false},
}

// fit renders an edition so that it stays within maxSent: with all posts,
// however short, if that can be; else with as many of the newest as there is
// room for, by title alone.
func (t *Templates) fit(e edition) (html, text string, err error) {
	all, last := len(e.posts), len(shortenings)-1
	if all == e.Count {
		for _, s := range shortenings {
			html, text, err = t.in[e.words].digest.render(e.shorten(all, s))
			if err != nil || sent(html, text) <= maxSent {
				return html, text, err
			}
		}
	}
	n := sort.Search(all, func(n int) bool {
		if err != nil {
			return true
		}
		html, text, err = t.in[e.words].digest.render(e.shorten(n+1, shortenings[last]))
		return sent(html, text) > maxSent
	})
	if err != nil {
		return "", "", err
	}
	if n == 0 {
		return "", "", ErrTooLarge
	}
	return t.in[e.words].digest.render(e.shorten(n, shortenings[last]))
}

// sent is the size of both parts in the encoding they are sent in, quoted-
// printable (RFC 2045 §6.7). It may stop counting above maxSent.
func sent(html, text string) int {
	if len(html)+len(text) > maxSent {
		return len(html) + len(text)
	}
	return encoded(html) + encoded(text)
}

func encoded(s string) int {
	var n counter
	w := quotedprintable.NewWriter(&n)
	w.Write([]byte(s)) // a counter takes everything
	w.Close()
	return int(n)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
