package web

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/term"
)

const (
	maxForm = 64 << 10 // bytes of a form
	maxTags = 60       // tags offered in the form, the most used ones
)

var errForm = errors.New("the form cannot be read")

// readForm reads a form in either of the two encodings that browsers and mail
// providers use. A body of any other type is read as if it were urlencoded:
// some senders leave the type out.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if essence, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && essence == "multipart/form-data" {
		if err := r.ParseMultipartForm(maxForm); err != nil {
			return nil, errors.Join(errForm, err)
		}
		return r.MultipartForm.Value, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, errors.Join(errForm, err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.Join(errForm, err)
	}
	return form, nil
}

// sameSite refuses a form that another site made a browser send (CSRF).
func (s *server) sameSite(r *http.Request) error {
	if err := s.origins.Check(r); err != nil {
		return errors.Join(errOrigin, err)
	}
	return nil
}

// choices is what a visitor has filled in, or what a link fills in for them.
type choices struct {
	newsletter.SignUp
	faults error // what was wrong with it: newsletter.ErrAddress, ErrNewsletter
}

// choicesOf reads the choices from a form or from a query.
func choicesOf(form url.Values) choices {
	return choices{SignUp: newsletter.SignUp{
		Email:      strings.TrimSpace(form.Get("email")),
		Newsletter: form.Get("newsletter"),
		Categories: form["category"],
		Tags:       form["tag"],
	}}
}

// signUpOff is why nobody can sign up, as a part of a sentence; "" if they can.
func (s *server) signUpOff() string {
	if len(s.Newsletters) == 0 {
		return cmp.Or(s.MailingOff, "this site has no newsletter")
	}
	return s.MailingOff
}

// form is the sign-up form in a language, filled in.
func (s *server) form(in *locale.Language, c choices) page.Form {
	f := page.Form{Root: s.root, Off: s.signUpOff(), Email: c.Email}
	if errors.Is(c.faults, newsletter.ErrAddress) {
		f.EmailError = in.T("subscribe.address_fault")
	}
	if errors.Is(c.faults, newsletter.ErrNewsletter) {
		f.NewsletterError = in.T("subscribe.newsletter_fault")
	}
	for i, n := range s.Newsletters {
		chosen := c.Newsletter == n.Name || c.Newsletter == "" && i == 0
		f.Newsletters = append(f.Newsletters, page.Choice{Value: n.Name, Label: n.Title, Description: n.Description, Chosen: chosen})
	}
	if snap := s.Snapshot(); snap != nil {
		f.Categories = topics(snap.Categories, c.Categories)
		f.Tags = topics(mostUsed(snap.Tags, c.Tags), c.Tags)
	}
	f.TopicsChosen = slices.ContainsFunc(slices.Concat(f.Categories, f.Tags), func(t page.Choice) bool { return t.Chosen })
	return f
}

// topics offers terms, with those chosen that are named by slug, name or key.
func topics(terms []*catalog.Term, named []string) []page.Choice {
	list := make([]page.Choice, len(terms))
	for i, t := range terms {
		list[i] = page.Choice{Value: t.Slug, Label: t.Name, Count: len(t.Entries), Chosen: names(named, t)}
	}
	return list
}

// names reports whether a list names a term.
func names(list []string, t *catalog.Term) bool {
	return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, t.Slug) || term.Key(n) == t.Key })
}

// mostUsed keeps a long list of tags short; one that is chosen already stays.
func mostUsed(tags []*catalog.Term, named []string) []*catalog.Term {
	if len(tags) <= maxTags {
		return tags
	}
	ranked := slices.Clone(tags)
	slices.SortStableFunc(ranked, func(a, b *catalog.Term) int { return len(b.Entries) - len(a.Entries) })
	kept := ranked[:maxTags:maxTags]
	for _, t := range ranked[maxTags:] {
		if names(named, t) {
			kept = append(kept, t)
		}
	}
	slices.SortFunc(kept, func(a, b *catalog.Term) int { return strings.Compare(a.Slug, b.Slug) })
	return kept
}
