package publish

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

const (
	// Caching is the Cache-Control of documents. Readers take max-age as the
	// shortest time between two visits. Caches may show an hour-old feed while
	// they fetch, and a week-old one when the origin is away.
	Caching = "public, max-age=900, stale-while-revalidate=3600, stale-if-error=604800"

	// Policy is the Content-Security-Policy of documents: a script inside a
	// feed would otherwise run on their origin when somebody opens the feed in
	// a browser.
	Policy = "default-src 'none'; style-src 'self'; img-src *; sandbox"
)

// hosting is what a static host must be told to answer as the daemon does.
// Paths are as in URLs, decoded; ":slug" in them stands for any one term.
type hosting struct {
	hubs     []string
	types    []typeRule
	rewrites []pathRule // answered with what is at another path
	moves    []pathRule // answered with a redirect
}

type typeRule struct {
	path      string
	mediaType string
	self      string // percent-encoded address of the one document; "" if there are many
	own       bool   // the path is the documents' own, and not another one
}

// general reports whether the rule is of many paths.
func (r typeRule) general() bool { return strings.Contains(r.path, ":slug") }

type pathRule struct{ from, to string }

// hosting gives the rules for the set.
func (s *Set) hosting() hosting {
	h := hosting{hubs: s.cfg.Hubs}
	h.types = s.documentTypes()
	general := map[string]string{} // pattern → where it leads with the same slug
	seen := map[string]bool{}      // paths and patterns of copies
	files := s.fileNames()
	for _, a := range s.aliases {
		if s.docs[a.path] != a.doc || seen[a.path] || !harmless(a.path) {
			continue
		}
		seen[a.path] = true
		switch {
		case isFile(a.path) && a.slug == "":
			h.types = append(h.types, typeRule{path: a.path, mediaType: a.doc.MediaType, self: s.cfg.URL(a.doc.Path)})
		case isFile(a.path) && files[foldName(a.path)] == a.path:
			if !seen[a.pattern] {
				h.types = append(h.types, typeRule{path: a.pattern, mediaType: a.doc.MediaType})
			}
			seen[a.pattern] = true
		case a.slug == "", isFile(a.path):
			h.rewrites = append(h.rewrites, pathRule{a.path, a.doc.Path})
		default:
			if _, known := general[a.pattern]; !known {
				general[a.pattern] = generalise(a.doc.Path)
			}
			if strings.Replace(general[a.pattern], ":slug", a.slug, 1) != a.doc.Path {
				h.rewrites = append(h.rewrites, pathRule{a.path, a.doc.Path})
			}
		}
	}
	for _, from := range slices.Sorted(maps.Keys(general)) {
		h.rewrites = append(h.rewrites, pathRule{from, general[from]})
	}
	for _, from := range slices.Sorted(maps.Keys(s.moved)) {
		if s.Moved(from) != "" && !strings.HasSuffix(from, "/") {
			h.moves = append(h.moves, pathRule{from, s.moved[from]})
		}
	}
	slices.SortStableFunc(h.types, func(a, b typeRule) int { // those of one path come first
		return strings.Count(a.path, ":slug") - strings.Count(b.path, ":slug")
	})
	return h.under(s.cfg.basePath())
}

// fileNames gives the paths that are files, by their folded form: of several
// that differ in case alone, one.
func (s *Set) fileNames() map[string]string {
	names := map[string]string{}
	for _, d := range s.Documents() {
		names[foldName(d.Path)] = d.Path
	}
	for _, a := range s.copies() {
		if names[foldName(a.path)] == "" {
			names[foldName(a.path)] = a.path
		}
	}
	return names
}

// documentTypes are those of the documents, one for each kind and format.
// Where hubs are named, a document whose address is not plain ASCII has its
// own: hosts cannot encode it.
func (s *Set) documentTypes() []typeRule {
	types := []typeRule{{path: opmlPath, mediaType: feed.OPMLMediaType}}
	exact := func(d *Document) {
		types = append(types, typeRule{path: d.Path, mediaType: d.MediaType, self: s.cfg.URL(d.Path), own: true})
	}
	seen := map[catalog.Kind]bool{}
	for _, f := range s.Feeds {
		for _, format := range s.cfg.Formats {
			d := f.Docs[format]
			switch {
			case d == nil:
			case f.Kind == "", len(s.cfg.Hubs) > 0 && (&url.URL{Path: d.Path}).EscapedPath() != d.Path:
				exact(d)
			}
			if d != nil && f.Kind != "" && !seen[f.Kind] {
				types = append(types, typeRule{path: generalise(d.Path), mediaType: d.MediaType, own: true})
			}
		}
		seen[f.Kind] = true
	}
	return types
}

// generalise puts ":slug" in the place of the slug in a document's path.
func generalise(p string) string {
	folder, file := path.Split(p)
	return path.Dir(path.Clean(folder)) + "/:slug/" + file
}

// harmless reports whether a path needs no thought about a host's syntax.
func harmless(p string) bool { return !strings.ContainsAny(p, "{}$\"'`\\?*\n") }

// basePath is the path below which the feeds are public, without a last slash.
func (c Config) basePath() string {
	u, err := url.Parse(c.withDefaults().FeedsURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// origin is the feeds' address up to the path.
func (c Config) origin() string { return strings.TrimSuffix(c.URL("/"), c.basePath()+"/") }

// under puts all paths below base.
func (h hosting) under(base string) hosting {
	for i := range h.types {
		h.types[i].path = base + h.types[i].path
	}
	for _, rules := range [][]pathRule{h.rewrites, h.moves} {
		for i := range rules {
			rules[i] = pathRule{base + rules[i].from, base + rules[i].to}
		}
	}
	return h
}

// headers are those of every document besides its type.
func headers() [][2]string {
	return [][2]string{
		{"Cache-Control", Caching},
		{"Content-Security-Policy", Policy},
		{"Access-Control-Allow-Origin", "*"},
		{"Access-Control-Expose-Headers", "ETag, Last-Modified, Link"},
		{"Cross-Origin-Resource-Policy", "cross-origin"},
	}
}

// link is the Link header for discovery of the hubs (WebSub §4); "" without
// hubs, and where the address of the document cannot be told: it has the same
// links inside. variable is what a host puts for the address it answers at.
func (h hosting) link(r typeRule, variable string) string {
	self := strings.ReplaceAll(r.self, "$", "%24")
	if self == "" && r.own && r.general() {
		self = variable
	}
	if len(h.hubs) == 0 || self == "" {
		return ""
	}
	var links []string
	for _, hub := range h.hubs {
		links = append(links, "<"+hub+">; rel=hub")
	}
	return strings.Join(append(links, "<"+self+">; rel=self"), ", ")
}

// hostingFiles are the rules as files for the common hosts.
func (s *Set) hostingFiles(codings []string) []alias {
	h := s.hosting()
	var files []alias
	for _, f := range []struct{ name, text string }{
		{"/.tidings/nginx.conf", h.nginx(s.cfg, codings)},
		{"/.tidings/Caddyfile", h.caddy(s.cfg)},
		{"/_headers", h.headersFile()},
		{"/_redirects", h.redirectsFile()},
	} {
		files = append(files, alias{path: f.name, doc: NewDocument(f.name, "", []byte(f.text))})
	}
	return files
}
