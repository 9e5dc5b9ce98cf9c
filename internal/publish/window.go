package publish

import (
	"path"
	"slices"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// A window is one feed before it is encoded: what it is, and the posts it
// shows.
type window struct {
	Feed    // without Modified and Docs
	retired bool
	shown   []*catalog.Entry
	items   []*item // of shown
	left    []feed.Tombstone
	brief   bool                 // summaries, where a post does not choose for itself
	all     []*catalog.Entry     // also those beyond the window
	by      []catalog.Expression // any of which chooses the posts of a combined feed; nil: of another one
	chain
}

// same reports whether w gives the very documents that old gave.
func (w window) same(old window) bool {
	return w.Title == old.Title && slices.Equal(w.items, old.items) && slices.Equal(w.left, old.left) && w.chain == old.chain
}

// windows gives the feed of everything, then those of the terms of each
// taxonomy, then the retired ones.
func (p *Publisher) windows(snap *catalog.Snapshot) []window {
	all := []window{p.window(Feed{}, "", snap.Entries)}
	for _, t := range slices.Concat(snap.Categories, snap.Tags, snap.Authors, snap.Sections) {
		f := Feed{Kind: t.Kind, Key: t.Key, Name: t.Name, names: slices.Concat(t.Spellings, t.Was)}
		all = append(all, p.window(f, t.Slug, t.Entries))
	}
	all = append(all, p.combined(snap)...)
	all = append(all, p.retired(all, snap.Former)...)
	p.bury(all, snap.Departed)
	return p.archived(all)
}

func (p *Publisher) window(f Feed, slug string, entries []*catalog.Entry) window {
	f.Title = p.cfg.title(f.Kind, f.Name)
	f.Path = folder(f.Kind, slug)
	f.Posts = len(entries)
	f.Latest = p.cfg.Recent(entries)
	return window{Feed: f, shown: f.Latest, all: entries, brief: p.cfg.brief(p.cfg.Contents[f.Kind][f.Key])}
}

// Recent cuts the window out of entries, newest first: so many, and all of so
// many days, which count back from the newest. The clock has no part in it.
func (c Config) Recent(entries []*catalog.Entry) []*catalog.Entry {
	n := min(len(entries), c.Items)
	if n == len(entries) || c.Days == 0 {
		return entries[:n]
	}
	since := entries[0].Published.Add(-time.Duration(c.Days) * 24 * time.Hour)
	for n < len(entries) && entries[n].Published.After(since) {
		n++
	}
	return entries[:n]
}

// retired gives an empty feed for every term that had posts once: those who
// subscribed to it must not be told that it is gone, for it may come back.
// What is left of the term is its slug. A slug that leads to another one is not
// retired.
func (p *Publisher) retired(live []window, former map[catalog.Kind]map[string]string) []window {
	seen := map[string]bool{}
	for _, w := range live {
		seen[w.Path] = true
	}
	var out []window
	for name := range p.history.known {
		dir, file := path.Split(name)
		kind, slug, ok := parseFolder(dir)
		if !ok || seen[dir] || former[kind][slug] != "" || !p.cfg.has(kind) || !slices.ContainsFunc(formats[:], func(f feed.Format) bool { return f.FileName() == file }) {
			continue
		}
		seen[dir] = true
		w := p.window(Feed{Kind: kind, Name: slug}, slug, nil)
		w.retired = true
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b window) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// parseFolder is the inverse of folder.
func parseFolder(dir string) (catalog.Kind, string, bool) {
	for _, kind := range kinds {
		prefix := strings.TrimSuffix(folder(kind, ""), "/")
		if slug, ok := strings.CutPrefix(dir, prefix); ok {
			slug = strings.TrimSuffix(slug, "/")
			return kind, slug, slug != "" && !strings.Contains(slug, "/")
		}
	}
	return "", "", false
}
