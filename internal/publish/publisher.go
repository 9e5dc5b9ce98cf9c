package publish

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/store"
)

// opmlPath is where the list of all feeds is.
const opmlPath = "/feeds.opml"

// maxContent bounds the HTML of one feed, in bytes: readers refuse documents
// of more than about five megabytes.
const maxContent = 4 << 20

// A Publisher keeps the current Set. It is safe for concurrent use.
type Publisher struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	html    func(p *post.Post, base *url.URL) string // post.Render
	current atomic.Pointer[Set]

	mu       sync.Mutex // one Update at a time; guards what follows
	history  *history
	rendered map[*catalog.Entry]*feed.Entry
	encoded  map[string]window // as they are in current, by Feed.Path
}

// Result is what an Update brought.
type Result struct {
	Set     *Set
	Changed []*Document // those with new bytes, by path; a restart alone changes none
}

// New gives a Publisher that has not published anything. With nil docs the
// times of changes do not outlive the process; a nil log is silent.
func New(cfg Config, docs store.Documents, log *slog.Logger, now func() time.Time) *Publisher {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Publisher{
		cfg: cfg.withDefaults(), log: log, now: now, html: post.Render,
		history: newHistory(docs, log),
	}
}

// Current gives the set that is published now; nil before the first Update.
func (p *Publisher) Current() *Set { return p.current.Load() }

// URL is the public address of the document at path.
func (p *Publisher) URL(path string) string { return p.cfg.URL(path) }

// Update publishes the snapshot. Documents that it does not touch are the same
// pointers in the new Set. A database that fails is no error: it is logged,
// and tried again with the next Update. After an error the Set is as before.
func (p *Publisher) Update(ctx context.Context, snap *catalog.Snapshot) (Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.history.load(ctx)
	windows := p.windows(snap)
	rendered, err := p.entries(ctx, snap, windows)
	if err != nil {
		return Result{}, fmt.Errorf("publish feeds: %w", err)
	}
	for i := range windows {
		for _, e := range windows[i].shown {
			windows[i].entries = append(windows[i].entries, rendered[e])
		}
	}
	drafts, err := p.encode(ctx, windows)
	if err != nil {
		return Result{}, fmt.Errorf("publish feeds: %w", err)
	}
	fresh, changed := p.date(drafts)
	p.history.save(ctx)
	p.rendered, p.encoded = rendered, map[string]window{}
	for _, w := range windows {
		p.encoded[w.Path] = w
	}
	set := p.assemble(windows, fresh)
	p.current.Store(set)
	return Result{Set: set, Changed: changed}, nil
}

// A draft is a document without its time.
type draft struct {
	window    *window
	format    feed.Format // "" for the OPML
	path      string
	mediaType string
	bytes     []byte
	hash      string
	err       error
}

// encode makes the documents of every window that is not as it was, and the
// OPML.
func (p *Publisher) encode(ctx context.Context, windows []window) ([]*draft, error) {
	var drafts []*draft
	for i := range windows {
		w := &windows[i]
		if old, ok := p.encoded[w.Path]; ok && w.same(old) {
			continue
		}
		for _, f := range p.cfg.Formats {
			drafts = append(drafts, &draft{window: w, format: f, path: w.Path + f.FileName(), mediaType: f.MediaType()})
		}
	}
	drafts = append(drafts, &draft{path: opmlPath, mediaType: feed.OPMLMediaType})
	err := parallel(ctx, len(drafts), func(i int) {
		d := drafts[i]
		if d.window == nil {
			d.bytes, d.err = feed.EncodeOPML(p.cfg.Title, p.outlines(windows))
		} else {
			d.bytes, d.err = p.encodeFeed(d.window, d.format)
		}
		d.hash = hash(d.bytes)
	})
	for _, d := range drafts {
		err = cmp.Or(err, d.err)
	}
	return drafts, err
}

func (p *Publisher) encodeFeed(w *window, f feed.Format) ([]byte, error) {
	d := feed.Feed{
		ID:          p.cfg.id(w.Path),
		Title:       w.Title,
		SiteTitle:   p.cfg.Title,
		Description: p.cfg.Description,
		SiteURL:     p.cfg.page(w.Path),
		Language:    p.cfg.Language,
		Author:      p.cfg.Author,
		Generator:   generator,
	}
	room := maxContent
	for _, e := range w.entries {
		shown := *e
		if room -= len(e.HTML); room < 0 {
			room += len(e.HTML)
			shown.HTML = ""
		}
		d.Entries = append(d.Entries, shown)
	}
	return feed.Encode(f, d, feed.Self{f: p.cfg.URL(w.Path + f.FileName())})
}

// outlines lists the live feeds, each in its most widely read format.
func (p *Publisher) outlines(windows []window) []feed.Outline {
	groups := map[catalog.Kind]string{catalog.Category: "Categories", catalog.Tag: "Tags"}
	var out []feed.Outline
	for _, w := range windows {
		if !w.retired {
			out = append(out, feed.Outline{
				Group: groups[w.Kind], Title: w.Title,
				XMLURL: p.cfg.URL(w.Path + p.cfg.Formats[0].FileName()), HTMLURL: p.cfg.page(w.Path),
			})
		}
	}
	return out
}

// date makes documents of the drafts, by path; one whose bytes are what they
// were stays the same pointer. Changed are those with new bytes, by path.
func (p *Publisher) date(drafts []*draft) (fresh map[string]*Document, changed []*Document) {
	now := p.now()
	fresh = map[string]*Document{}
	for _, d := range drafts {
		modified, isNew := p.history.stamp(d.path, d.hash, now)
		doc := p.published(d.path)
		if doc == nil || doc.Hash != d.hash {
			doc = &Document{Path: d.path, MediaType: d.mediaType, Bytes: d.bytes, Hash: d.hash, Modified: modified}
		}
		fresh[d.path] = doc
		if isNew {
			changed = append(changed, doc)
		}
	}
	slices.SortFunc(changed, func(a, b *Document) int { return cmp.Compare(a.Path, b.Path) })
	return fresh, changed
}

// assemble puts the fresh documents together with those that stay.
func (p *Publisher) assemble(windows []window, fresh map[string]*Document) *Set {
	var live, retired []*Feed
	for _, w := range windows {
		f := w.Feed
		f.Docs = map[feed.Format]*Document{}
		for _, format := range p.cfg.Formats {
			doc := fresh[f.Path+format.FileName()]
			if doc == nil {
				doc = p.published(f.Path + format.FileName())
			}
			f.Docs[format] = doc
			if doc.Modified.After(f.Modified) {
				f.Modified = doc.Modified
			}
		}
		if w.retired {
			retired = append(retired, &f)
		} else {
			live = append(live, &f)
		}
	}
	return newSet(live, retired, fresh[opmlPath])
}

// published is the document now at path; nil if there is none.
func (p *Publisher) published(path string) *Document {
	if set := p.current.Load(); set != nil {
		return set.docs[path]
	}
	return nil
}
