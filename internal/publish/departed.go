package publish

import (
	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/term"
)

// mostTombstones is how many posts that left a feed names at the most, so that
// a great clean-up does not fill it.
const mostTombstones = 100

// bury has each feed name the posts that left it, the last to leave first. A
// feed whose term left with its last post is known by its slug alone.
func (p *Publisher) bury(windows []window, departed []*catalog.Departed) {
	if len(departed) == 0 {
		return
	}
	byTerm := map[catalog.Kind]map[string][]feed.Tombstone{catalog.Category: {}, catalog.Tag: {}, catalog.Author: {}}
	for _, d := range departed {
		t := feed.Tombstone{ID: d.ID, When: d.When}
		for kind, names := range map[catalog.Kind][]string{catalog.Category: d.Categories, catalog.Tag: d.Tags, catalog.Author: d.Authors} {
			for _, name := range names {
				key, slug := term.Key(name), slugMark+term.Slug(name)
				byTerm[kind][key] = append(byTerm[kind][key], t)
				byTerm[kind][slug] = append(byTerm[kind][slug], t)
			}
		}
		if len(windows[0].left) < mostTombstones {
			windows[0].left = append(windows[0].left, t)
		}
	}
	for i := range windows[1:] {
		w := &windows[1+i]
		id := w.Key
		if w.retired {
			id = slugMark + w.Name
		}
		left := byTerm[w.Kind][id]
		w.left = left[:min(len(left), mostTombstones)]
	}
}

// slugMark stands before a slug among keys, and in no key.
const slugMark = "\x00"
