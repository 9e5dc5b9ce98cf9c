package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tidings/internal/feed"
	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/publish"
)

// issuePolicy shows a mail without letting it do anything. Its links open
// windows that are free of the sandbox.
const issuePolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src * data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// issueTitles is how many posts of an issue lists name.
const issueTitles = 5

// issues lists the past editions of a newsletter.
func (s *server) issues(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	n, err := screenOf(r)
	if err != nil {
		return err
	}
	past, err := s.past(r, (n-1)*perScreen, perScreen)
	if err != nil {
		return err
	}
	last := max(1, (past.Total+perScreen-1)/perScreen)
	if n > last {
		return errNotFound
	}
	path := issuesPath(name)
	address := func(n int) string {
		if n == 1 {
			return path
		}
		return fmt.Sprintf("%s?page=%d", path, n)
	}
	in := s.speaks(w, r)
	frame := s.frame(in, in.T("digest.past")+": "+past.Title, address(n))
	frame.Alternates = append(s.issueFeeds(name, past.Title), frame.Alternates...)
	contents := page.Issues{Frame: frame, Newsletter: past.Title, Total: past.Total, Feeds: s.issueFormats(name)}
	if s.signUpOff() == "" {
		contents.Subscribe = s.local("/subscribe")
	}
	if n > 1 {
		contents.Newer = s.local(address(n - 1))
	}
	if n < last {
		contents.Older = s.local(address(n + 1))
	}
	for _, i := range past.Issues {
		contents.Issues = append(contents.Issues, s.issueEntry(name, i))
	}
	body, err := s.pages.Issues.Render(contents)
	return s.show(w, r, body, err)
}

// archives lists the newsletters whose past editions are listed.
func (s *server) archives(in *locale.Language) page.FeedGroup {
	g := page.FeedGroup{Heading: in.T("issues.newsletters"), Anchor: "newsletters"}
	for _, n := range s.Newsletters {
		if n.Archive {
			g.Feeds = append(g.Feeds, page.Feed{Title: n.Title, URL: s.local(issuesPath(n.Name))})
		}
	}
	return g
}

// past gives some issues of the newsletter that r names.
func (s *server) past(r *http.Request, skip, limit int) (newsletter.PastIssues, error) {
	if s.Archive == nil {
		return newsletter.PastIssues{}, errNotFound
	}
	return s.Archive.PastIssues(r.Context(), r.PathValue("name"), skip, limit)
}

func issuesPath(name string) string { return escapedPath("/newsletters/" + name + "/") }

func issuePath(name string, id int64) string {
	return issuesPath(name) + strconv.FormatInt(id, 10) + "/"
}

func (s *server) issueEntry(name string, i newsletter.Issue) page.Issue {
	shown := page.Issue{Subject: i.Subject, URL: s.local(issuePath(name, i.ID)), Date: i.Date, Posts: i.Posts}
	for _, c := range i.Content[:min(len(i.Content), issueTitles)] {
		if c.Title != "" && len(i.Content) > 1 { // the subject names a single one
			shown.Titles = append(shown.Titles, c.Title)
		}
	}
	return shown
}

// issue shows an edition as it was mailed.
func (s *server) issue(w http.ResponseWriter, r *http.Request) error {
	name, which := r.PathValue("name"), r.PathValue("issue")
	if s.Archive == nil {
		return errNotFound
	}
	if which == newsletter.UnsentIssue {
		return s.unsent(w, r)
	}
	p, err := s.Archive.Issue(r.Context(), name, which)
	if err != nil {
		return err
	}
	h := w.Header()
	if _, err := strconv.ParseInt(which, 10, 64); err != nil { // the name in a mail, which may be a secret
		h.Set("X-Robots-Tag", "noindex")
		h.Set("Referrer-Policy", "no-referrer")
	}
	if p.Canonical != 0 {
		h.Set("Link", "<"+s.public(issuePath(name, p.Canonical))+`>; rel="canonical"`)
	}
	body, mediaType := p.HTML, "text/html; charset=utf-8"
	if body == nil {
		body, mediaType = p.Text, "text/plain; charset=utf-8"
	}
	h.Set("Content-Security-Policy", issuePolicy)
	h.Del("Cross-Origin-Opener-Policy") // browsers refuse it together with a sandbox
	h.Set("Cache-Control", pageCaching)
	sum := sha256.Sum256(body)
	publicly(w, r, mediaType, hex.EncodeToString(sum[:16]), body)
	return nil
}

// unsent answers for a mail that was never an edition, such as a test copy.
func (s *server) unsent(w http.ResponseWriter, r *http.Request) error {
	past, err := s.past(r, 0, 1)
	if err != nil {
		return err
	}
	in := s.speaks(w, r)
	frame := s.frame(in, past.Title, "")
	frame.NoIndex = true
	body, err := s.pages.Notice.Render(page.Notice{
		Frame: frame, Text: []string{in.T("issues.unsent")},
		Action: &page.Link{Name: in.T("digest.past"), URL: s.local(issuesPath(r.PathValue("name")))},
	})
	return tell(w, http.StatusOK, body, err)
}

// issueFormats links to the feed of a newsletter's issues, in each format that
// feeds have.
func (s *server) issueFormats(name string) []page.Link {
	var links []page.Link
	for _, o := range s.issueFormatsOf() {
		links = append(links, page.Link{Name: o.name, URL: s.local(issuesPath(name) + o.format.FileName())})
	}
	return links
}

type issueFormat struct {
	format feed.Format
	name   string
}

func (s *server) issueFormatsOf() (list []issueFormat) {
	main := s.feedOf("", "")
	for _, o := range offered {
		if main != nil && main.Docs[o.format] != nil {
			list = append(list, issueFormat(o))
		}
	}
	return list
}

// issueFeeds announces them.
func (s *server) issueFeeds(name, title string) (list []page.Alternate) {
	for _, o := range s.issueFormatsOf() {
		essence, _, _ := strings.Cut(o.format.MediaType(), ";")
		list = append(list, page.Alternate{Type: essence, Title: title + " (" + o.name + ")", URL: s.public(issuesPath(name) + o.format.FileName())})
	}
	return list
}

// issueFeed serves the feed of a newsletter's issues.
func (s *server) issueFeed(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	file := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	for _, o := range s.issueFormatsOf() {
		if o.format.FileName() != file {
			continue
		}
		past, err := s.past(r, 0, perScreen)
		if err != nil {
			return err
		}
		body, err := feed.Encode(o.format, s.issuesFeed(name, past), feed.Self{o.format: s.public(issuesPath(name) + file)})
		if err != nil {
			return err
		}
		h := w.Header()
		for _, header := range []string{"Content-Security-Policy", "Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy", "Referrer-Policy"} {
			h.Set(header, documentHeader[header][0])
		}
		h.Del("Cross-Origin-Opener-Policy")
		h.Set("Cache-Control", publish.Caching)
		sum := sha256.Sum256(body)
		publicly(w, r, o.format.MediaType(), hex.EncodeToString(sum[:16]), body)
		return nil
	}
	return errNotFound
}

// issuesFeed describes the feed of a newsletter's issues. Its words are the
// site's: a feed is the same for everybody.
func (s *server) issuesFeed(name string, past newsletter.PastIssues) feed.Feed {
	f := feed.Feed{
		ID: s.public(issuesPath(name)), Title: s.Title + ": " + past.Title, SiteTitle: s.Title, Description: s.Description,
		SiteURL: s.public(issuesPath(name)), Language: s.Language, Generator: "tidings",
	}
	for _, i := range past.Issues {
		f.Entries = append(f.Entries, feed.Entry{
			ID: i.Permanent, URL: s.public(issuePath(name, i.ID)), Title: i.Subject,
			Summary: issueSummary(s.tongues.own, i), HTML: issueHTML(i),
			Published: i.Date, Updated: i.Date,
		})
	}
	return f
}

// issueSummary names the posts of an issue.
func issueSummary(in *locale.Language, i newsletter.Issue) string {
	var titles []string
	for _, c := range i.Content {
		if c.Title != "" {
			titles = append(titles, c.Title)
		}
	}
	if len(titles) == 0 {
		return in.Count("posts.count", i.Posts)
	}
	return strings.Join(titles, " · ")
}

// screenOf is the number of the screen that a request asks for.
func screenOf(r *http.Request) (int, error) {
	asked := r.URL.Query().Get("page")
	if asked == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, errors.Join(errNotFound, err)
	}
	return n, nil
}
