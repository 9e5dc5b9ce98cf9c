package post

import (
	"slices"
	"strings"
)

// authors gives names: of a string, of a list, or of tables with a name.
func (f *fields) authors() []string {
	n := f.first("author", "authors", "by", "byline")
	if n == nil {
		n = f.peek("params").get("author")
	}
	var names []string
	for _, name := range personNames(n) {
		if name = plain(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func personNames(n *node) []string {
	switch {
	case n == nil:
		return nil
	case n.kind == tableKind:
		for _, key := range []string{"name", "displayname", "title"} {
			if name := n.get(key).scalar(); name != "" {
				return []string{name}
			}
		}
		return nil
	case n.kind == listKind:
		var names []string
		for _, item := range n.items[:min(len(n.items), maxTerms)] {
			if item.kind != listKind {
				names = append(names, personNames(item)...)
			}
		}
		return names
	}
	return []string{n.scalar()}
}

// image gives the address of the post's picture as it is written.
func (f *fields) image() string {
	for _, key := range []string{"image", "images", "cover", "coverimage", "featuredimage", "featureimage", "featured", "heroimage",
		"hero", "primaryimage", "thumbnail", "banner", "ogimage", "socialimage", "twitterimg"} {
		if address := pictureAddress(f.peek(key)); address != "" {
			f.get(key)
			return address
		}
	}
	for _, key := range []string{"header", "extra", "params"} {
		if address := pictureAddress(f.peek(key).get("image")); address != "" {
			return address
		}
	}
	return ""
}

func pictureAddress(n *node) string {
	switch {
	case n == nil:
		return ""
	case n.kind == listKind && len(n.items) > 0 && n.items[0].kind != listKind:
		return pictureAddress(n.items[0])
	case n.kind == tableKind:
		for _, key := range []string{"path", "url", "src", "feature", "image"} {
			if inner := n.get(key); inner != nil && inner.kind != listKind {
				return pictureAddress(inner)
			}
		}
	case n.kind == textKind:
		address := untemplated(n.scalar())
		if !strings.Contains(address, unknown) && looksLikeAddress(address) {
			return clean(address)
		}
	}
	return ""
}

// looksLikeAddress keeps switches and captions out.
func looksLikeAddress(s string) bool {
	return strings.ContainsAny(s, "./") && !strings.Contains(s, "<") && len(s) < 2000
}

// fullText gives the post's own choice for its feeds; nil if it has none.
func (f *fields) fullText() *bool {
	if on, known := f.get("fulltext").truth(); known {
		return &on
	}
	if excerpt, known := f.peek("feed").get("excerptonly").truth(); known {
		full := !excerpt
		return &full
	}
	return nil
}
