package publish

import (
	"maps"
	"path"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// A pattern is a further path of feeds of one kind, which answers with the
// same bytes. ":slug" stands for a term; a path that ends in a slash answers
// without it too.
type pattern struct {
	kind   catalog.Kind // "" for the feed of everything
	path   string
	format feed.Format
}

// wellKnown are where readers and former subscribers of any site look.
var wellKnown = []pattern{
	{"", "/index.xml", feed.RSS}, {"", "/rss.xml", feed.RSS}, {"", "/rss/feed.xml", feed.RSS}, {"", "/index.rss", feed.RSS},
	{"", "/feed/", feed.RSS}, {"", "/rss/", feed.RSS},
	{"", "/atom.xml", feed.Atom}, {"", "/feed.atom", feed.Atom},
	{"", "/index.json", feed.JSON},
}

// A Preset is a generator whose addresses of feeds are to go on answering.
type Preset string

// The presets.
const (
	NoPreset  Preset = ""
	Hugo      Preset = "hugo"
	WordPress Preset = "wordpress"
	Ghost     Preset = "ghost"
	Jekyll    Preset = "jekyll"
)

// presets are the addresses of each generator, of patterns that match the same
// path the first first, and the slugs that it makes of a name.
var presets = map[Preset]struct {
	patterns []pattern
	slugs    func(name string) []string
}{
	NoPreset: {nil, func(string) []string { return nil }},
	Hugo: {[]pattern{
		{catalog.Category, "/categories/:slug/index.xml", feed.RSS},
		{catalog.Tag, "/tags/:slug/index.xml", feed.RSS},
		{catalog.Section, "/:slug/index.xml", feed.RSS},
	}, hugoSlugs},
	WordPress: {slices.Concat([]pattern{
		{"", "/feed/rss2/", feed.RSS}, {"", "/feed/rss/", feed.RSS}, {"", "/feed/atom/", feed.Atom},
		{"", "/?feed=rss2", feed.RSS}, {"", "/?feed=rss", feed.RSS}, {"", "/?feed=atom", feed.Atom},
		{"", "/wp-rss2.php", feed.RSS}, {"", "/wp-rss.php", feed.RSS}, {"", "/wp-atom.php", feed.Atom},
	}, wordPress(catalog.Category, "/category/"), wordPress(catalog.Tag, "/tag/"), wordPress(catalog.Author, "/author/")),
		wordPressSlugs},
	// Ghost has tags alone: what became a category here answers as a tag, if
	// there is no tag of its name.
	Ghost: {[]pattern{
		{catalog.Tag, "/tag/:slug/rss/", feed.RSS},
		{catalog.Category, "/tag/:slug/rss/", feed.RSS},
		{catalog.Author, "/author/:slug/rss/", feed.RSS},
	}, ghostSlugs},
	Jekyll: {[]pattern{
		{catalog.Category, "/feed/:slug.xml", feed.Atom},
		{catalog.Tag, "/feed/by_tag/:slug.xml", feed.Atom},
	}, jekyllSlugs},
}

func wordPress(kind catalog.Kind, base string) []pattern {
	return []pattern{
		{kind, base + ":slug/feed/", feed.RSS}, {kind, base + ":slug/feed/rss2/", feed.RSS},
		{kind, base + ":slug/feed/rss/", feed.RSS}, {kind, base + ":slug/feed/atom/", feed.Atom},
	}
}

// HasAuthors reports whether authors have feeds and pages.
func (c Config) HasAuthors() bool { return c.Authors || c.Preset == WordPress || c.Preset == Ghost }

// HasSections reports whether the folders of posts have feeds and pages.
func (c Config) HasSections() bool { return c.Preset == Hugo }

func (c Config) has(kind catalog.Kind) bool {
	switch kind {
	case catalog.Author:
		return c.HasAuthors()
	case catalog.Section:
		return c.HasSections()
	}
	return true
}

// Reserved reports whether a path of the site is among those that the preset
// or its taxonomies need, and so not for a post.
func (c Config) Reserved(sitePath string) bool {
	first := firstElement(sitePath)
	for _, kind := range []catalog.Kind{catalog.Author, catalog.Section} {
		if c.has(kind) && first == firstElement(folder(kind, "")) {
			return true
		}
	}
	return slices.ContainsFunc(presets[c.Preset].patterns, func(p pattern) bool {
		return firstElement(p.path) == first
	})
}

func firstElement(p string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return first
}

// docPath is where a feed in a folder has its document. With the Jekyll preset
// /feed.xml is Atom, as jekyll-feed has it, and RSS moves to /rss.xml.
func (c Config) docPath(folder string, f feed.Format) string {
	if c.Preset == Jekyll && folder == "/" {
		switch f {
		case feed.Atom:
			return "/feed.xml"
		case feed.RSS:
			return "/rss.xml"
		}
	}
	return folder + f.FileName()
}

// An alias is another path of a document.
type alias struct {
	path    string
	doc     *Document
	pattern string // that the path was made from
	slug    string
}

// aliasesOf gives the aliases of the feeds, of those that share a path the
// first: what a generator would have made of the names goes before our own
// slugs.
func (c Config) aliasesOf(feeds []*Feed) []alias {
	preset := presets[c.Preset]
	foreign, own := make([][]string, len(feeds)), make([][]string, len(feeds))
	for i, f := range feeds {
		foreign[i], own[i] = foreignSlugs(f, preset.slugs), []string{path.Base(f.Path)}
	}
	var all []alias
	for _, slugs := range [][][]string{foreign, own} {
		for _, p := range slices.Concat(wellKnown, preset.patterns) {
			for i, f := range feeds {
				if d := f.Docs[p.format]; d != nil && f.Kind == p.kind {
					all = append(all, p.fill(d, slugs[i])...)
				}
			}
		}
	}
	return all
}

// fill gives the paths of the pattern for each slug.
func (p pattern) fill(d *Document, slugs []string) []alias {
	var all []alias
	if p.kind == "" {
		slugs = []string{""}
	}
	for _, slug := range slugs {
		full := strings.Replace(p.path, ":slug", slug, 1)
		bare, folder := strings.CutSuffix(full, "/")
		if path.Clean(bare) != bare || full == d.Path || p.kind != "" && slug == "" {
			continue
		}
		if all = append(all, alias{full, d, p.path, slug}); folder {
			all = append(all, alias{bare, d, strings.TrimSuffix(p.path, "/"), slug})
		}
	}
	return all
}

// foreignSlugs are what a generator makes of the names of a term.
func foreignSlugs(f *Feed, slugs func(string) []string) []string {
	var all []string
	for _, name := range f.names {
		for _, slug := range slugs(name) {
			if !slices.Contains(all, slug) {
				all = append(all, slug)
			}
		}
	}
	return all
}

// copies are the other paths that can be files of their own: aliases, and
// where feeds were before their terms got other slugs.
func (s *Set) copies() []alias {
	var out []alias
	for _, a := range s.aliases {
		if s.docs[a.path] == a.doc && isFile(a.path) {
			out = append(out, a)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(s.moved)) {
		if d := s.docs[s.moved[from]]; d != nil && isFile(from) {
			out = append(out, alias{path: from, doc: d})
		}
	}
	return out
}

// isFile reports whether a path names a file of a kind that every web server
// sends as it is.
func isFile(p string) bool {
	switch path.Ext(p) {
	case ".xml", ".json", ".rss", ".atom":
		for segment := range strings.SplitSeq(p[1:], "/") {
			if !safeSegment(segment) {
				return false
			}
		}
		return true
	}
	return false
}

// movedPaths leads the documents and the page of each former slug to those of
// the present one.
func (c Config) movedPaths(former map[catalog.Kind]map[string]string) map[string]string {
	moved := map[string]string{}
	for kind, slugs := range former {
		for from, to := range slugs {
			moved[folder(kind, from)] = folder(kind, to)
			for _, f := range c.Formats {
				moved[folder(kind, from)+f.FileName()] = folder(kind, to) + f.FileName()
			}
		}
	}
	return moved
}
