package publish

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// nginx gives the rules for the server block whose root is the folder.
func (h hosting) nginx(c Config, codings []string) string {
	var b strings.Builder
	b.WriteString("# Headers and further addresses of the feeds, written by tidings.\n" +
		"# In the server block that serves this folder: include FOLDER/.tidings/nginx.conf;\n")
	for _, t := range h.types {
		fmt.Fprintf(&b, "\nlocation %s {\n    types { }\n    default_type \"%s\";\n", nginxPath(t.path), t.mediaType)
		for _, header := range headers() {
			fmt.Fprintf(&b, "    add_header %s \"%s\";\n", header[0], header[1])
		}
		if link := h.link(t, c.origin()+"$uri"); link != "" {
			fmt.Fprintf(&b, "    add_header Link \"%s\";\n", link)
		}
		if slices.Contains(codings, "gzip") {
			b.WriteString("    gzip_static on;\n    gzip_vary on;\n")
		}
		b.WriteString("}\n")
	}
	b.WriteByte('\n')
	for _, r := range h.rewrites {
		fmt.Fprintf(&b, "location %s { rewrite ^ \"%s\" last; }\n", nginxPath(r.from), strings.Replace(r.to, ":slug", "$tidings_slug", 1))
	}
	for _, r := range h.moves {
		fmt.Fprintf(&b, "location %s { return 301 \"%s\"; }\n", nginxPath(r.from), escaped(r.to))
	}
	return b.String()
}

// nginxPath matches one path exactly, or any slug in its place, which is then
// $tidings_slug.
func nginxPath(p string) string {
	if !strings.Contains(p, ":slug") {
		return `= "` + p + `"`
	}
	return `~ "^` + slugExpression(p, "(?<tidings_slug>[^/]+)") + `$"`
}

// slugExpression is a regular expression, without its anchors.
func slugExpression(p, slug string) string {
	return strings.Replace(regexp.QuoteMeta(p), ":slug", slug, 1)
}
