package web_test

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tidings/internal/catalog"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/publish"
	"tidings/internal/relay"
	"tidings/internal/store"
	"tidings/internal/term"
	"tidings/internal/web"
	"tidings/templates"
)

// base is the public address in most tests.
const base = "http://localhost:8080"

var noon = time.Date(2025, time.April, 7, 12, 0, 0, 0, time.UTC)

// A site is a handler with everything behind it within reach.
type site struct {
	http.Handler
	snap      *catalog.Snapshot
	publisher *publish.Publisher
	set       *publish.Set
	people    *people
	box       *relay.Mailbox
	post      relay.Relay // into the box
	log       *strings.Builder
}

// options change the configuration before the site is made.
type options func(*web.Config, *web.Deps)

// newSite makes a site with the posts of samplePosts, as its address.
func newSite(t testing.TB, opts ...options) *site {
	t.Helper()
	return newSiteOf(t, samplePosts(), opts...)
}

func newSiteOf(t testing.TB, posts []*post.Post, opts ...options) *site {
	t.Helper()
	s := &site{people: newPeople(), log: &strings.Builder{}}
	s.post, s.box = relay.NewCapture(t.TempDir(), func() time.Time { return noon })
	cfg := web.Config{
		Title: "Field Notes", Description: "Notes on building software that keeps running", Language: "en",
		SiteURL: base, BaseURL: base, HostsPosts: true, Version: "1.2.3",
		Newsletters: []web.Newsletter{{Name: "weekly", Title: "Weekly digest", Description: "Every Monday morning", Frequencies: store.Cadences, Zone: "Europe/Berlin"}},
	}
	deps := web.Deps{
		Templates: templates.Builtin(),
		Snapshot:  func() *catalog.Snapshot { return s.snap },
		Set:       func() *publish.Set { return s.set },
		Combine: func(ctx context.Context, snap *catalog.Snapshot, q publish.Query) (*publish.Feed, error) {
			return s.publisher.Combine(ctx, snap, q)
		},
		Private: func(ctx context.Context, snap *catalog.Snapshot, title string, by ...catalog.Expression) (*publish.Feed, error) {
			return s.publisher.Private(ctx, snap, title, by...)
		},
		Render: func(_ context.Context, e *catalog.Entry) (string, error) { return e.Body, nil },
		People: s.people, Mailbox: s.box,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "tidings_up 1") }),
		Ready:   func(context.Context) error { return nil },
		Log:     slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:     func() time.Time { return noon },
	}
	for _, o := range opts {
		o(&cfg, &deps)
	}
	s.snap = snapshotOf(cfg.SiteURL, posts)
	s.publisher, s.set = publishedSet(t, cfg, s.snap)
	h, err := web.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = h
	return s
}

// publishedSet makes the feeds with the real publisher.
func publishedSet(t testing.TB, cfg web.Config, snap *catalog.Snapshot) (*publish.Publisher, *publish.Set) {
	t.Helper()
	css, err := fs.ReadFile(templates.Builtin(), "assets/feed.css")
	if err != nil {
		t.Fatal(err)
	}
	p := publish.New(publish.Config{Title: cfg.Title, Language: cfg.Language, SiteURL: cfg.SiteURL, PagesURL: cfg.BaseURL, FeedsURL: cfg.FeedsURL, Stylesheet: css},
		publish.Deps{Now: func() time.Time { return noon }})
	result, err := p.Update(context.Background(), snap)
	if err != nil {
		t.Fatal(err)
	}
	return p, result.Set
}

// samplePosts is enough for two screens, and one post of every odd kind.
func samplePosts() []*post.Post {
	posts := []*post.Post{
		{Title: "Immutable servers", Slug: "immutable-servers", Categories: []string{"DevOps"}, Tags: []string{"cloud", "automation"},
			Summary: "Replace machines instead of mending them, and know what runs where.",
			Body:    "<p>A server that is never changed cannot drift.</p><h2>What it costs</h2><p>Images have to be built, and <code>builds</code> have to be fast.</p><pre><code>make image\n</code></pre><blockquote><p>Cattle, not pets.</p></blockquote><ul><li>one</li><li>two</li></ul>"},
		{Title: "Logging without regret", Slug: "logging-without-regret", Categories: []string{"Python"}, Tags: []string{"python", "logging"},
			Summary: "Write fewer lines, and make each of them answer a question.", Body: "<p>Levels are promises.</p>"},
		{Title: "", Slug: "note", Categories: []string{"Notes"}, Summary: "A short remark without any title at all, which is yet long enough to be cut somewhere.", Body: "<p>A short remark.</p>"},
		{Title: "مرحبا بالعالم", Slug: "مرحبا", Language: "ar", Categories: []string{"Notes"}, Tags: []string{"日本語"}, Summary: "تدوينة", Body: "<p>تدوينة</p>"},
		{Title: "Elsewhere", Slug: "elsewhere", Link: "https://other.example/x/", Categories: []string{"Distributed Systems"}, Tags: []string{"C++"}, Summary: "On another site.", Body: "<p>x</p>"},
	}
	for i := len(posts); i < 25; i++ {
		posts = append(posts, &post.Post{
			Title: fmt.Sprintf("Older note %d", i), Slug: fmt.Sprintf("older-%d", i), Categories: []string{"DevOps"}, Tags: []string{"cloud"},
			Summary: "One of many.", Body: strings.Repeat("<p>Text that repeats itself.</p>", 4),
		})
	}
	for i, p := range posts {
		p.File, p.Published = p.Slug+".md", noon.AddDate(0, 0, -3*i)
	}
	return posts
}

// snapshotOf is the snapshot of posts that are newest first.
func snapshotOf(siteURL string, posts []*post.Post) *catalog.Snapshot {
	snap := &catalog.Snapshot{
		ByPath:    map[string]*catalog.Entry{},
		Redirects: map[string]string{"/old/immutable/": "/posts/immutable-servers/"},
		Posts:     len(posts),
	}
	for i, p := range posts {
		e := &catalog.Entry{Post: p, PostID: int64(i + 1), ID: "tag:localhost,2025:" + p.Slug, Published: p.Published, Updated: p.Published}
		e.Path, e.URL = "/posts/"+p.Slug+"/", p.Link
		if p.Link != "" {
			e.Path = ""
		} else {
			e.URL = strings.TrimSuffix(siteURL, "/") + (&url.URL{Path: e.Path}).EscapedPath()
			snap.ByPath[e.Path] = e
		}
		snap.Entries = append(snap.Entries, e)
		snap.Categories = file(snap.Categories, catalog.Category, p.Categories, e)
		snap.Tags = file(snap.Tags, catalog.Tag, p.Tags, e)
	}
	return snap
}

// file puts e under each of its terms.
func file(terms []*catalog.Term, kind catalog.Kind, names []string, e *catalog.Entry) []*catalog.Term {
	for _, name := range names {
		i := slices.IndexFunc(terms, func(t *catalog.Term) bool { return t.Key == term.Key(name) })
		if i < 0 {
			i, terms = len(terms), append(terms, &catalog.Term{Kind: kind, Key: term.Key(name), Name: name, Slug: term.Slug(name)})
		}
		terms[i].Entries = append(terms[i].Entries, e)
	}
	slices.SortFunc(terms, func(a, b *catalog.Term) int { return strings.Compare(a.Slug, b.Slug) })
	return terms
}

// people is newsletter.People in memory. The token of a person is the name
// before the @.
type people struct {
	next    string                 // the address they want
	faults  newsletter.FieldErrors // of what they want
	may     bool                   // take back that they left
	mu      sync.Mutex
	err     error // what every call fails with
	subs    map[string]newsletter.Subscription
	asked   []newsletter.SignUp
	left    []string // "token newsletter" or "token all"
	onJoin  func(token string)
	changes int

	wants   map[string]newsletter.Choices
	feeds   map[string]string // addresses of private feeds
	stopped map[string]string
	sent    []string // addresses that were sent a link
	why     []string // "token reason"
}

func newPeople() *people {
	return &people{
		subs: map[string]newsletter.Subscription{}, wants: map[string]newsletter.Choices{}, feeds: map[string]string{}, stopped: map[string]string{},
	}
}

func (p *people) SignUp(_ context.Context, s newsletter.SignUp) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, host, ok := strings.Cut(s.Email, "@")
	switch {
	case p.err != nil:
		return p.err
	case !ok || name == "" || host == "":
		return newsletter.FieldErrors{newsletter.FieldEmail: newsletter.ErrAddress}
	case slices.ContainsFunc(s.Newsletters, func(n string) bool { return n != "weekly" && n != "monthly" }):
		return newsletter.FieldErrors{newsletter.FieldNewsletter: newsletter.ErrNewsletter}
	case s.Form != "" && slices.ContainsFunc(p.asked, func(a newsletter.SignUp) bool { return a.Form == s.Form }):
		return newsletter.ErrSpent
	}
	p.changes++
	p.asked = append(p.asked, s)
	p.subs[name] = newsletter.Subscription{
		Newsletter: "weekly", Title: "Weekly digest", Status: store.StatusPending, Email: s.Email, Categories: s.Categories, Tags: s.Tags,
	}
	if p.onJoin != nil {
		p.onJoin(name)
	}
	return nil
}

// Feed gives the posts about Go or DevOps to everyone who is subscribed.
func (p *people) Feed(_ context.Context, token string) (newsletter.Feed, error) {
	if sub, err := p.look(token); err != nil || sub.Status != store.StatusActive {
		return newsletter.Feed{}, cmp.Or(err, newsletter.ErrToken)
	}
	topics := newsletter.NewTopics([]string{"DevOps"}, []string{"go"})
	return newsletter.Feed{Language: "de", By: []catalog.Expression{topics.Expression()}}, nil
}

func (p *people) Confirmation(_ context.Context, token string) ([]newsletter.Subscription, error) {
	sub, err := p.look(token)
	if err == nil && sub.Status == store.StatusUnsubscribed {
		err = newsletter.ErrToken
	}
	return []newsletter.Subscription{sub}, err
}

func (p *people) Leaving(_ context.Context, token string) (newsletter.Subscription, error) {
	return p.look(token)
}

func (p *people) look(token string) (newsletter.Subscription, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sub, ok := p.subs[token]
	if p.err == nil && !ok {
		return sub, newsletter.ErrToken
	}
	return sub, p.err
}

func (p *people) Confirm(_ context.Context, token string) ([]newsletter.Subscription, error) {
	sub, err := p.become(token, store.StatusActive)
	return []newsletter.Subscription{sub}, err
}

func (p *people) Unsubscribe(_ context.Context, token string, all bool) error {
	sub, err := p.become(token, store.StatusUnsubscribed)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	scope := sub.Newsletter
	if all {
		scope = "all"
	}
	p.left = append(p.left, token+" "+scope)
	return nil
}

func (p *people) become(token, status string) (newsletter.Subscription, error) {
	sub, err := p.look(token)
	if err != nil {
		return sub, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	sub.Status = status
	p.subs[token] = sub
	return sub, nil
}

// with puts a subscription there.
func (p *people) with(token, status string) {
	p.subs[token] = newsletter.Subscription{
		Newsletter: "weekly", Title: "Weekly digest", Status: status, Email: token + "@example.org", Categories: []string{"DevOps"}, Tags: []string{"cloud"},
	}
}

// request makes a request as a browser on this machine would; edits change it.
func request(method, target string, edits ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:51000"
	for _, e := range edits {
		e(r)
	}
	return r
}

// header sets a header field of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// body gives a request a form.
func body(mediaType, text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", mediaType)
		with := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(text))
		r.Body, r.ContentLength = with.Body, with.ContentLength
	}
}

func urlencoded(pairs ...string) func(*http.Request) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return body("application/x-www-form-urlencoded", form.Encode())
}

// do answers a request.
func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) get(target string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	return s.do(request("GET", target, edits...))
}

// all gives the elements of a page that match: "a", "a.older", "#email", or
// "link[rel=alternate]", one condition at most.
func all(t testing.TB, w *httptest.ResponseRecorder, selector string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && selects(selector, n) {
			found = append(found, n)
		}
	}
	return found
}

func selects(selector string, n *html.Node) bool {
	if name, rest, ok := strings.Cut(selector, "["); ok {
		key, value, exact := strings.Cut(strings.TrimSuffix(rest, "]"), "=")
		got, has := attr(n, key)
		return (name == "" || name == n.Data) && has && (!exact || got == value)
	}
	if name, id, ok := strings.Cut(selector, "#"); ok {
		got, _ := attr(n, "id")
		return (name == "" || name == n.Data) && got == id
	}
	if name, class, ok := strings.Cut(selector, "."); ok {
		got, _ := attr(n, "class")
		return (name == "" || name == n.Data) && slices.Contains(strings.Fields(got), class)
	}
	return n.Data == selector
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// values gives an attribute of every element that matches.
func values(t testing.TB, w *httptest.ResponseRecorder, selector, key string) []string {
	t.Helper()
	var list []string
	for _, n := range all(t, w, selector) {
		v, _ := attr(n, key)
		list = append(list, v)
	}
	return list
}

// fields gives what a browser sends when the first form that matches is
// submitted as it is.
func fields(t testing.TB, w *httptest.ResponseRecorder, selector string) url.Values {
	t.Helper()
	forms := all(t, w, selector)
	if len(forms) == 0 {
		t.Fatalf("there is no %s", selector)
	}
	sent := url.Values{}
	for n := range forms[0].Descendants() {
		name, _ := attr(n, "name")
		kind, _ := attr(n, "type")
		_, checked := attr(n, "checked")
		if n.Data == "input" && (checked || kind != "checkbox" && kind != "radio") {
			value, _ := attr(n, "value")
			sent.Add(name, value)
		}
	}
	return sent
}

// texts gives the text of every element that matches, white space folded.
func texts(t testing.TB, w *httptest.ResponseRecorder, selector string) []string {
	t.Helper()
	var list []string
	for _, n := range all(t, w, selector) {
		var b strings.Builder
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				b.WriteString(d.Data)
			}
		}
		list = append(list, strings.Join(strings.Fields(b.String()), " "))
	}
	return list
}
