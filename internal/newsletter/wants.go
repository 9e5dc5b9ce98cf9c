package newsletter

import (
	"sync"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// wants gives the rule by which a mail that is under way goes to a reader who
// chose anew: it comes by the cadence that they have now, or by hand, and every
// post in it is of their topics. A post that is not shown any more, and a
// newsletter that is not configured at present, are no reason against it.
func (s *Service) wants() store.Wants {
	snap := sync.OnceValue(s.Posts)
	entries := sync.OnceValue(func() map[int64]*catalog.Entry {
		byID := map[int64]*catalog.Entry{}
		for _, e := range snap().Entries {
			byID[e.PostID] = e
		}
		return byID
	})
	return func(sub store.Subscription, m store.UnderWay) bool {
		n, err := s.Newsletter(sub.Newsletter)
		if err != nil {
			return true
		}
		if !m.Manual && n.cadenceOf(sub.Frequency) != m.Cadence {
			return false
		}
		topics := Topics{Categories: sub.Categories, Tags: sub.Tags}.present(snap().Renames())
		for _, id := range m.PostIDs {
			if e := entries()[id]; e != nil && !topics.Match(e.Post) {
				return false
			}
		}
		return true
	}
}
