package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/locale"
	"tidings/internal/page"
)

// perScreen is how many posts a list shows at once.
const perScreen = 20

// home shows the latest posts.
func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	if set := s.feeds(); set != nil && r.URL.RawQuery != "" {
		if doc := set.Lookup("/?" + r.URL.RawQuery); doc != nil {
			s.document(w, r, s.shelves.of(set).of(doc))
			return nil
		}
	}
	snap := s.Snapshot()
	if snap == nil {
		return errStarting
	}
	in := s.speaks(w, r)
	list, screen, err := s.listing(r, in, snap, snap.Entries, "/")
	if err != nil {
		return err
	}
	frame := s.frame(in, "", screen)
	frame.Description, frame.Section = s.Description, "posts"
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	body, err := s.pages.Home.Render(page.Home{
		Frame: frame, Listing: list, Form: s.topicForm(in),
		Categories: s.links(snap.Categories), Feeds: s.formats(s.feedOf("", "")),
	})
	return s.show(w, r, body, err)
}

func (s *server) category(w http.ResponseWriter, r *http.Request) error {
	return s.term(w, r, catalog.Category, "term.category")
}

func (s *server) tag(w http.ResponseWriter, r *http.Request) error {
	return s.term(w, r, catalog.Tag, "term.tag")
}

func (s *server) author(w http.ResponseWriter, r *http.Request) error {
	return s.term(w, r, catalog.Author, "term.author")
}

func (s *server) section(w http.ResponseWriter, r *http.Request) error {
	return s.term(w, r, catalog.Section, "term.section")
}

// term shows the posts of one term; label is the message that says what it is.
func (s *server) term(w http.ResponseWriter, r *http.Request, kind catalog.Kind, label string) error {
	snap, slug := s.Snapshot(), r.PathValue("slug")
	if snap == nil {
		return errStarting
	}
	t := snap.TermAt(kind, slug)
	if t == nil {
		s.published(w, r) // a post may live here
		return nil
	}
	if t.Slug != slug {
		return s.move(w, r, s.root+termPath(t))
	}
	in := s.speaks(w, r)
	list, screen, err := s.listing(r, in, snap, t.Entries, escapedPath(termPath(t)))
	if err != nil {
		return err
	}
	f := s.feedOf(kind, t.Key)
	frame := s.frame(in, t.Name, screen)
	frame.Alternates = s.alternates(f)
	about := ""
	if f != nil {
		about = s.local(escapedPath(aboutPath(f)))
	}
	body, err := s.pages.Term.Render(page.Term{
		About: about,
		Frame: frame, Kind: in.T(label), Name: t.Name, Count: len(t.Entries), Listing: list,
		Feeds: s.formats(f), Subscribe: s.subscribeTo(kind, t), Form: s.topicForm(in, t),
	})
	w.Header().Set("Content-Security-Policy", scriptPolicy)
	return s.show(w, r, body, err)
}

// termPath is the path of a term's page, not escaped.
func termPath(t *catalog.Term) string {
	switch t.Kind {
	case catalog.Tag:
		return "/tags/" + t.Slug + "/"
	case catalog.Author:
		return "/authors/" + t.Slug + "/"
	case catalog.Section:
		return "/sections/" + t.Slug + "/"
	}
	return "/categories/" + t.Slug + "/"
}

func escapedPath(p string) string { return (&url.URL{Path: p}).EscapedPath() }

// subscribeTo is the address of the sign-up form with a term chosen; "" if
// nobody can sign up, or not by terms of this kind.
func (s *server) subscribeTo(kind catalog.Kind, t *catalog.Term) string {
	if s.signUpOff() != "" || kind != catalog.Category && kind != catalog.Tag {
		return ""
	}
	return s.local("/subscribe?" + url.Values{string(kind): {t.Slug}}.Encode())
}

// listing cuts the screen that r asks for out of entries. path is the page's,
// escaped; screen is the same with the number of the screen.
func (s *server) listing(r *http.Request, in *locale.Language, snap *catalog.Snapshot, entries []*catalog.Entry, path string) (list page.Listing, screen string, err error) {
	n := 1
	if asked := r.URL.Query().Get("page"); asked != "" {
		if n, err = strconv.Atoi(asked); err != nil || n < 1 {
			return list, "", errNotFound
		}
	}
	address := func(n int) string {
		if n == 1 {
			return path
		}
		return fmt.Sprintf("%s?page=%d", path, n)
	}
	last := max(1, (len(entries)+perScreen-1)/perScreen)
	if n > last {
		return list, "", errNotFound
	}
	if n > 1 {
		list.Newer = s.local(address(n - 1))
	}
	if n < last {
		list.Older = s.local(address(n + 1))
	}
	index := s.indexOf(snap)
	for _, e := range entries[(n-1)*perScreen : min(n*perScreen, len(entries))] {
		list.Entries = append(list.Entries, s.entry(in, index, e))
	}
	return list, address(n), nil
}

// entry is a post as lists show it.
func (s *server) entry(in *locale.Language, index *termIndex, e *catalog.Entry) page.Entry {
	shown := page.Entry{
		Title: title(in, e), URL: s.postURL(e), Summary: e.Summary, Published: e.Published,
		Categories: s.links(index.of(catalog.Category, e.Categories)),
		Tags:       s.links(index.of(catalog.Tag, e.Tags)),
	}
	if e.Title == "" {
		shown.Title, shown.Summary, shown.Untitled = cmp.Or(e.Summary, title(in, e)), "", true
	}
	if own := cmp.Or(e.Language, s.Language); !strings.EqualFold(own, s.site(in).Language) {
		shown.Language = own
	}
	return shown
}

// title is what a post is called, also one without a title: by its first
// words.
func title(in *locale.Language, e *catalog.Entry) string {
	const most = 60
	if e.Title != "" {
		return e.Title
	}
	words := []rune(e.Summary)
	if len(words) <= most {
		return cmp.Or(e.Summary, in.T("posts.untitled"))
	}
	start := string(words[:most])
	if i := strings.LastIndexByte(start, ' '); i > 0 {
		start = start[:i]
	}
	return strings.TrimRight(start, " ,;:-") + "…"
}

// post shows one post.
func (s *server) post(w http.ResponseWriter, r *http.Request, snap *catalog.Snapshot, e *catalog.Entry) error {
	content, err := s.Render(r.Context(), e)
	if err != nil {
		return err
	}
	in := s.speaks(w, r)
	frame := s.frame(in, title(in, e), e.Path)
	frame.Canonical, frame.Description, frame.Image = e.URL, e.Summary, picture(e)
	shown := page.Post{
		Frame: frame, Entry: s.entry(in, s.indexOf(snap), e), Authors: e.Authors,
		HTML: template.HTML(content), // cleaned by the renderer
		Form: s.topicForm(in, s.indexOf(snap).of(catalog.Category, e.Categories)...),
	}
	if shown.Form != nil {
		shown.Form.Script = false // beside what others wrote
	}
	if e.Updated.Format("20060102") != e.Published.Format("20060102") {
		shown.Updated = e.Updated
	}
	if i := slices.Index(snap.Entries, e); i >= 0 {
		shown.Newer, shown.Older = s.neighbour(in, snap, i-1), s.neighbour(in, snap, i+1)
	}
	body, err := s.pages.Post.Render(shown)
	w.Header().Set("Content-Security-Policy", postPolicy)
	return s.show(w, r, body, err)
}

func (s *server) neighbour(in *locale.Language, snap *catalog.Snapshot, i int) *page.Link {
	if i < 0 || i >= len(snap.Entries) {
		return nil
	}
	return &page.Link{Name: title(in, snap.Entries[i]), URL: s.postURL(snap.Entries[i])}
}

// picture is the absolute address of a post's image; "" if it has none.
func picture(e *catalog.Entry) string {
	base, err := url.Parse(e.URL)
	if err != nil || e.Image == "" {
		return ""
	}
	u, err := base.Parse(e.Image)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}
