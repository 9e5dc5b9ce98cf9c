package publish

import (
	"fmt"
	"strings"
)

// caddy gives the rules for the site block whose root is the folder.
func (h hosting) caddy(c Config) string {
	var matchers, routes strings.Builder
	n := 0
	match := func(p string) string {
		n++
		name := fmt.Sprintf("@tidings%d", n)
		if strings.Contains(p, ":slug") {
			fmt.Fprintf(&matchers, "%s path_regexp tidings%d `^%s$`\n", name, n, slugExpression(p, "([^/]+)"))
		} else {
			fmt.Fprintf(&matchers, "%s path \"%s\"\n", name, p)
		}
		return name
	}
	for _, r := range h.moves {
		fmt.Fprintf(&routes, "\tredir %s \"%s\" 301\n", match(r.from), escaped(r.to))
	}
	for _, r := range h.rewrites {
		name := match(r.from)
		fmt.Fprintf(&routes, "\trewrite %s \"%s\"\n", name, strings.Replace(r.to, ":slug", fmt.Sprintf("{re.tidings%d.1}", n), 1))
	}
	for i := len(h.types) - 1; i >= 0; i-- { // the last to match has the last word
		t := h.types[i]
		fmt.Fprintf(&routes, "\theader %s {\n\t\tContent-Type \"%s\"\n", match(t.path), t.mediaType)
		for _, header := range headers() {
			fmt.Fprintf(&routes, "\t\t%s \"%s\"\n", header[0], header[1])
		}
		if link := h.link(t, c.origin()+"{http.request.uri.path}"); link != "" {
			fmt.Fprintf(&routes, "\t\tLink \"%s\"\n", link)
		}
		routes.WriteString("\t}\n")
	}
	return "# Headers and further addresses of the feeds, written by tidings.\n" +
		"# In the site block that serves this folder: import FOLDER/.tidings/Caddyfile\n" +
		matchers.String() + "route {\n" + routes.String() + "}\n"
}
