package publish

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/post"
	"tidings/internal/term"
)

// entries gives the feed entry of every post that some window shows. One that
// did not change is the same pointer as the last time, and is not rendered
// again.
func (p *Publisher) entries(ctx context.Context, snap *catalog.Snapshot, windows []window) (map[*catalog.Entry]*feed.Entry, error) {
	terms := newTermIndex(snap)
	next := map[*catalog.Entry]*feed.Entry{}
	var missing []*catalog.Entry
	for _, w := range windows {
		for _, e := range w.shown {
			if _, done := next[e]; done {
				continue
			}
			categories := terms.categories(p.cfg, e)
			if old := p.rendered[e]; old == nil {
				next[e] = &feed.Entry{Categories: categories}
				missing = append(missing, e)
			} else if slices.Equal(old.Categories, categories) {
				next[e] = old
			} else {
				renamed := *old
				renamed.Categories = categories
				next[e] = &renamed
			}
		}
	}
	err := parallel(ctx, len(missing), func(i int) { p.fill(next[missing[i]], missing[i]) })
	return next, err
}

// fill makes f, which has its categories, the entry of e.
func (p *Publisher) fill(f *feed.Entry, e *catalog.Entry) {
	f.ID, f.URL = e.ID, e.URL
	f.Title, f.Summary = e.Title, e.Summary
	f.Published, f.Updated = e.Published, e.Updated
	f.Language = e.Language
	for _, name := range e.Authors {
		f.Authors = append(f.Authors, feed.Person{Name: name})
	}
	base, err := url.Parse(e.URL)
	if err != nil {
		p.log.Warn("the address of a post is no URL; its feed entry has no content", "file", e.File, "url", e.URL, "error", err)
		return
	}
	f.Image = absolute(base, e.Image)
	if p.fullText(e.Post) {
		f.HTML = p.render(e.Post, base)
	}
}

func (p *Publisher) fullText(e *post.Post) bool {
	if e.FullText != nil {
		return *e.FullText
	}
	return !p.cfg.Summary
}

// render gives "" for a post that the renderer cannot cope with: it then
// shows its summary, and every other post is as it was.
func (p *Publisher) render(e *post.Post, base *url.URL) (html string) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("a post cannot be rendered; feeds show its summary alone", "file", e.File, "error", fmt.Sprint(r))
			html = ""
		}
	}()
	return p.html(e, base)
}

// absolute resolves a reference; "" if that gives no web address.
func absolute(base *url.URL, ref string) string {
	if ref == "" {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// termIndex finds the term behind any spelling of its name.
type termIndex map[catalog.Kind]map[string]*catalog.Term

func newTermIndex(snap *catalog.Snapshot) termIndex {
	index := termIndex{catalog.Category: {}, catalog.Tag: {}}
	for _, t := range slices.Concat(snap.Categories, snap.Tags) {
		index[t.Kind][t.Key] = t
	}
	return index
}

// categories of e in the order of its file, categories before tags, under the
// names that the whole publication uses.
func (index termIndex) categories(cfg Config, e *catalog.Entry) []feed.Category {
	var out []feed.Category
	add := func(kind catalog.Kind, names []string) {
		for _, name := range names {
			if t := index[kind][term.Key(name)]; t != nil {
				out = append(out, feed.Category{Name: t.Name, Scheme: cfg.page(folder(kind, t.Slug))})
			}
		}
	}
	add(catalog.Category, e.Categories)
	add(catalog.Tag, e.Tags)
	return out
}
