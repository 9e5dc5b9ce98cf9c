package web

import (
	"net/http"
	"strings"

	"tidings/internal/catalog"
)

// A handler answers one method of one route. What it returns instead of
// answering is turned into a status by fail.
type handler func(w http.ResponseWriter, r *http.Request) error

// A route is one row of the table of addresses.
type route struct {
	pattern string // of http.ServeMux, without a method
	get     handler
	post    handler // nil: GET and HEAD only
	scope   scope
	feed    bool // scripts of other sites may ask for it

	preflight func(http.ResponseWriter, *http.Request) // answers whether scripts of other sites may; nil: none does
}

// scope says who may see a route and who may keep a copy.
type scope int

const (
	forAll    scope = iota
	forOne          // one person's page behind a token
	forItself       // this machine alone
)

// routes is every fixed address. Feeds, posts and their former addresses
// depend on what is published and are found by published.
func (s *server) routes() http.Handler {
	table := []route{
		{pattern: "/{$}", get: s.home},
		{pattern: "/categories/{slug}/{$}", get: s.category},
		{pattern: "/tags/{slug}/{$}", get: s.tag},
		{pattern: "/feeds/{$}", get: s.directory},
		{pattern: "/feeds/categories/{slug}/{$}", get: s.about(catalog.Category)},
		{pattern: "/feeds/tags/{slug}/{$}", get: s.about(catalog.Tag)},
		{pattern: "/feeds/authors/{slug}/{$}", get: s.about(catalog.Author)},
		{pattern: "/feeds/sections/{slug}/{$}", get: s.about(catalog.Section)},
		{pattern: "/feeds/combined/{$}", get: s.aboutCombined},
		{pattern: "/feeds/{name}/{$}", get: s.aboutNamed},
		{pattern: "/feeds/feed.xml", get: s.combined, feed: true},
		{pattern: "/feeds/atom.xml", get: s.combined, feed: true},
		{pattern: "/feeds/feed.json", get: s.combined, feed: true},
		{pattern: "/newsletters/{name}/{$}", get: s.issues},
		{pattern: "/newsletters/{name}/{issue}/{$}", get: s.issue},
		{pattern: "/newsletters/{name}/feed.xml", get: s.issueFeed, feed: true},
		{pattern: "/newsletters/{name}/atom.xml", get: s.issueFeed, feed: true},
		{pattern: "/newsletters/{name}/feed.json", get: s.issueFeed, feed: true},
		{pattern: "/assets/{name}", get: s.asset},

		{pattern: "/subscribe", get: s.subscribeForm, post: s.subscribe},
		{pattern: "/api/v1/subscribe", get: s.signUpChallenge, post: s.signUpByScript, preflight: s.signUpPreflight},
		{pattern: "/confirm/{token}", get: s.confirmation, post: s.confirm, scope: forOne},
		{pattern: "/preferences", get: s.askLink, post: s.sendLink},
		{pattern: "/preferences/{token}", get: s.own, post: s.act, scope: forOne},
		{pattern: "/address/{token}", get: s.nextAddress, post: s.moveAddress, scope: forOne},
		{pattern: "/unsubscribe/{token}", get: s.leaving, post: s.unsubscribe, scope: forOne},
		{pattern: "/feeds/private/{token}/{file}", get: s.private, scope: forOne},

		{pattern: "/admin/mailbox/{$}", get: s.mailbox, scope: forItself},
		{pattern: "/admin/mailbox/{id}/{$}", get: s.message, scope: forItself},
		{pattern: "/admin/mailbox/{id}/html", get: s.messageHTML, scope: forItself},
		{pattern: "/admin/mailbox/{id}/source", get: s.messageSource, scope: forItself},
	}
	table = append(table, s.probes()...)
	if s.Authors {
		table = append(table, route{pattern: "/authors/{slug}/{$}", get: s.author})
	}
	if s.Sections {
		table = append(table, route{pattern: "/sections/{slug}/{$}", get: s.section})
	}
	mux := http.NewServeMux()
	for _, rt := range table {
		mux.Handle(rt.pattern, s.serve(rt))
		if other := otherSlash(rt.pattern); other != "" {
			mux.Handle(other, s.serve(route{pattern: other, get: s.moveSlash, scope: rt.scope}))
		}
	}
	mux.HandleFunc("/", s.published)
	return mux
}

// otherSlash gives the pattern with its last slash removed or added; "" for
// the front page. ServeMux would redirect too, but for a while only.
func otherSlash(pattern string) string {
	if pattern == "/{$}" {
		return ""
	}
	if bare, ok := strings.CutSuffix(pattern, "/{$}"); ok {
		return bare
	}
	return pattern + "/{$}"
}

// moveSlash redirects to the form of the address that a route has.
func (s *server) moveSlash(w http.ResponseWriter, r *http.Request) error {
	path, had := strings.CutSuffix(r.URL.Path, "/")
	if !had {
		path += "/"
	}
	return s.move(w, r, s.root+path)
}

// serve holds a route to its scope and its methods.
func (s *server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.answer(w, r, rt); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, rt route) error {
	switch rt.scope {
	case forItself:
		if !fromThisMachine(r) {
			return errNotFound
		}
	case forOne:
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Robots-Tag", "noindex")
	}
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return rt.get(w, r)
	case r.Method == http.MethodPost && rt.post != nil:
		return rt.post(w, s.fromHere(r))
	case r.Method == http.MethodOptions && rt.preflight != nil:
		rt.preflight(w, r)
		return nil
	case r.Method == http.MethodOptions && rt.feed:
		preflight(w)
		return nil
	case rt.feed:
		return methodError{allow: documentMethods}
	case rt.post != nil:
		return methodError{allow: "GET, HEAD, POST"}
	}
	return methodError{allow: "GET, HEAD"}
}
