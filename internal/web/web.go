// Package web is the public face of the daemon over HTTP: the feeds with their
// validators, the pages with the posts, sign-up and leaving, the probes, and
// for the machine itself the metrics and the captured mail. It decides
// addresses, methods, headers and statuses. What a page looks like is package
// page's; what signing up means is package newsletter's; listening, timeouts
// and TLS are the daemon's.
//
// GET and HEAD never change anything.
package web

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/publish"
	"tidings/internal/relay"
)

// Config is what does not change while the handler lives.
type Config struct {
	Title          string
	Description    string
	Language       string   // BCP 47
	Languages      []string // in which pages also answer who asks for them
	SiteURL        string   // where people read the posts
	BaseURL        string   // public address of this daemon; may have a path
	FeedsURL       string   // where the feeds are public; "": BaseURL
	HostsPosts     bool     // SiteURL is this daemon's: it serves the post pages
	Authors        bool     // authors have pages
	Sections       bool     // folders of posts have pages
	MailingOff     string   // why sign-up is off, as a part of a sentence; "" if it is on
	Newsletters    []Newsletter
	TrustedProxies []netip.Prefix // their X-Forwarded-For is believed
	SignUp         Guard
	Origins        []string // of other sites with sign-up forms: https://blog.example.org
	Version        string
}

// Newsletter is one of those a visitor may choose.
type Newsletter struct {
	Name, Title, Description string
	Frequencies              []string // to choose from, store.CadenceSchedule …
	Zone                     string   // of readers who choose none
	Archive                  bool     // its past editions are listed
}

// Deps is what the handler asks while it runs. Functions are called from many
// goroutines at once.
type Deps struct {
	Templates fs.FS                    // web/ and assets/
	Snapshot  func() *catalog.Snapshot // nil until the posts are read
	Set       func() *publish.Set      // nil or empty until the feeds are made
	// Combine gives the feed of a query.
	Combine func(context.Context, *catalog.Snapshot, publish.Query) (*publish.Feed, error)
	// Private gives a feed for one reader.
	Private func(ctx context.Context, snap *catalog.Snapshot, title string, by ...catalog.Expression) (*publish.Feed, error)
	Render  func(context.Context, *catalog.Entry) (string, error) // the clean HTML of a post
	People  newsletter.People
	Archive newsletter.Archive // nil: past editions are not shown
	Mailbox *relay.Mailbox     // nil unless mail is captured
	Metrics http.Handler       // nil for none
	Ready   func(context.Context) error
	Log     *slog.Logger
	Now     func() time.Time
}

// server answers requests.
type server struct {
	Config
	Deps
	pages    *page.Pages
	tongues  tongues
	root     string   // path of BaseURL without its last slash: "" or "/news"
	posts    string   // the same of SiteURL
	prefixes []string // what may stand before a request's path, longest first
	origins  *http.CrossOriginProtection
	guard    *guard
	shelves  shelves
	queried  queriedReplies
	index    atomic.Pointer[termIndex]
}

// New gives the handler. It fails if an address in cfg is none, or if the
// templates do not fit.
func New(cfg Config, deps Deps) (http.Handler, error) {
	s := &server{Config: cfg, Deps: deps, origins: http.NewCrossOriginProtection(), guard: newGuard(cfg.SignUp)}
	var err error
	if s.root, err = s.address("http.url", cfg.BaseURL); err != nil {
		return nil, err
	}
	if s.posts, err = s.address("site.url", cfg.SiteURL); err != nil {
		return nil, err
	}
	for _, origin := range cfg.Origins {
		if err := s.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("signup.origins: %w", err)
		}
	}
	s.prefixes = prefixes(s.root, s.posts, cfg.HostsPosts)
	if s.FeedsURL == "" {
		s.FeedsURL = cfg.BaseURL
	}
	s.shelves.links = s.hubLinks
	s.queried = newQueriedReplies(&s.shelves.presses)
	if s.pages, err = page.Load(deps.Templates, s.root); err != nil {
		return nil, err
	}
	s.tongues = newTongues(s.pages.Locales, cfg.Language, cfg.Languages)
	return s.chain(s.routes()), nil
}

// address takes one of the site's own addresses, from whose pages forms may
// be sent here, and gives its path without the last slash.
func (s *server) address(key, raw string) (path string, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s %q: not an absolute address such as https://news.example.org", key, raw)
	}
	if err := s.origins.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return "", fmt.Errorf("%s %q: %w", key, raw, err)
	}
	return strings.TrimRight(u.Path, "/"), nil
}

// prefixes gives the paths below which this daemon is public, longest first:
// one may lie within the other.
func prefixes(root, posts string, hostsPosts bool) []string {
	var list []string
	if root != "" {
		list = append(list, root)
	}
	if posts != "" && posts != root && hostsPosts {
		list = append(list, posts)
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

// public makes the public address of a path of this daemon.
func (s *server) public(path string) string {
	return strings.TrimRight(s.BaseURL, "/") + path
}

// local makes the path of a page as links within the site have it.
func (s *server) local(path string) string { return s.root + path }
