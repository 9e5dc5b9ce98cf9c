package post

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A page is where readers who cannot be shown a player find what it plays.
type page struct {
	address string
	picture string // a still of it; "" if none is known
}

var (
	youTubePlayer = regexp.MustCompile(`^https?://(?:www\.)?youtube(?:-nocookie)?\.com/(?:embed|v)/([\w-]{5,})(?:[?&/#]|$)`)
	vimeoPlayer   = regexp.MustCompile(`^https?://player\.vimeo\.com/video/(\d+)(?:[?&/#]|$)`)
)

// playerPage gives the page behind the address of a frame, which often is the
// player's alone.
func playerPage(address string) page {
	if m := youTubePlayer.FindStringSubmatch(address); m != nil && m[1] != "videoseries" {
		return youTube(m[1])
	}
	if m := vimeoPlayer.FindStringSubmatch(address); m != nil {
		return page{address: "https://vimeo.com/" + m[1]}
	}
	return page{address: address}
}

func youTube(id string) page {
	return page{"https://www.youtube.com/watch?v=" + url.QueryEscape(id), "https://i.ytimg.com/vi/" + url.PathEscape(id) + "/hqdefault.jpg"}
}

// linkNode gives a link to a page, with its picture, else its title, else its
// address.
func linkNode(p page, title string) *html.Node {
	link := &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A, Attr: []html.Attribute{{Key: "href", Val: p.address}}}
	text := title
	if text == "" {
		text = p.address
	}
	if p.picture == "" {
		link.AppendChild(&html.Node{Type: html.TextNode, Data: text})
		return link
	}
	link.AppendChild(&html.Node{Type: html.ElementNode, Data: "img", DataAtom: atom.Img, Attr: []html.Attribute{
		{Key: "src", Val: p.picture}, {Key: "alt", Val: text},
	}})
	return link
}

// markup writes a node as HTML.
func markup(n *html.Node) string {
	var b strings.Builder
	_ = html.Render(&b, n) // a strings.Builder takes everything
	return b.String()
}
