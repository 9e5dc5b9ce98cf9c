package publish

import (
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// Config says what is published. Addresses are absolute and may have a path.
type Config struct {
	Title       string // of the publication
	Description string
	Language    string
	Author      feed.Person
	Icon        string // address of a square picture; ""
	SiteURL     string // where people read the posts
	PagesURL    string // where the pages of categories and tags are; "": SiteURL
	FeedsURL    string // where the feeds are public; "": PagesURL

	Formats []feed.Format // empty: all
	Items   int           // entries per feed, at least; 0: 20
	Days    int           // and all of so many days, counted back from the newest
	Summary bool          // summaries instead of full text; a post's own choice wins

	Hubs   []string // WebSub hubs, which feeds and their headers name
	Preset Preset   // further addresses

	// Contents says of which feeds of terms Summary is not to decide: by kind
	// and term.Key.
	Contents map[catalog.Kind]map[string]Content

	Stylesheet []byte        // CSS for browsers that open a feed; nil: none
	Archives   bool          // older posts in archives
	Combined   []Combination // feeds of several terms
	Authors    bool          // whether authors have feeds where the preset does not need them

	// Cache is a file for what makes the next start faster; "": none.
	// CacheStamp names what renders the posts.
	Cache, CacheStamp string
}

// Content is what the feed of a term, or a combined one, shows of posts that do
// not choose for themselves.
type Content string

// The contents; "" leaves it to Config.Summary.
const (
	Full      Content = "full"
	Summaries Content = "summary"
)

// brief reports whether a feed shows summaries.
func (c Config) brief(own Content) bool {
	if own == "" {
		return c.Summary
	}
	return own == Summaries
}

// renders reports whether any feed shows the text of posts that do not choose
// for themselves.
func (c Config) renders() bool {
	for _, kind := range c.Contents {
		for _, content := range kind {
			if content == Full {
				return true
			}
		}
	}
	return !c.Summary || slices.ContainsFunc(c.Combined, func(f Combination) bool { return f.Content == Full })
}

// generator carries no version: an upgrade alone changes no feed.
const generator = "tidings"

func (c Config) withDefaults() Config {
	if c.PagesURL == "" {
		c.PagesURL = c.SiteURL
	}
	if c.FeedsURL == "" {
		c.FeedsURL = c.PagesURL
	}
	if c.Items <= 0 {
		c.Items = 20
	}
	c.Formats = slices.DeleteFunc(slices.Clone(formats[:]), func(f feed.Format) bool {
		return !slices.Contains(c.Formats, f)
	})
	if len(c.Formats) == 0 {
		c.Formats = formats[:]
	}
	return c
}

// site is what all feeds of the publication share.
func (c Config) site() feed.Feed {
	return feed.Feed{SiteTitle: c.Title, Language: c.Language, Author: c.Author}
}

// URL is the public address of the document at path.
func (c Config) URL(path string) string { return join(c.withDefaults().FeedsURL, path) }

// page is the address of the page that the feed in the folder path is a feed of.
func (c Config) page(path string) string {
	if path == "/" {
		return join(c.SiteURL, path)
	}
	return join(c.PagesURL, path)
}

func join(base, path string) string {
	return strings.TrimRight(base, "/") + (&url.URL{Path: path}).EscapedPath()
}

func (c Config) title(kind catalog.Kind, name string) string {
	switch kind {
	case catalog.Category, catalog.Author, catalog.Section, Combined:
		return c.Title + ": " + name
	case catalog.Tag:
		return c.Title + ": #" + name
	}
	return c.Title
}

// kinds are the taxonomies in the order of their feeds.
var kinds = []catalog.Kind{catalog.Category, catalog.Tag, catalog.Author, catalog.Section}

// folder is the path under which the feeds of a term lie.
func folder(kind catalog.Kind, slug string) string {
	switch kind {
	case catalog.Category:
		return "/categories/" + slug + "/"
	case catalog.Tag:
		return "/tags/" + slug + "/"
	case catalog.Author:
		return "/authors/" + slug + "/"
	case catalog.Section:
		return "/sections/" + slug + "/"
	case Combined:
		return combinedFolder + slug + "/"
	}
	return "/"
}

// id names the feed in the folder path for ever: a name-based UUID (RFC 9562
// §5.5) of the site's authority and path. The scheme has no part in it, nor
// has the place where the feeds are public.
func (c Config) id(path string) string {
	name := join(c.SiteURL, path)
	if u, err := url.Parse(c.SiteURL); err == nil {
		name = "//" + authority(u) + join(u.EscapedPath(), path)
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).URN()
}

func authority(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		return host + ":" + port
	}
	return host
}
