package web

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/locale"
	"tidings/internal/page"
	"tidings/internal/relay"
)

const (
	// mailsShown is how many captured mails the list shows at once.
	mailsShown = 100

	// boxPolicy lets the page of a message frame its HTML part.
	boxPolicy = pagePolicy + "; frame-src 'self'"

	// mailPolicy shows a foreign document without letting it do anything. Its
	// links open in windows of their own, which must not inherit the sandbox:
	// the page behind a confirmation link has a form.
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src * data:; base-uri 'none'; frame-ancestors 'self'"

	sourcePolicy = "sandbox; default-src 'none'"
)

// mailbox lists captured mails, newest first.
func (s *server) mailbox(w http.ResponseWriter, r *http.Request) error {
	if s.Mailbox == nil {
		return errNotFound
	}
	items, err := s.Mailbox.Before(r.URL.Query().Get("before"), mailsShown+1)
	if err != nil {
		return err
	}
	in := s.speaks(w, r)
	contents := page.Mailbox{Frame: s.personal(in, in.T("mailbox.title"))}
	if len(items) > mailsShown {
		items = items[:mailsShown]
		contents.Older = s.local("/admin/mailbox/?" + url.Values{"before": {items[mailsShown-1].ID}}.Encode())
	}
	for _, item := range items {
		contents.Mails = append(contents.Mails, s.mail(in, item))
	}
	body, err := s.pages.Mailbox.Render(contents)
	return tell(w, http.StatusOK, body, err)
}

// mail is a captured mail in the list.
func (s *server) mail(in *locale.Language, item relay.Item) page.Mail {
	when := item.Date
	if when.IsZero() {
		when = item.Received
	}
	return page.Mail{
		URL: s.mailURL(item.ID), Subject: cmp.Or(item.Subject, in.T("mailbox.no_subject")), From: item.From, To: item.To,
		Date: when.In(time.Local), Size: page.Size(item.Size),
	}
}

func (s *server) mailURL(id string) string {
	return s.local("/admin/mailbox/" + url.PathEscape(id) + "/")
}

// open reads the mail that r names.
func (s *server) open(r *http.Request) (relay.Mail, error) {
	if s.Mailbox == nil {
		return relay.Mail{}, errNotFound
	}
	m, err := s.Mailbox.Open(r.PathValue("id"))
	if errors.Is(err, relay.ErrNoMail) {
		err = errNotFound
	}
	return m, err
}

// message shows one captured mail.
func (s *server) message(w http.ResponseWriter, r *http.Request) error {
	m, err := s.open(r)
	if err != nil {
		return err
	}
	in := s.speaks(w, r)
	shown := s.mail(in, m.Item)
	contents := page.Message{
		Frame: s.personal(in, shown.Subject), Mail: shown,
		Raw: s.mailURL(m.ID) + "source", Text: m.Text,
	}
	if m.HTML != "" {
		contents.HTML = s.mailURL(m.ID) + "html"
	}
	for _, f := range m.Header {
		contents.Headers = append(contents.Headers, page.Header(f))
	}
	body, err := s.pages.Message.Render(contents)
	w.Header().Set("Content-Security-Policy", boxPolicy)
	return tell(w, http.StatusOK, body, err)
}

// messageHTML gives the HTML part alone, for the frame.
func (s *server) messageHTML(w http.ResponseWriter, r *http.Request) error {
	m, err := s.open(r)
	if err != nil {
		return err
	}
	if m.HTML == "" {
		return errNotFound
	}
	body, err := linksOutside(m.HTML)
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	return tell(w, http.StatusOK, body, err)
}

// messageSource gives the mail as it was sent.
func (s *server) messageSource(w http.ResponseWriter, r *http.Request) error {
	m, err := s.open(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", sourcePolicy)
	write(w, http.StatusOK, "text/plain; charset=utf-8", m.Raw)
	return nil
}

// linksOutside makes every link of a document open in a window of its own:
// within the frame the pages of this site refuse to be shown.
func linksOutside(document string) ([]byte, error) {
	root, err := html.Parse(bytes.NewReader([]byte(document)))
	if err != nil {
		return nil, err
	}
	var head *html.Node // the parser makes one if there is none
	for n := range root.Descendants() {
		n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "target" })
		if head == nil && n.DataAtom == atom.Head {
			head = n
		}
	}
	head.InsertBefore(&html.Node{
		Type: html.ElementNode, Data: "base", DataAtom: atom.Base,
		Attr: []html.Attribute{{Key: "target", Val: "_blank"}},
	}, head.FirstChild)
	var out bytes.Buffer
	err = html.Render(&out, root)
	return out.Bytes(), err
}
