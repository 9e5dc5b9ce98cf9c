package publish

import (
	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// mostTombstones is how many posts that left a feed names at the most, so that
// a great clean-up does not fill it.
const mostTombstones = 100

// A graveyard is the tombstones of posts that left, the last to leave first,
// by the feeds that they were in.
type graveyard struct {
	departed []*catalog.Departed
	all      []feed.Tombstone
	byKey    map[grave][]feed.Tombstone
	bySlug   map[grave][]feed.Tombstone // for feeds that are known by their slug alone
}

// A grave is a term, by its key or its slug.
type grave struct {
	kind catalog.Kind
	name string
}

func newGraveyard(departed []*catalog.Departed) *graveyard {
	g := &graveyard{departed: departed, byKey: map[grave][]feed.Tombstone{}, bySlug: map[grave][]feed.Tombstone{}}
	for _, d := range departed {
		stone := tombstone(d)
		g.all = put(g.all, stone)
		for _, t := range d.Terms {
			key, slug := grave{t.Kind, t.Key}, grave{t.Kind, t.Slug}
			g.byKey[key], g.bySlug[slug] = put(g.byKey[key], stone), put(g.bySlug[slug], stone)
		}
	}
	return g
}

func tombstone(d *catalog.Departed) feed.Tombstone { return feed.Tombstone{ID: d.ID, When: d.When} }

func put(list []feed.Tombstone, stone feed.Tombstone) []feed.Tombstone {
	if len(list) == mostTombstones {
		return list
	}
	return append(list, stone)
}

// holds reports whether the graveyard is the one of these posts.
func (g *graveyard) holds(departed []*catalog.Departed) bool {
	return g != nil && len(g.departed) == len(departed) && (len(departed) == 0 || &g.departed[0] == &departed[0])
}

// of gives the tombstones of one feed.
func (g *graveyard) of(w *window) (stones []feed.Tombstone) {
	switch {
	case w.retired:
		return g.bySlug[grave{w.Kind, w.Name}]
	case w.by != nil:
		for _, d := range g.departed {
			if d.Within(w.by...) {
				stones = put(stones, tombstone(d))
			}
		}
		return stones
	case w.Kind == "":
		return g.all
	}
	return g.byKey[grave{w.Kind, w.Key}]
}

// bury has each feed name the posts that left it.
func (p *Publisher) bury(windows []window, departed []*catalog.Departed) {
	if !p.graves.holds(departed) {
		p.graves = newGraveyard(departed)
	}
	for i := range windows {
		windows[i].left = p.graves.of(&windows[i])
	}
}
