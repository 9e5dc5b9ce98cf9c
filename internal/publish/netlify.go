package publish

import (
	"fmt"
	"net/url"
	"strings"
)

// headersFile gives the _headers file of Netlify and Cloudflare Pages. They
// cannot say where the document is that a rule of many paths meets, so the
// Link header stands where there is one path; the documents have the same
// links inside.
func (h hosting) headersFile() string {
	var b strings.Builder
	b.WriteString("# Headers of the feeds, written by tidings, for Netlify and Cloudflare Pages.\n")
	for _, t := range h.types {
		p := strings.Replace(escaped(t.path), ":slug.xml", ":slug", 1)
		fmt.Fprintf(&b, "\n%s\n  Content-Type: %s\n", p, t.mediaType)
		for _, header := range headers() {
			fmt.Fprintf(&b, "  %s: %s\n", header[0], header[1])
		}
		if link := h.link(t, ""); link != "" && t.self != "" {
			fmt.Fprintf(&b, "  Link: %s\n", link)
		}
	}
	return b.String()
}

// redirectsFile gives the _redirects file of Netlify and Cloudflare Pages.
func (h hosting) redirectsFile() string {
	var b strings.Builder
	b.WriteString("# Further addresses of the feeds, written by tidings, for Netlify and Cloudflare Pages.\n")
	for _, r := range h.moves {
		fmt.Fprintf(&b, "%s %s 301\n", escaped(r.from), escaped(r.to))
	}
	for _, r := range h.rewrites {
		fmt.Fprintf(&b, "%s %s 200\n", escaped(r.from), escaped(r.to))
	}
	return b.String()
}

func escaped(p string) string { return (&url.URL{Path: p}).EscapedPath() }
