package publish

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/feed"
	"tidings/internal/term"
)

// Combined is the kind of feeds that combine terms of several taxonomies.
const Combined catalog.Kind = "combined"

// Names are terms, by the names that posts give them.
type Names struct {
	Categories, Tags, Authors []string
}

// A Combination is a feed of posts with any of some terms, with all of others,
// and with none of yet others. It has an address of its own.
type Combination struct {
	Name          string // last element of its folder
	Title         string // "": its terms
	Content       Content
	Any, All, Not Names
}

// terms gives the terms of the names. One that no post has is there without
// posts.
func (n Names) terms(snap *catalog.Snapshot) (terms []*catalog.Term) {
	for _, list := range []struct {
		kind  catalog.Kind
		names []string
	}{{catalog.Category, n.Categories}, {catalog.Tag, n.Tags}, {catalog.Author, n.Authors}} {
		for _, name := range list.names {
			key := term.Key(name)
			i := slices.IndexFunc(snap.Terms(list.kind), func(t *catalog.Term) bool {
				return t.Key == key || slices.ContainsFunc(t.Was, func(was string) bool { return term.Key(was) == key })
			})
			if i < 0 {
				terms = append(terms, &catalog.Term{Kind: list.kind, Key: key, Name: name})
				continue
			}
			terms = append(terms, snap.Terms(list.kind)[i])
		}
	}
	return terms
}

// A Choice is the terms of a combination, as people see them.
type Choice struct {
	Any []*catalog.Term // at least one of these; empty: every post
	In  []*catalog.Term // and at least one of these; empty: any post
	All []*catalog.Term // each of these
	Not []*catalog.Term // none of these
}

// expression gives what a choice chooses.
func (c Choice) expression() catalog.Expression {
	var x catalog.Expression
	for _, list := range [][]*catalog.Term{c.Any, c.In} {
		if len(list) > 0 {
			x.Every = append(x.Every, keys(list))
		}
	}
	for _, t := range c.All {
		x.Every = append(x.Every, []catalog.TermKey{{Kind: t.Kind, Key: t.Key}})
	}
	x.Not = keys(c.Not)
	return x
}

func keys(terms []*catalog.Term) []catalog.TermKey {
	ks := make([]catalog.TermKey, len(terms))
	for i, t := range terms {
		ks[i] = catalog.TermKey{Kind: t.Kind, Key: t.Key}
	}
	return ks
}

// choice gives what a combination asks for.
func (c Combination) choice(snap *catalog.Snapshot) Choice {
	return Choice{Any: c.Any.terms(snap), All: c.All.terms(snap), Not: c.Not.terms(snap)}
}

// combined gives the windows of the combinations that the configuration names.
func (p *Publisher) combined(snap *catalog.Snapshot) []window {
	var all []window
	for _, c := range p.cfg.Combined {
		by := c.choice(snap)
		title := c.Title
		if title == "" {
			title = describe(by)
		}
		x := by.expression()
		w := p.window(Feed{Kind: Combined, Key: c.Name, Name: title}, c.Name, snap.Select(x))
		w.brief, w.by = p.cfg.brief(c.Content), []catalog.Expression{x}
		all = append(all, w)
	}
	return all
}

// describe is the title of a choice: "DevOps or #ci-cd, with #go, without
// #news".
func describe(by Choice) string {
	var parts []string
	add := func(prefix, joint string, terms []*catalog.Term) {
		var names []string
		for _, t := range terms {
			name := t.Name
			if t.Kind == catalog.Tag {
				name = "#" + name
			}
			names = append(names, name)
		}
		if len(names) > 0 {
			parts = append(parts, prefix+strings.Join(names, joint))
		}
	}
	add("", " or ", by.Any)
	add("in ", " or ", by.In)
	add("with ", " and ", by.All)
	add("without ", " or ", by.Not)
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

// A Query is a combination asked for in an address.
type Query struct {
	by        Choice
	canonical string
}

// mostTerms is how many terms a query may name.
const mostTerms = 20

// parameters of a query, in canonical order.
var parameters = []struct {
	name string
	kind catalog.Kind
	part func(*Choice) *[]*catalog.Term
}{
	{"category", catalog.Category, anyOf}, {"tag", catalog.Tag, anyOf}, {"author", catalog.Author, anyOf},
	{"in-category", catalog.Category, inOf}, {"in-tag", catalog.Tag, inOf}, {"in-author", catalog.Author, inOf},
	{"all-category", catalog.Category, allOf}, {"all-tag", catalog.Tag, allOf}, {"all-author", catalog.Author, allOf},
	{"not-category", catalog.Category, noneOf}, {"not-tag", catalog.Tag, noneOf}, {"not-author", catalog.Author, noneOf},
}

func anyOf(c *Choice) *[]*catalog.Term  { return &c.Any }
func inOf(c *Choice) *[]*catalog.Term   { return &c.In }
func allOf(c *Choice) *[]*catalog.Term  { return &c.All }
func noneOf(c *Choice) *[]*catalog.Term { return &c.Not }

// ParseQuery understands the parameters of a combined feed: category, tag and
// author, of which any must fit; in-…, of which any must fit too; all-… and
// not-…. Each may be repeated, or hold
// several slugs with commas between them. What is unknown to it, such as the
// marks that some readers add to addresses, does not count. The error says what
// is wrong to the person who asked.
func ParseQuery(values url.Values, snap *catalog.Snapshot) (Query, error) {
	var q Query
	n := 0
	for _, p := range parameters {
		terms, err := termsAt(p.kind, values[p.name], snap)
		if err != nil {
			return q, err
		}
		n += len(terms)
		*p.part(&q.by) = append(*p.part(&q.by), terms...)
	}
	if n > mostTerms {
		return q, fmt.Errorf("a feed can combine %d terms at the most, not %d", mostTerms, n)
	}
	var parts []string
	asked := q.Parameters()
	for _, p := range parameters {
		for _, slug := range asked[p.name] {
			parts = append(parts, p.name+"="+url.QueryEscape(slug))
		}
	}
	q.canonical = strings.Join(parts, "&")
	return q, nil
}

// termsAt gives the terms at slugs, each once, by slug.
func termsAt(kind catalog.Kind, lists []string, snap *catalog.Snapshot) ([]*catalog.Term, error) {
	var terms []*catalog.Term
	for _, list := range lists {
		for slug := range strings.SplitSeq(list, ",") {
			if slug = strings.TrimSpace(slug); slug == "" {
				continue
			}
			t := termNamed(snap, kind, slug)
			if t == nil {
				return nil, fmt.Errorf("there is no %s %q", kind, slug)
			}
			terms = append(terms, t)
		}
	}
	slices.SortFunc(terms, func(a, b *catalog.Term) int { return strings.Compare(a.Slug, b.Slug) })
	return slices.CompactFunc(terms, func(a, b *catalog.Term) bool { return a.Slug == b.Slug }), nil
}

// termNamed finds a term by its slug or any spelling of its name; one that has
// lost its posts by its slug, which is all that is left of it.
func termNamed(snap *catalog.Snapshot, kind catalog.Kind, s string) *catalog.Term {
	if t := snap.TermAt(kind, s); t != nil {
		return t
	}
	key := term.Key(s)
	if i := slices.IndexFunc(snap.Terms(kind), func(t *catalog.Term) bool { return t.Key == key }); i >= 0 {
		return snap.Terms(kind)[i]
	}
	if key := snap.Retired[kind][s]; key != "" {
		return &catalog.Term{Kind: kind, Key: key, Name: s, Slug: s}
	}
	return nil
}

// Everything reports whether the query narrows nothing down.
func (q Query) Everything() bool { return q.canonical == "" }

// Choice gives the terms of the query.
func (q Query) Choice() Choice { return q.by }

// Parameters gives the query's parameters with the slugs of each.
func (q Query) Parameters() url.Values {
	values := url.Values{}
	for _, p := range parameters {
		for _, t := range *p.part(&q.by) {
			if t.Kind == p.kind {
				values.Add(p.name, t.Slug)
			}
		}
	}
	return values
}

// String is the canonical form of the query: however it was written, the same
// terms give the same feed.
func (q Query) String() string { return q.canonical }

// combinedFolder is where feeds are that are asked for by query.
const combinedFolder = "/feeds/"

// CombinedPage is the path of the page about a query.
const CombinedPage = "/feeds/combined/"

// maxQueries is how many feeds that were asked for by query are kept.
const maxQueries = 64

// Combine gives the feed of a query, whose documents are those of combined
// feeds: the same posts, the same bytes. It keeps the last ones asked for.
func (p *Publisher) Combine(ctx context.Context, snap *catalog.Snapshot, q Query) (*Feed, error) {
	at := combinedFolder + "?" + q.canonical
	return p.queried(ctx, snap, request{
		key: "?" + q.canonical, name: describe(q.by), by: []catalog.Expression{q.by.expression()},
		place: func(f feed.Format) place {
			self := p.cfg.URL(combinedFolder+f.FileName()) + "?" + q.canonical
			return place{id: p.cfg.id(at), self: self, page: p.cfg.page(CombinedPage) + "?" + q.canonical, room: maxSize}
		},
	})
}

// Private gives the feed of the posts that any of some expressions chooses, for
// one reader. It names no address of its own, so that it does not tell the
// secret one it is read at, and readers who choose the same share it.
func (p *Publisher) Private(ctx context.Context, snap *catalog.Snapshot, title string, by ...catalog.Expression) (*Feed, error) {
	key := title
	for _, x := range by {
		key += " || " + x.String()
	}
	return p.queried(ctx, snap, request{
		key: key, name: title, by: by,
		place: func(feed.Format) place {
			return place{id: p.cfg.id(combinedFolder + "private/"), page: p.cfg.page("/"), room: maxSize}
		},
	})
}

// A request asks for a feed that is not in the set.
type request struct {
	key   string // the same for the same feed
	name  string
	by    []catalog.Expression
	place func(feed.Format) place
}

// queried gives a feed that is asked for: the one that is kept, while the set is
// the one it was made for.
func (p *Publisher) queried(ctx context.Context, snap *catalog.Snapshot, r request) (*Feed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, _ := p.queries.Get(r.key)
	set := p.current.Load()
	if known != nil && known.set == set {
		return known.feed, nil
	}
	w := p.window(Feed{Kind: Combined, Key: r.key, Name: r.name}, "", snap.Select(r.by...))
	w.Path, w.by = combinedFolder, r.by
	w.left = (&graveyard{departed: snap.Departed}).of(&w)
	items, err := p.items(ctx, snap, []window{w})
	if err != nil {
		return nil, fmt.Errorf("combine %q: %w", r.key, err)
	}
	for _, e := range w.shown {
		w.items = append(w.items, items[e])
	}
	made := &queried{set: set, feed: &w.Feed, window: w}
	if err := p.documents(made, known, r); err != nil {
		return nil, fmt.Errorf("combine %q: %w", r.key, err)
	}
	p.queries.Add(r.key, made)
	return made.feed, nil
}

// A queried feed is one that was asked for while a set was current.
type queried struct {
	set    *Set
	feed   *Feed
	window window
}

// documents makes the documents of a feed that was asked for; those that did not
// change stay the same pointers. They changed, as far as is known without
// keeping every query for ever, when any document did, or any of their posts.
func (p *Publisher) documents(made, known *queried, r request) error {
	modified := made.set.modified()
	for _, e := range made.window.shown {
		if e.Changed.After(modified) {
			modified = e.Changed
		}
	}
	made.feed.Docs = map[feed.Format]*Document{}
	for _, f := range p.cfg.Formats {
		doc, err := p.encodeWindow(&made.window, f, combinedFolder+f.FileName(), r.place(f))
		if err != nil {
			return err
		}
		if known != nil {
			doc = succeed(known.feed.Docs[f], doc, modified)
		} else {
			doc.Modified = modified.UTC().Truncate(time.Second)
		}
		made.feed.Docs[f] = doc
	}
	made.feed.Modified = modified
	return nil
}

// succeed gives what takes the place of a document: itself, if nothing changed,
// else the new one, later by a second at least.
func succeed(old, doc *Document, modified time.Time) *Document {
	if old.Hash == doc.Hash {
		return old
	}
	doc.follow(old)
	doc.Modified = modified.UTC().Truncate(time.Second)
	if next := old.Modified.Add(time.Second); doc.Modified.Before(next) {
		doc.Modified = next
	}
	return doc
}

// modified is when any document of the set last changed.
func (s *Set) modified() time.Time {
	newest := s.OPML.Modified
	for _, f := range s.Feeds {
		if f.Modified.After(newest) {
			newest = f.Modified
		}
	}
	return newest
}
