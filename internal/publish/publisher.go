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

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/store"
)

// opmlPath is where the list of all feeds is.
const opmlPath = "/feeds.opml"

// A Publisher keeps the current Set. It is safe for concurrent use.
type Publisher struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	body    func(context.Context, *catalog.Entry) (string, error)
	html    func(p *post.Post, base *url.URL) string // post.Render
	style   *Document                                // of the feeds; nil: none
	current atomic.Pointer[Set]

	mu       sync.Mutex // one Update at a time; guards what follows
	history  *history
	rendered *rendered
	shown    map[*catalog.Entry]*item
	encoded  map[string]window // as they are in current, by Feed.Path
	queries  *lru.Cache[string, *queried]
	graves   *graveyard
}

// Deps is what a Publisher works with. Only Now is required.
type Deps struct {
	Documents store.Documents // nil: the times of changes do not outlive the process
	// Body gives the source of a post's text; nil: the entry has it.
	Body func(context.Context, *catalog.Entry) (string, error)
	Log  *slog.Logger // nil: silent
	Now  func() time.Time
}

// Result is what an Update brought.
type Result struct {
	Set     *Set
	Changed []*Document // those with new bytes, by path; a restart alone changes none
}

// New gives a Publisher that has not published anything.
func New(cfg Config, deps Deps) *Publisher {
	log := deps.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{
		cfg: cfg.withDefaults(), log: log, now: deps.Now, body: deps.Body, html: post.Render,
		history:  newHistory(deps.Documents, log),
		rendered: newRendered(cfg.Cache, cfg.CacheStamp, log),
	}
	if cfg.Stylesheet != nil {
		p.style = NewDocument(stylePath, "text/css; charset=utf-8", cfg.Stylesheet)
	}
	p.queries, _ = lru.New[string, *queried](maxQueries) // fails for a size of none alone
	if p.body == nil {
		p.body = func(_ context.Context, e *catalog.Entry) (string, error) { return e.Body, nil }
	}
	return p
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
	shown, err := p.items(ctx, snap, windows)
	if err != nil {
		return Result{}, fmt.Errorf("publish feeds: %w", err)
	}
	for i := range windows {
		for _, e := range windows[i].shown {
			windows[i].items = append(windows[i].items, shown[e])
		}
	}
	drafts, err := p.encode(ctx, windows)
	if err != nil {
		return Result{}, fmt.Errorf("publish feeds: %w", err)
	}
	fresh, changed := p.date(drafts)
	p.shown, p.encoded = shown, make(map[string]window, len(windows))
	for _, w := range windows {
		p.encoded[w.Path] = w
	}
	p.rendered.known = nil // items hold it now
	set := p.assemble(windows, fresh, snap.Former)
	p.current.Store(set)
	p.history.save(ctx)
	return Result{Set: set, Changed: changed}, nil
}

// Keep saves what the next process can use to start faster.
func (p *Publisher) Keep(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rendered.keep(ctx, p.shown)
}

func (p *Publisher) encodeOPML(windows []window) (*Document, error) {
	b, err := feed.EncodeOPML(p.cfg.Title, p.stylesheet(), p.outlines(windows))
	return NewDocument(opmlPath, feed.OPMLMediaType, b), err
}

// outlines lists the live feeds, each in its most widely read format.
func (p *Publisher) outlines(windows []window) []feed.Outline {
	groups := map[catalog.Kind]string{catalog.Category: "Categories", catalog.Tag: "Tags", catalog.Author: "Authors", catalog.Section: "Sections", Combined: "Combined"}
	var out []feed.Outline
	for _, w := range windows {
		if !w.retired && !w.archive {
			out = append(out, feed.Outline{
				Group: groups[w.Kind], Title: w.Title,
				XMLURL: p.cfg.URL(p.cfg.docPath(w.Path, p.cfg.Formats[0])), HTMLURL: p.cfg.page(w.Path),
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
	if p.style != nil && p.style.Modified.IsZero() {
		p.style.Modified, _ = p.history.stamp(stylePath, p.style.Hash, now)
	}
	for _, d := range drafts {
		modified, isNew := p.history.stamp(d.path, d.doc.Hash, now)
		doc, old := d.doc, p.published(d.path)
		switch {
		case old != nil && old.Hash == doc.Hash:
			doc = old
		case old != nil:
			doc.follow(old)
		}
		if doc != old {
			doc.Modified = modified
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
func (p *Publisher) assemble(windows []window, fresh map[string]*Document, former map[catalog.Kind]map[string]string) *Set {
	var live, retired, archives []*Feed
	for _, w := range windows {
		f := w.Feed
		f.Docs = map[feed.Format]*Document{}
		for _, format := range p.cfg.Formats {
			at := p.cfg.docPath(f.Path, format)
			doc := fresh[at]
			if doc == nil {
				doc = p.published(at)
			}
			f.Docs[format] = doc
			if doc.Modified.After(f.Modified) {
				f.Modified = doc.Modified
			}
		}
		switch {
		case w.archive:
			archives = append(archives, &f)
		case w.retired:
			retired = append(retired, &f)
		default:
			live = append(live, &f)
		}
	}
	set := p.cfg.newSet(live, retired, fresh[opmlPath], former)
	set.addArchives(archives)
	if p.style != nil {
		set.attach(p.style)
	}
	return set
}

// published is the document now at path; nil if there is none.
func (p *Publisher) published(path string) *Document {
	if set := p.current.Load(); set != nil {
		return set.docs[path]
	}
	return nil
}
