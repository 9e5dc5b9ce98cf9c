package digest_test

import (
	"regexp"
	"slices"
	"testing"

	"golang.org/x/net/html"

	"tidings/internal/digest"
	"tidings/internal/mail"
)

var styleURL = regexp.MustCompile(`url\(\s*['"]?([^'")\s]+)|@import`)

// addresses gives what a mail links to, and what it loads.
func addresses(doc *html.Node) (links, loads []string) {
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "style" {
			loads = append(loads, styleURL.FindAllString(n.Data, -1)...)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" && n.Data == "a":
				links = append(links, a.Val)
			case slices.Contains([]string{"src", "srcset", "href", "background", "data", "poster", "action"}, a.Key):
				loads = append(loads, a.Val)
			case a.Key == "style":
				loads = append(loads, styleURL.FindAllString(a.Val, -1)...)
			}
		}
	}
	return links, loads
}

// TestNobodyIsWatched: opening a mail asks nothing of this site, and no click
// goes through it: links are those of the posts, and the reader's own two.
func TestNobodyIsWatched(t *testing.T) {
	in := sample(3)
	in.Items[0].Image = "https://pictures.example/a.png"
	m := compose(t, in)
	own := mail.Mark(m.Nonce, digest.SlotUnsubscribe)
	allowed := []string{in.Site.URL, in.Newsletter.WebURL, in.Base + "/preferences/" + own, in.Base + "/unsubscribe/" + own}
	for _, item := range in.Items {
		allowed = append(allowed, item.URL)
	}
	links, loads := addresses(parse(t, m.HTML))
	for _, l := range links {
		if !slices.Contains(allowed, l) {
			t.Errorf("a link leads to %s", l)
		}
	}
	if !slices.Equal(loads, []string{in.Items[0].Image}) {
		t.Errorf("opening the mail loads %q", loads)
	}

	for _, kind := range []string{digest.LinkMail, digest.AddressMail, digest.MovingMail} {
		m, err := builtin(t).Personal(digest.PersonalInput{Kind: kind, Site: in.Site, Newsletter: in.Newsletter, Base: in.Base, Date: monday})
		if err != nil {
			t.Fatal(err)
		}
		if _, loads := addresses(parse(t, m.HTML)); len(loads) > 0 {
			t.Errorf("opening the mail %s loads %q", kind, loads)
		}
	}
}
