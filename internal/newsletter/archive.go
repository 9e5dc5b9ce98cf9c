package newsletter

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/internal/mail"
	"tidings/internal/store"
)

// Who may read editions on the web. Where nobody may, a Newsletter has "".
const (
	ArchivePublic   = "public"   // everybody: they are listed, and have a feed
	ArchiveUnlisted = "unlisted" // whoever has the link of a mail
)

// ErrIssue says that there is no such edition on the web.
var ErrIssue = errors.New("no such edition")

// An Issue is an edition as lists on the web show it.
type Issue struct {
	ID        int64
	Permanent string    // names it in feeds, also when the daemon has moved to another address
	Date      time.Time // in the newsletter's zone
	Subject   string
	Posts     int
	Content   []store.Content
}

// A PastIssues is one screen of a newsletter's issues.
type PastIssues struct {
	Title  string // of the newsletter
	Issues []Issue
	Total  int
}

// An IssuePage is an edition as it was mailed, with links that are nobody's own.
type IssuePage struct {
	Newsletter string
	Canonical  int64  // the number of the edition, if this page is that of a mail and the edition has one of its own; else 0
	HTML       []byte // nil if the mail had none
	Text       []byte
}

// Archive is the part of Service that shows past editions.
type Archive interface {
	// PastIssues gives the issues of a newsletter whose archive is public,
	// newest first. ErrIssue if there is no such archive.
	PastIssues(ctx context.Context, newsletter string, skip, limit int) (PastIssues, error)
	// Issue gives an edition by its number, where the archive is public, or by
	// the name that its mails link to. ErrIssue.
	Issue(ctx context.Context, newsletter, name string) (IssuePage, error)
}

// toIssue is the purpose of the tags of mails on the web.
const toIssue = "edition on the web"

// UnsentIssue takes the place of an edition's name in mails of editions that
// are not on record.
const UnsentIssue = "unsent"

// webName names the mail of a group on the web; nobody can guess it.
func (s *Service) webName(g store.Group) string {
	if g.EditionID == 0 {
		return UnsentIssue
	}
	return s.Key.Tag(toIssue, g.EditionID, int64(g.Number))
}

// webFolder is where editions of a newsletter are on the web; "" if nowhere.
func (s *Service) webFolder(n Newsletter) string {
	if n.Archive == "" {
		return ""
	}
	return s.link("newsletters", n.Name) + "/"
}

// pastIssues is the list of a newsletter's editions; "" if there is none.
func (s *Service) pastIssues(n Newsletter) string {
	if n.Archive != ArchivePublic {
		return ""
	}
	return s.webFolder(n)
}

// PastIssues implements Archive. It shows the editions that came by the
// newsletter's schedule or by hand; those of other frequencies hold the same
// posts again, and are shown only where there is no schedule.
func (s *Service) PastIssues(ctx context.Context, newsletter string, skip, limit int) (PastIssues, error) {
	n, err := s.Newsletter(newsletter)
	if err != nil || newsletter == "" || n.Archive != ArchivePublic {
		return PastIssues{}, ErrIssue
	}
	list, total, err := s.Store.PastEditions(ctx, n.Name, n.listed(), skip, limit)
	if err != nil {
		return PastIssues{}, err
	}
	p := PastIssues{Title: n.Title, Total: total}
	for _, e := range list {
		p.Issues = append(p.Issues, Issue{ID: e.ID, Permanent: permanent(n, e), Date: e.Date.In(n.Zone), Subject: e.Subject, Posts: e.Posts, Content: e.Contents})
	}
	return p, nil
}

// permanent is a tag URI (RFC 4151) of what is on record.
func permanent(n Newsletter, e store.PastEdition) string {
	host := "localhost"
	if u, err := url.Parse(e.Base); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return fmt.Sprintf("tag:%s,%s:/newsletters/%s/%d/", host, e.Date.UTC().Format(time.DateOnly), n.Name, e.ID)
}

// Issue implements Archive.
func (s *Service) Issue(ctx context.Context, newsletter, name string) (IssuePage, error) {
	n, err := s.Newsletter(newsletter)
	if err != nil || newsletter == "" || n.Archive == "" {
		return IssuePage{}, ErrIssue
	}
	g, canonical, err := s.issueGroup(ctx, n, name)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrIssue
	}
	if err != nil {
		return IssuePage{}, err
	}
	p, err := s.neutral(g)
	p.Newsletter, p.Canonical = n.Name, canonical
	return p, err
}

// issueGroup finds the group that a name means.
func (s *Service) issueGroup(ctx context.Context, n Newsletter, name string) (g store.Group, canonical int64, err error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && strconv.FormatInt(id, 10) == name {
		g, of, err := s.Store.WebGroup(ctx, id)
		if err == nil && (of != n.Name || n.Archive != ArchivePublic) {
			err = ErrIssue
		}
		return g, 0, err
	}
	numbers, err := s.Key.ReadTag(toIssue, name)
	if err != nil || len(numbers) != 2 {
		return g, 0, ErrIssue
	}
	e, err := s.Store.Edition(ctx, numbers[0])
	if err != nil {
		return g, 0, err
	}
	if e.Newsletter != n.Name {
		return g, 0, ErrIssue
	}
	if n.Archive == ArchivePublic && e.Counts.Sent+e.Counts.InDoubt > 0 {
		canonical = e.ID
	}
	g, err = s.Store.Group(ctx, e.ID, int(numbers[1]))
	return g, canonical, err
}

// nobodys stands for a reader's token until its links are replaced.
const nobodys = "0nobodys0token0"

// neutral gives the mail of a group as it was frozen. Its links to one
// reader's pages lead to where everybody may ask for their own.
func (s *Service) neutral(g store.Group) (IssuePage, error) {
	f, err := s.thaw(g)
	if err != nil {
		return IssuePage{}, fmt.Errorf("read the mail of edition %d: %w", g.EditionID, err)
	}
	raw, err := f.template.Render(nil, mail.Recipient{To: "reader@localhost", MessageID: "web@localhost", Slots: f.slots(nobodys)})
	if err != nil {
		return IssuePage{}, fmt.Errorf("show edition %d: %w", g.EditionID, err)
	}
	m, err := mail.Read(raw)
	if err != nil {
		return IssuePage{}, fmt.Errorf("show edition %d: %w", g.EditionID, err)
	}
	links := strings.NewReplacer("/unsubscribe/"+nobodys, "/preferences", "/preferences/"+nobodys, "/preferences")
	p := IssuePage{Text: []byte(links.Replace(m.Text))}
	if m.HTML != "" {
		p.HTML = []byte(links.Replace(m.HTML))
	}
	return p, nil
}
