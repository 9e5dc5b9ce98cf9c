package catalog

import (
	"log/slog"
	"net/url"
	"time"

	"tidings/internal/store"
)

// Config says which posts are kept and how. Dir, SiteURL and Now are required.
type Config struct {
	Dir       string         // the posts directory
	Permalink string         // address pattern below SiteURL: :slug :category :year :month :day; "": /posts/:slug/
	SiteURL   *url.URL       // where people read the posts; may have a path
	Location  *time.Location // the site's zone; nil: UTC

	// Reserved reports whether an address is not for posts; nil: none is.
	Reserved func(path string) bool

	// Store pins identities. Nil: every identity is derived anew.
	Store store.Posts
	// ReadOnly looks without saving: new posts keep PostID 0.
	ReadOnly bool

	// Index is a file that tells the next start which posts it need not read;
	// "": none. IndexStamp names the program that understands posts.
	Index, IndexStamp string
	// LongLook is how many files in the index make Open go by it alone: to
	// look at so many lasts longer than a start should; 0: 20,000.
	LongLook int

	// Terms fixes names and addresses of terms; see CheckTerms.
	Terms []TermRule
	// Slugs remembers the addresses of terms. Nil: they are derived anew.
	Slugs store.Terms
	// Authors makes a taxonomy of the authors. A post that names none is by
	// Author; "": by nobody.
	Authors bool
	Author  string
	// Sections makes a taxonomy of the folders, as Hugo has it.
	Sections bool

	Debounce time.Duration // quiet time after a file event before the file is read; 0: 100 ms
	Rescan   time.Duration // pause between full looks at the directory; 0: 60 s
	Grace    time.Duration // how long a missing file is waited for; 0: 1 s

	Log *slog.Logger // nil: silent
	Now func() time.Time

	naming naming // of Terms

	// Until is how long to wait, in real time, for an instant of Now's clock;
	// nil: the difference.
	Until func(time.Time) time.Duration
}

func (c Config) withDefaults() Config {
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Until == nil {
		now := c.Now
		c.Until = func(t time.Time) time.Duration { return t.Sub(now()) }
	}
	if c.Permalink == "" {
		c.Permalink = "/posts/:slug/"
	}
	c.naming = newNaming(c.Terms)
	if c.LongLook <= 0 {
		c.LongLook = 20_000
	}
	c.Debounce = orDefault(c.Debounce, 100*time.Millisecond)
	c.Rescan = orDefault(c.Rescan, time.Minute)
	c.Grace = orDefault(c.Grace, time.Second)
	return c
}

func (c Config) reserved(path string) bool { return c.Reserved != nil && c.Reserved(path) }

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
