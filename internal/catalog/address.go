package catalog

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"tidings/internal/post"
	"tidings/internal/term"
)

// wish gives the address a post asks for: a path on the site, or, for a post
// that lives elsewhere, "" and its absolute address.
func (c Config) wish(p *post.Post, published time.Time) (sitePath, elsewhere string) {
	if p.Link == "" {
		return c.expand(p, published), ""
	}
	link, err := url.Parse(p.Link)
	if err != nil || !link.IsAbs() {
		return cleanPath(unescape(trimQuery(p.Link))), ""
	}
	prefix := strings.TrimSuffix(c.SiteURL.Path, "/") + "/"
	if strings.EqualFold(link.Host, c.SiteURL.Host) && strings.HasPrefix(link.Path, prefix) {
		return cleanPath(strings.TrimPrefix(link.Path, prefix)), ""
	}
	return "", p.Link
}

// expand fills the permalink pattern. Dates are those of the first
// publication, in the site's zone; a post without a category has none in its
// address either.
func (c Config) expand(p *post.Post, published time.Time) string {
	day := published.In(c.Location)
	return cleanPath(placeholder.ReplaceAllStringFunc(c.Permalink, func(name string) string {
		switch name {
		case ":slug":
			return p.Slug
		case ":category":
			if len(p.Categories) == 0 {
				return ""
			}
			return term.Slug(p.Categories[0])
		case ":year":
			return day.Format("2006")
		case ":month":
			return day.Format("01")
		default:
			return day.Format("02")
		}
	}))
}

// KeepsAddress reports whether a post would have the same address, had it been
// published at another time.
func (c Config) KeepsAddress(e *Entry, published time.Time) bool {
	c = c.withDefaults()
	before, _ := c.wish(e.Post, e.Published)
	after, _ := c.wish(e.Post, published)
	return before == after
}

// placeholder matches the parts of a permalink pattern that stand for others.
var placeholder = regexp.MustCompile(":(slug|category|year|month|day)")

// address makes a path on the site absolute.
func (c Config) address(sitePath string) string {
	u := *c.SiteURL
	u.Path, u.RawPath, u.RawQuery, u.Fragment = strings.TrimSuffix(u.Path, "/")+sitePath, "", "", ""
	return u.String()
}

// cleanPath gives a path one form: it starts with one slash, has no empty or
// dot elements, and its letters are composed (NFC). A final slash stays.
func cleanPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return norm.NFC.String(clean)
}

// unescape decodes a link that was written percent-encoded.
func unescape(p string) string {
	if plain, err := url.PathUnescape(p); err == nil && utf8.ValidString(plain) {
		return plain
	}
	return p
}

func trimQuery(link string) string {
	if i := strings.IndexAny(link, "?#"); i >= 0 {
		return link[:i]
	}
	return link
}

// cutTail splits an address where a number can be put: before its final
// slash, or before the extension of its last element.
func cutTail(address string) (stem, tail string) {
	if stem, ok := strings.CutSuffix(address, "/"); ok {
		return stem, "/"
	}
	ext := path.Ext(address)
	return strings.TrimSuffix(address, ext), ext
}

// tagURI makes an id of the site's host, a date and a path (RFC 4151 §2.1).
func tagURI(site *url.URL, day time.Time, sitePath string) string {
	specific := url.URL{Path: strings.TrimSuffix(site.Path, "/") + sitePath}
	return "tag:" + authority(site.Hostname()) + "," + day.Format(time.DateOnly) + ":" + specific.EscapedPath()
}

// authority gives a host name the form RFC 4151 asks for: lower-case ASCII.
func authority(host string) string {
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		ascii = strings.ToLower(host)
	}
	return strings.ReplaceAll(ascii, ":", "-") // an IPv6 address, for want of a name
}
