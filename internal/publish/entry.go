package publish

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/term"
)

// An item is a post as every feed shows it: encoded once in each format.
type item struct {
	entry  *feed.Entry
	whole  map[feed.Format]*piece
	chosen bool // the post itself says whether it is shown in full
	poor   bool // its content could not be made; to be tried again

	mu    sync.Mutex
	short map[feed.Format]*piece // without the full text; made when first needed
}

// items gives the item of every post that some window shows. One that did not
// change is the same pointer as the last time, and is neither rendered nor
// encoded again.
func (p *Publisher) items(ctx context.Context, snap *catalog.Snapshot, windows []window) (map[*catalog.Entry]*item, error) {
	terms := newTermIndex(snap)
	next := make(map[*catalog.Entry]*item, len(p.shown))
	var missing []*catalog.Entry
	for _, w := range windows {
		for _, e := range w.shown {
			if _, done := next[e]; done {
				continue
			}
			categories, old := terms.categories(p.cfg, e), p.shown[e]
			if old != nil && !old.poor && slices.Equal(old.entry.Categories, categories) {
				next[e] = old
				continue
			}
			made := &feed.Entry{Categories: categories}
			if old != nil {
				made.HTML = old.entry.HTML
			}
			next[e] = &item{entry: made}
			missing = append(missing, e)
		}
	}
	failed := make([]error, len(missing))
	err := parallel(ctx, len(missing), func(i int) { failed[i] = p.make(ctx, next[missing[i]], missing[i]) })
	for _, e := range failed {
		if err == nil {
			err = e
		}
	}
	return next, err
}

// make fills the item of e, which has its categories, and its content if that
// is known.
func (p *Publisher) make(ctx context.Context, it *item, e *catalog.Entry) error {
	it.chosen = e.FullText != nil
	it.poor = p.fill(ctx, it.entry, e) != nil
	it.whole = make(map[feed.Format]*piece, len(p.cfg.Formats))
	for _, f := range p.cfg.Formats {
		made, err := p.piece(f, *it.entry)
		if err != nil {
			return err
		}
		it.whole[f] = made
	}
	return nil
}

func (p *Publisher) piece(f feed.Format, e feed.Entry) (*piece, error) {
	b, err := feed.EncodeEntry(f, p.cfg.site(), e)
	return &piece{b}, err
}

// shortened is the item without its full text.
func (p *Publisher) shortened(it *item, f feed.Format) (*piece, error) {
	if it.entry.HTML == "" {
		return it.whole[f], nil
	}
	it.mu.Lock()
	defer it.mu.Unlock()
	if made := it.short[f]; made != nil {
		return made, nil
	}
	e := *it.entry
	e.HTML = ""
	made, err := p.piece(f, e)
	if err != nil {
		return nil, err
	}
	if it.short == nil {
		it.short = map[feed.Format]*piece{}
	}
	it.short[f] = made
	return made, nil
}

// fill makes f, which has its categories, the entry of e. After an error it
// lacks the full text: the feed then shows the summary, and every other post
// is as it was.
func (p *Publisher) fill(ctx context.Context, f *feed.Entry, e *catalog.Entry) error {
	f.ID, f.URL = e.ID, e.URL
	f.Title, f.Summary = e.Title, e.Summary
	f.Published, f.Updated = e.Published, e.Updated
	f.Language = e.Language
	for _, name := range e.Authors {
		f.Authors = append(f.Authors, feed.Person{Name: name})
	}
	base, err := url.Parse(e.URL)
	if err == nil {
		f.Image = feed.Image{URL: post.Absolute(base, e.Image), Alt: e.ImageAlt, Width: e.ImageSize.Width, Height: e.ImageSize.Height}
		f.Comments = post.Absolute(base, e.Comments)
		f.Enclosure = feed.Enclosure{
			URL: post.Absolute(base, e.Enclosure.URL), Type: e.Enclosure.Type, Length: e.Enclosure.Length, Duration: e.Enclosure.Duration,
		}
	}
	if err == nil && p.fullText(e.Post) && f.HTML == "" {
		f.HTML, err = p.content(ctx, e, base)
	}
	if err != nil {
		p.log.ErrorContext(ctx, "the content of a post cannot be made; feeds show its summary alone", "file", e.File, "url", e.URL, "error", err)
	}
	return err
}

func (p *Publisher) fullText(e *post.Post) bool {
	if e.FullText != nil {
		return *e.FullText
	}
	return p.cfg.renders()
}

// content gives the post as HTML.
func (p *Publisher) content(ctx context.Context, e *catalog.Entry, base *url.URL) (html string, err error) {
	if html, ok := p.rendered.get(e); ok {
		return html, nil
	}
	body, err := p.body(ctx, e)
	if err != nil {
		return "", err
	}
	defer func() {
		if r := recover(); r != nil {
			html, err = "", fmt.Errorf("render the post: %v", r)
		}
	}()
	p.rendered.stale.Store(true)
	whole := *e.Post
	whole.Body = body
	return p.html(&whole, base), nil
}

// termIndex finds the term behind any spelling of its name.
type termIndex struct {
	byKey    map[catalog.Kind]map[string]*catalog.Term
	bySpell  map[catalog.Kind]map[string]*catalog.Term // those asked for before
	byScheme map[*catalog.Term]feed.Category
}

func newTermIndex(snap *catalog.Snapshot) termIndex {
	index := termIndex{
		byKey:    map[catalog.Kind]map[string]*catalog.Term{catalog.Category: {}, catalog.Tag: {}},
		bySpell:  map[catalog.Kind]map[string]*catalog.Term{catalog.Category: {}, catalog.Tag: {}},
		byScheme: map[*catalog.Term]feed.Category{},
	}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		index.byKey[t.Kind][t.Key] = t
	}
	return index
}

// find gives the term with a name; nil if there is none.
func (index termIndex) find(kind catalog.Kind, name string) *catalog.Term {
	t, asked := index.bySpell[kind][name]
	if !asked {
		t = index.byKey[kind][term.Key(name)]
		index.bySpell[kind][name] = t
	}
	return t
}

// category is a term as entries show it.
func (index termIndex) category(cfg Config, t *catalog.Term) feed.Category {
	c, made := index.byScheme[t]
	if !made {
		c = feed.Category{Name: t.Name, Scheme: cfg.page(folder(t.Kind, t.Slug))}
		index.byScheme[t] = c
	}
	return c
}

// categories of e in the order of its file, categories before tags, under the
// names that the whole publication uses.
func (index termIndex) categories(cfg Config, e *catalog.Entry) []feed.Category {
	out := make([]feed.Category, 0, len(e.Categories)+len(e.Tags))
	add := func(kind catalog.Kind, names []string) {
		for _, name := range names {
			if t := index.find(kind, name); t != nil {
				out = append(out, index.category(cfg, t))
			}
		}
	}
	add(catalog.Category, e.Categories)
	add(catalog.Tag, e.Tags)
	return out
}
