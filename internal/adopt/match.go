package adopt

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"tidings/internal/catalog"
)

// A Pair is a post and the entry it was.
type Pair struct {
	Post  *catalog.Entry
	Entry Entry
}

// A Report says what became of each entry.
type Report struct {
	New      []Pair  // the post is to have the id of the entry
	Already  []Pair  // it has it
	Explicit []Pair  // its front matter gives it another id
	Taken    []Pair  // another post has that id, and keeps it
	Unknown  []Entry // no post is like it
	Posts    []*catalog.Entry
}

// Match finds out which entry is which post: by its link, else by title and
// day, else by a title that only one entry and one post have. Posts are those
// of the report that no entry is like.
func Match(entries []Entry, posts []*catalog.Entry) Report {
	var r Report
	m := newIndex(posts)
	of := map[*catalog.Entry]Entry{}
	rest := entries
	for _, find := range []func(Entry) *catalog.Entry{m.byLink, m.byPath, m.byDay, m.byTitle(entries)} {
		var left []Entry
		for _, e := range rest {
			p := find(e)
			if _, taken := of[p]; p == nil || taken {
				left = append(left, e)
				continue
			}
			of[p] = e
		}
		rest = left
	}
	r.Unknown = rest
	ids := map[string]*catalog.Entry{}
	for _, p := range posts {
		ids[p.ID] = p
	}
	for _, p := range posts {
		e, ok := of[p]
		if !ok {
			r.Posts = append(r.Posts, p)
			continue
		}
		r.file(Pair{p, e}, ids[e.ID])
	}
	r.untangle(of)
	return r
}

func (r *Report) file(pair Pair, holder *catalog.Entry) {
	list := &r.New
	switch {
	case holder == pair.Post:
		list = &r.Already
	case pair.Post.GUID != "":
		list = &r.Explicit
	case holder != nil && holder.GUID != "":
		list = &r.Taken
	}
	*list = append(*list, pair)
}

// untangle takes out those whose id another post has that does not give it up.
func (r *Report) untangle(of map[*catalog.Entry]Entry) {
	for {
		gives := map[string]bool{}
		for _, p := range r.New {
			gives[p.Post.ID] = true
		}
		kept := map[string]bool{}
		for _, p := range r.Posts {
			kept[p.ID] = true
		}
		for p := range of {
			if !gives[p.ID] {
				kept[p.ID] = true
			}
		}
		i := slices.IndexFunc(r.New, func(p Pair) bool { return kept[p.Entry.ID] })
		if i < 0 {
			return
		}
		r.Taken = append(r.Taken, r.New[i])
		r.New = slices.Delete(r.New, i, i+1)
	}
}

// An index finds posts by what an entry says of them.
type index struct {
	links, paths, days map[string]*catalog.Entry
	titles             map[string][]*catalog.Entry
}

func newIndex(posts []*catalog.Entry) *index {
	m := &index{
		links: map[string]*catalog.Entry{}, paths: map[string]*catalog.Entry{},
		days: map[string]*catalog.Entry{}, titles: map[string][]*catalog.Entry{},
	}
	for _, p := range posts {
		host, at := address(p.URL)
		m.links[host+at], m.paths[at] = p, p
	}
	for _, p := range posts { // a former address counts where no post is now
		for _, alias := range p.Aliases {
			host, _ := address(p.URL)
			_, at := address(alias)
			if m.links[host+at] == nil {
				m.links[host+at] = p
			}
			if m.paths[at] == nil {
				m.paths[at] = p
			}
		}
		title := folded(p.Title)
		m.titles[title] = append(m.titles[title], p)
		m.days[title+p.Published.UTC().Format(" 2006-01-02")] = p
	}
	return m
}

func (m *index) byLink(e Entry) *catalog.Entry {
	host, at := address(e.Link)
	if at == "" {
		return nil
	}
	return m.links[host+at]
}

// byPath is for a blog that moved to another host.
func (m *index) byPath(e Entry) *catalog.Entry {
	if _, at := address(e.Link); at != "" && at != "/" {
		return m.paths[at]
	}
	return nil
}

// byDay allows for the zones of both sides.
func (m *index) byDay(e Entry) *catalog.Entry {
	if e.Title == "" || e.Published.IsZero() {
		return nil
	}
	for _, days := range []int{0, -1, 1} {
		if p := m.days[folded(e.Title)+e.Published.UTC().AddDate(0, 0, days).Format(" 2006-01-02")]; p != nil {
			return p
		}
	}
	return nil
}

func (m *index) byTitle(entries []Entry) func(Entry) *catalog.Entry {
	count := map[string]int{}
	for _, e := range entries {
		count[folded(e.Title)]++
	}
	return func(e Entry) *catalog.Entry {
		title := folded(e.Title)
		if posts := m.titles[title]; title != "" && count[title] == 1 && len(posts) == 1 {
			return posts[0]
		}
		return nil
	}
}

func folded(title string) string { return strings.ToLower(strings.Join(strings.Fields(title), " ")) }

// address cuts a link into host and path, both in the form in which they are
// compared: the scheme, "www.", a last slash and "index.html" make no
// difference. A query counts, for some blogs have nothing else.
func address(link string) (host, at string) {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		return "", ""
	}
	host = strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	at = strings.TrimSuffix(path.Clean("/"+u.Path), "/index.html")
	if at = strings.TrimSuffix(at, "/"); at == "" {
		at = "/"
	}
	if u.RawQuery != "" && !strings.HasPrefix(u.RawQuery, "utm_") {
		at += "?" + u.RawQuery
	}
	return host, at
}
