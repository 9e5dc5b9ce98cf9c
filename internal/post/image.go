package post

import (
	"slices"
	"strconv"
	"strings"
)

// pictureKeys may hold the post's picture, the first one that does counts.
var pictureKeys = []string{"image", "images", "cover", "coverimage", "featuredimage", "featureimage", "featured", "heroimage",
	"hero", "primaryimage", "thumbnail", "banner", "ogimage", "socialimage", "twitterimg"}

// setImage sets the post's picture, and what is declared about it.
func (f *fields) setImage(p *Post) {
	key, n := f.picture()
	if n == nil {
		return
	}
	p.Image = pictureAddress(n)
	table := innermost(n)
	p.ImageAlt = plain(firstText(table.get("alt"), table.get("alttext"), f.peek(key+"alt"), f.peek(strings.TrimSuffix(key, "image")+"alt")))
	p.ImageSize = Size{pixels(table.get("width")), pixels(table.get("height"))}
}

// picture gives the key and the value that hold the post's picture.
func (f *fields) picture() (string, *node) {
	for _, key := range pictureKeys {
		if n := f.peek(key); pictureAddress(n) != "" {
			f.get(key)
			return key, n
		}
	}
	for _, key := range []string{"header", "extra", "params"} {
		if n := f.peek(key).get("image"); pictureAddress(n) != "" {
			return "image", n
		}
	}
	return "", nil
}

func pictureAddress(n *node) string {
	n = innermost(n)
	if n != nil && n.kind == tableKind {
		n = addressIn(n)
	}
	if n == nil || n.kind != textKind {
		return ""
	}
	return fileAddress(n.scalar())
}

// innermost follows lists, and tables that hold another one, to the table or
// the text that names a picture.
func innermost(n *node) *node {
	for n != nil {
		next := (*node)(nil)
		switch n.kind {
		case listKind:
			if len(n.items) == 0 || n.items[0].kind == listKind {
				return nil
			}
			next = n.items[0]
		case tableKind:
			next = addressIn(n)
			if next == nil || next.kind != tableKind {
				return n
			}
		default:
			return n
		}
		n = next
	}
	return nil
}

// addressIn gives what a table about a picture names as its address.
func addressIn(table *node) *node {
	for _, key := range []string{"path", "url", "src", "feature", "image"} {
		if inner := table.get(key); inner != nil && inner.kind != listKind {
			return inner
		}
	}
	return nil
}

// fileAddress gives an address whose templates could be run; "" for all else.
func fileAddress(text string) string {
	address := untemplated(text)
	if strings.Contains(address, unknown) || !looksLikeAddress(address) {
		return ""
	}
	return clean(address)
}

// looksLikeAddress keeps switches and captions out.
func looksLikeAddress(s string) bool {
	return strings.ContainsAny(s, "./") && !strings.Contains(s, "<") && len(s) < 2000
}

// pixels reads a width or height such as 1200 or "1200px"; 0 if it is none.
func pixels(n *node) int {
	size, err := strconv.Atoi(strings.TrimSuffix(n.scalar(), "px"))
	if err != nil || size < 0 || size > 1<<20 {
		return 0
	}
	return size
}

// firstText gives the first text there is.
func firstText(nodes ...*node) string {
	i := slices.IndexFunc(nodes, func(n *node) bool { return n.scalar() != "" })
	if i < 0 {
		return ""
	}
	return nodes[i].scalar()
}
