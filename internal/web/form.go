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
	"tidings/internal/store"
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
	faults newsletter.FieldErrors // what was wrong with it
}

// choicesOf reads the choices from a form or from a query.
func choicesOf(form url.Values) choices {
	c := choices{SignUp: newsletter.SignUp{
		Email:       strings.TrimSpace(form.Get("email")),
		Newsletters: slices.DeleteFunc(form["newsletter"], func(n string) bool { return n == "" }),
		Categories:  form["category"],
		Tags:        form["tag"],
		Frequency:   form.Get("frequency"),
		Hour:        form.Get("hour"),
		Timezone:    form.Get("timezone"),
		Format:      form.Get("format"),
	}}
	if form.Get("scope") == "all" { // of a form that offers its page's topics, or this
		c.Categories, c.Tags = nil, nil
	}
	return c
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
	f := page.Form{Root: s.root, Off: s.signUpOff(), Email: c.Email, Script: true}
	if s.guard.asks() {
		f.Challenge = s.local("/api/v1/subscribe")
	}
	f.EmailError = faultText(in, newsletter.FieldEmail, c.faults[newsletter.FieldEmail])
	f.TopicsError = faultText(in, newsletter.FieldTopics, c.faults[newsletter.FieldTopics])
	f.NewsletterError = faultText(in, newsletter.FieldNewsletter, c.faults[newsletter.FieldNewsletter])
	s.setTiming(in, &f, c)
	for i, n := range s.Newsletters {
		chosen := slices.Contains(c.Newsletters, n.Name) || len(c.Newsletters) == 0 && i == 0
		f.Newsletters = append(f.Newsletters, page.Choice{Value: n.Name, Label: n.Title, Description: n.Description, Chosen: chosen})
	}
	if snap := s.Snapshot(); snap != nil {
		f.Categories = topics(snap.Categories, c.Categories)
		f.Tags = topics(mostUsed(snap.Tags, c.Tags), c.Tags)
	}
	f.TopicsChosen = f.TopicsError != "" || slices.ContainsFunc(slices.Concat(f.Categories, f.Tags), func(t page.Choice) bool { return t.Chosen })
	return f
}

// topicForm is the form on a page about some topics, or about none; nil if
// nobody can sign up, or not by these.
func (s *server) topicForm(in *locale.Language, about ...*catalog.Term) *page.TopicForm {
	if s.signUpOff() != "" {
		return nil
	}
	f := page.TopicForm{Form: s.form(in, choices{}), All: s.local("/subscribe"), Usual: s.usualZone()}
	var names []string
	query := url.Values{}
	for _, t := range about {
		if t.Kind != catalog.Category && t.Kind != catalog.Tag {
			return nil
		}
		name := t.Name
		if t.Kind == catalog.Tag {
			name = "#" + name
		}
		query.Add(string(t.Kind), t.Slug)
		names, f.Hidden = append(names, name), append(f.Hidden, page.Hidden{Name: string(t.Kind), Value: t.Slug})
	}
	if len(about) > 0 {
		f.Topic, f.All = strings.Join(names, in.T("list.comma")), f.All+"?"+query.Encode()
	}
	return &f
}

// usualZone is that of who chooses none.
func (s *server) usualZone() string {
	if len(s.Newsletters) == 0 {
		return "UTC"
	}
	return cmp.Or(s.Newsletters[0].Zone, "UTC")
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

// setTiming fills in how often, when and in which form mails come.
func (s *server) setTiming(in *locale.Language, f *page.Form, c choices) {
	field := func(name, label string, choices []page.Choice) page.Select {
		return page.Select{Name: name, Label: label, Choices: choices, Error: faultText(in, name, c.faults[name])}
	}
	var offers []page.Choice
	for _, n := range s.Newsletters {
		for _, o := range n.Frequencies {
			if !slices.ContainsFunc(offers, func(x page.Choice) bool { return x.Value == o }) {
				offers = append(offers, page.Choice{Value: o, Label: frequency(in, o), Chosen: o == c.Frequency})
			}
		}
	}
	if len(offers) > 1 {
		f.Frequency = field(newsletter.FieldFrequency, in.T("choice.frequency"), offers)
	}
	if slices.ContainsFunc(offers, func(o page.Choice) bool { return newsletter.HasHour(o.Value) }) {
		f.Hour = field(newsletter.FieldHour, in.T("choice.hour"), hourChoices(in.T("choice.hour_usual"), c.Hour))
		f.Hour.Class, f.Hour.Note = "hour", in.T("choice.hour_note")
	}
	f.Zone = field(newsletter.FieldZone, in.T("choice.zone"), zoneChoices(in, s.usualZone(), c.Timezone))
	f.Format = field(newsletter.FieldFormat, in.T("choice.format"), formatChoices(in, c.Format))
	usual := c.Frequency == "" || len(offers) > 0 && c.Frequency == offers[0].Value
	f.TimingOpen = !usual || c.Hour+c.Timezone != "" || c.Format == store.FormatText ||
		f.Frequency.Error+f.Hour.Error+f.Zone.Error+f.Format.Error != ""
}
