package newsletter

import (
	"context"
	"fmt"
	"slices"

	"tidings/internal/catalog"
	"tidings/internal/store"
)

// editionPosts gives an edition's posts, with why each is in the person's mail or
// is not.
func (x *explainer) editionPosts(ctx context.Context, m meeting, group int) ([]ExplainedPost, error) {
	list, err := x.Store.EditionPosts(ctx, m.edition.ID, group)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, p := range list {
		ids[i] = p.PostID
	}
	had, err := x.Store.Had(ctx, x.who.ID, m.edition.Newsletter, ids)
	if err != nil {
		return nil, err
	}
	entries := map[int64]*catalog.Entry{}
	snap := x.Posts()
	for _, e := range snap.Entries {
		entries[e.PostID] = e
	}
	mails, err := x.deliveries(ctx, m.edition.Newsletter)
	if err != nil {
		return nil, err
	}
	posts := make([]ExplainedPost, len(list))
	for i, p := range list {
		why := "new to them"
		if !p.In {
			why = m.leftOut(p, entries[p.PostID], snap)
			if in := had[p.PostID]; in != 0 && in != m.edition.ID {
				why = x.gotIn(m.letter, in, mails, in < m.edition.ID)
			}
		}
		posts[i] = ExplainedPost{File: p.File, Title: p.Title, Published: orNone(p.Published), In: p.In, Why: why}
	}
	return posts, nil
}

// leftOut says why a post of the edition is not in the person's mail; e is nil
// if the post is not shown any more.
func (m meeting) leftOut(p store.EditionPost, e *catalog.Entry, snap *catalog.Snapshot) string {
	topics := m.then.present(snap.Renames())
	switch {
	case e == nil:
		return "it is not published any more"
	case !m.letter.Topics.Match(e.Post):
		return "not in this newsletter's categories or tags"
	case !topics.Match(e.Post):
		return otherTopics(topics, e, snap)
	case p.Published.After(m.planned):
		return "published after their turn was planned"
	case m.delivery == nil:
		return "of their topics, and they do not have it"
	}
	return "of their topics, but not due to them when their mail was planned"
}

// gotIn says in which edition a person has a post, and when it came.
func (x *explainer) gotIn(n Newsletter, edition int64, mails []store.Delivery, before bool) string {
	text := fmt.Sprintf("in edition %d", edition)
	if before {
		text = "already " + text
	}
	i := slices.IndexFunc(mails, func(d store.Delivery) bool { return d.EditionID == edition })
	if i < 0 {
		return text
	}
	switch d := mails[i]; d.State {
	case store.DeliverySent:
		return text + ", sent on " + x.local(n, d.UpdatedAt)
	case store.DeliveryInDoubt:
		return text + ", whose answer was lost on " + x.local(n, d.UpdatedAt)
	}
	return text + ", which is on its way"
}
