package post

import (
	"regexp"
	"slices"
)

// authors gives names: of a string, of a list, or of tables with a name.
func (f *fields) authors() []string {
	n := f.first("author", "authors", "by", "byline")
	if n == nil {
		n = f.peek("params").get("author")
	}
	var names []string
	for _, name := range personNames(n) {
		if name = plain(withoutMail(name)); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

var mailAfterName = regexp.MustCompile(`^\s*"?([^<>"]*[^<>"\s])"?\s*<[^<>\s]+@[^<>\s]+>\s*$`)

// withoutMail gives the name in "Ann <ann@example.org>", as Git and package
// files write people. Nobody asked for the address to be published.
func withoutMail(name string) string { return mailAfterName.ReplaceAllString(name, "$1") }

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
