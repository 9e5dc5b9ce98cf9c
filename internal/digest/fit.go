package digest

import (
	"mime/quotedprintable"
)

// maxSent is the room for HTML and text together as they are sent, in bytes:
// 80 kB, less the header with its signatures, and what tokens and soft line
// breaks around them add. Large mail providers clip a mail, and with it the
// footer, at about 102 kB.
const maxSent = 76_000

// shortening is how far posts are cut down.
type shortening struct {
	summary int  // characters kept
	compact bool // titles alone, one line each
}

// shortenings from none to titles alone.
var shortenings = [...]shortening{
	{summary: maxSummary},
	{summary: 160},
	{summary: 80},
	{compact: true},
}

// fit renders an edition so that it stays within maxSent: with all posts,
// however short, if that can be; else with as many of the newest as there is
// room for, by title alone.
func (t *set) fit(e edition) (html, text string, err error) {
	p, all, last := t.in[e.words].digest, len(e.posts), len(shortenings)-1
	if all == e.Count {
		for i, s := range shortenings {
			html, text, err = p.render(e.shorten(all, s))
			size := sent(html, text)
			if err != nil || size <= maxSent {
				return html, text, err
			}
			if i < last && size > hopeless*maxSent {
				break
			}
		}
	}
	return p.fill(e, shortenings[last])
}

// hopeless is by how many times a mail is too large if it is not to be expected
// that shorter summaries help.
const hopeless = 4

// fill renders the edition with as many posts as there is room for.
func (p page) fill(e edition, s shortening) (html, text string, err error) {
	fits, tooMany := 0, len(e.posts)+1
	for n := guess(tooMany); tooMany-fits > 1; {
		h, t, err := p.render(e.shorten(n, s))
		if err != nil {
			return "", "", err
		}
		size := encoded(h) + encoded(t)
		if size <= maxSent {
			fits, html, text = n, h, t
		} else {
			tooMany = n
		}
		n = min(max(n*maxSent/size, fits+1), tooMany-1)
	}
	if fits == 0 {
		return "", "", ErrTooLarge
	}
	return html, text, nil
}

// guess gives a number of posts, below limit, to begin with.
func guess(limit int) int {
	const usual = 400 // bytes of a post by title alone
	return max(min(maxSent/usual, limit-1), 1)
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
