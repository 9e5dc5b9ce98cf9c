package adopt

import (
	"html"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tidings/internal/catalog"
)

// An index finds posts by what an entry says of them.
type index struct {
	links, paths map[string]*catalog.Entry // by address, without and with the host
	days, titles map[string][]*catalog.Entry
}

func newIndex(snap *catalog.Snapshot) *index {
	m := &index{
		links: map[string]*catalog.Entry{}, paths: map[string]*catalog.Entry{},
		days: map[string][]*catalog.Entry{}, titles: map[string][]*catalog.Entry{},
	}
	for _, p := range snap.Entries {
		m.at(p.URL, p)
		title := folded(p.Title)
		about := title + day(p.Published)
		m.titles[title], m.days[about] = append(m.titles[title], p), append(m.days[about], p)
	}
	for from, to := range snap.Redirects { // a former address counts where no post is now
		if p := snap.ByPath[to]; p != nil {
			m.at(strings.TrimSuffix(p.URL, escaped(p.Path))+escaped(from), p)
		}
	}
	for _, p := range snap.Entries { // so does an alias on another host
		for _, alias := range p.Aliases {
			m.at(resolve(p.URL, alias), p)
		}
	}
	return m
}

// at notes that a post is or was at an address, unless another one is.
func (m *index) at(link string, p *catalog.Entry) {
	host, at := address(link)
	if host == "" {
		return
	}
	if m.links[host+at] == nil {
		m.links[host+at] = p
	}
	if m.paths[at] == nil {
		m.paths[at] = p
	}
}

// byLink also looks at the id, which often is an address too, and the true one
// where links lead through somebody who counts them.
func (m *index) byLink(e Entry) *catalog.Entry {
	for _, link := range []string{e.Link, e.ID} {
		if host, at := address(link); host != "" && m.links[host+at] != nil {
			return m.links[host+at]
		}
	}
	return nil
}

// byPath is for a blog that moved to another host.
func (m *index) byPath(e Entry) *catalog.Entry {
	if host, at := address(e.Link); host != "" && at != "/" {
		return m.paths[at]
	}
	return nil
}

// byDay allows for the zones of both sides. Where several posts or entries of
// about that day could be meant, none is.
func (m *index) byDay(entries []Entry) func(Entry) *catalog.Entry {
	count := map[string]int{}
	for _, e := range entries {
		count[folded(e.Title)+day(e.Published)]++
	}
	return func(e Entry) *catalog.Entry {
		title, same := folded(e.Title), 0
		if title == "" || e.Published.IsZero() {
			return nil
		}
		var posts []*catalog.Entry
		for _, n := range []int{-1, 0, 1} {
			about := title + day(e.Published.AddDate(0, 0, n))
			posts, same = append(posts, m.days[about]...), same+count[about]
		}
		if same > 1 {
			return nil
		}
		return only(posts)
	}
}

func day(t time.Time) string { return t.UTC().Format(" 2006-01-02") }

func (m *index) byTitle(entries []Entry) func(Entry) *catalog.Entry {
	count := map[string]int{}
	for _, e := range entries {
		count[folded(e.Title)]++
	}
	return func(e Entry) *catalog.Entry {
		title := folded(e.Title)
		if title == "" || count[title] > 1 {
			return nil
		}
		return only(m.titles[title])
	}
}

func only(posts []*catalog.Entry) *catalog.Entry {
	if len(posts) != 1 {
		return nil
	}
	return posts[0]
}

var markup = regexp.MustCompile(`</?[A-Za-z][^<>]*>`)

// folded is what two forms of one title have in common: neither markup nor
// case, and of punctuation, which generators make pretty, only what may be all
// that tells two titles apart.
func folded(title string) string {
	title = html.UnescapeString(markup.ReplaceAllString(title, ""))
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFKC.String(title)) {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r) || strings.ContainsRune("+#", r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address cuts a link into host and path, both in the form in which they are
// compared: the scheme, "www.", percent-encoding, a last slash, "index.html" and
// ".html" make no difference. A query counts, for some blogs have nothing else,
// but not what only counts visitors. The host is "" if the link is no address
// on the web.
func address(link string) (host, at string) {
	link = strings.TrimSpace(link)
	u, err := url.Parse(link)
	if err != nil || !remote(link) {
		return "", ""
	}
	host = strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	at = path.Clean("/" + norm.NFC.String(u.Path))
	for _, ext := range []string{".html", ".htm"} {
		at = strings.TrimSuffix(at, ext)
	}
	if at = strings.TrimSuffix(strings.TrimSuffix(at, "/index"), "/"); at == "" {
		at = "/"
	}
	q := u.Query()
	for name := range q {
		if strings.HasPrefix(name, "utm_") {
			q.Del(name)
		}
	}
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return host, at
}

func escaped(sitePath string) string { return (&url.URL{Path: sitePath}).EscapedPath() }
