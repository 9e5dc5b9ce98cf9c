package web

import (
	"net/http"
	"slices"

	"golang.org/x/text/language"

	"tidings/internal/locale"
	"tidings/internal/page"
)

// tongues is the languages in which pages speak.
type tongues struct {
	locales *locale.Catalogue
	own     *locale.Language   // the site's; English where there are no messages in it
	tag     string             // of pages in it, as the configuration writes it
	dir     string             // the direction of the site's own words
	offered []*locale.Language // to whom asks; own among them
	matcher language.Matcher   // of offered
}

func newTongues(locales *locale.Catalogue, site string, others []string) tongues {
	own, found := locales.Find(site)
	t := tongues{locales: locales, own: own, tag: site, dir: locale.Direction(site), offered: []*locale.Language{own}}
	if !found {
		t.tag = own.Tag.String()
	}
	for _, tag := range others {
		if l, ok := locales.Find(tag); ok && !slices.Contains(t.offered, l) {
			t.offered = append(t.offered, l)
		}
	}
	var tags []language.Tag
	for _, l := range t.offered {
		tags = append(tags, l.Tag)
	}
	t.matcher = language.NewMatcher(tags)
	return t
}

// speaks gives the language of a page for everybody: the one of those offered
// that the browser asks for, else the site's. The answer says that it depends
// on what was asked, for caches.
func (s *server) speaks(w http.ResponseWriter, r *http.Request) *locale.Language {
	if len(s.tongues.offered) == 1 {
		return s.tongues.own
	}
	if !slices.Contains(w.Header().Values("Vary"), "Accept-Language") {
		w.Header().Add("Vary", "Accept-Language")
	}
	var wanted []language.Tag
	for _, tag := range locale.Preferred(r.Header.Get("Accept-Language")) {
		wanted = append(wanted, language.Make(tag))
	}
	if _, i, confidence := s.tongues.matcher.Match(wanted...); confidence >= language.High {
		return s.tongues.offered[i]
	}
	return s.tongues.own
}

// speaksTo gives the language of a page for one person, whose language is on
// record or "".
func (s *server) speaksTo(w http.ResponseWriter, r *http.Request, recorded string) *locale.Language {
	if l, ok := s.tongues.locales.Find(recorded); ok {
		return l
	}
	return s.speaks(w, r)
}

// site is what all pages in a language share.
func (s *server) site(in *locale.Language) page.Site {
	site := page.Site{
		Title: s.Title, Description: s.Description, Language: in.Tag.String(), Dir: in.Dir(), Own: s.Language, Words: in,
		Root: s.root, Home: s.front(), Version: s.Version,
		Mailing: s.signUpOff() == "",
	}
	if in == s.tongues.own {
		site.Language, site.Dir = s.tongues.tag, s.tongues.dir
	}
	if site.Own == site.Language {
		site.Own = ""
	}
	return site
}
