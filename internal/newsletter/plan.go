package newsletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/digest"
	"tidings/internal/mail"
	"tidings/internal/post"
	"tidings/internal/store"
)

// A Request asks for an edition.
type Request struct {
	Newsletter Newsletter
	Cadence    string // "": by hand, for every reader
	Slot       string
	Band       store.Band // the readers of the cadence that are meant
	DueAt      time.Time  // the slot's instant
	At         time.Time  // what was published by then it holds; zero: by now
	Late       string     // by how much it is made later than DueAt, and why
	Since      time.Time  // zero: since the newsletter was first seen
	Subject    string     // "": the newsletter's
	Intro      string     // Markdown
	DryRun     bool       // nothing is recorded
	Unsettled  bool       // files count as unchanged for long, as they will once a send has waited for them
}

// welcomes reports whether it is for new readers; Since is then when they joined.
func (r Request) welcomes() bool { return r.Cadence == store.CadenceWelcome }

// A Plan is an edition as planned: recorded, unless it was a dry run.
type Plan struct {
	Edition   store.Edition
	Wave      store.Wave    // what this plan added; the zero value if by hand
	Groups    []store.Group // of this plan
	Readers   []int         // of each group
	Waves     []Plan        // of a run that was foreseen; else none
	Selection Selection
}

// Plan makes an edition of all its readers are due, or records why there is
// none; for a cadence, the part of it that one band is due. store.ErrExists if
// that is made already.
func (s *Service) Plan(ctx context.Context, r Request) (Plan, error) {
	return s.plan(ctx, r, 0)
}

func (s *Service) plan(ctx context.Context, r Request, watch int64) (Plan, error) {
	if s.MailingOff != "" {
		return Plan{}, fmt.Errorf("%w: %s", ErrMailingOff, s.MailingOff)
	}
	s.wholeImports(ctx)
	if r.At.IsZero() {
		r.At = s.Clock.Now()
	}
	sel, err := s.selection(ctx, r)
	if err != nil {
		return Plan{}, err
	}
	return s.planOf(ctx, r, sel, watch, nil)
}

// planOf plans an edition of a selection. A dry run lets it be the instant
// whose posts were selected.
func (s *Service) planOf(ctx context.Context, r Request, sel Selection, watch int64, f *Forecast) (p Plan, err error) {
	n, now := r.Newsletter, s.Clock.Now()
	if r.DryRun {
		now = r.At
	}
	a := newAudience(sel.Included, s.hold(r), func(number int, v variant, due []*catalog.Entry) (store.Group, error) {
		return s.compose(r, number, v, due, sel.posts)
	})
	a.watch, a.renames, a.forecast = watch, sel.posts.Renames(), f
	a.forWeb = n.Archive != "" && !r.DryRun && !r.welcomes()
	a.speak = func(readers string) string { return s.Templates.Language(readers, s.Site.Language) }
	if r.Cadence != "" && r.Cadence != store.CadenceEach && !r.welcomes() {
		a.fewest = n.MinPosts
	}
	if err := s.record(ctx, now, r, sel, a, &p); err != nil {
		return Plan{}, fmt.Errorf("plan an edition of %s: %w", n.Name, err)
	}
	p.Selection, p.Readers = a.wanted(sel), a.readers
	p.Groups = p.Groups[:min(len(p.Groups), len(a.readers))] // without that of the web
	if watch != 0 {
		p.Groups, err = watchedGroup(a, p.Groups)
	}
	return p, err
}

// record puts an edition on record, or a wave of it.
func (s *Service) record(ctx context.Context, now time.Time, r Request, sel Selection, a *audience, p *Plan) (err error) {
	e, ids := s.edition(r, sel, now), postIDs(sel.Included)
	switch {
	case r.Cadence == "", r.welcomes() && r.DryRun:
		p.Edition, p.Groups, err = s.Store.PlanEdition(ctx, now, e, ids, a, r.DryRun)
		return err
	case r.welcomes():
		p.Edition, p.Groups, err = s.Store.PlanWelcome(ctx, now, e, r.Since, ids, a)
		return err
	}
	w := store.Wave{Band: r.Band, Frequencies: r.Newsletter.frequencies(r.Cadence), At: r.DueAt, Late: r.Late}
	p.Edition, p.Wave, p.Groups, err = s.Store.PlanWave(ctx, now, e, w, ids, a, r.DryRun)
	return err
}

func watchedGroup(a *audience, groups []store.Group) ([]store.Group, error) {
	switch {
	case !a.met:
		return nil, errors.New("this reader has no active subscription to the newsletter, paused it, or is suppressed")
	case a.watched < 0:
		return nil, nil
	}
	return groups[a.watched : a.watched+1], nil
}

func (s *Service) selection(ctx context.Context, r Request) (Selection, error) {
	first, err := s.seen(ctx, r.Newsletter, s.Clock.Now(), r.DryRun)
	if err != nil {
		return Selection{}, err
	}
	settle := s.Settle
	if r.Unsettled {
		settle = 0
	}
	return r.Newsletter.Select(s.Posts(), Window{FirstSeen: first, Since: r.Since, Now: r.At}, settle), nil
}

// seen gives when a newsletter was first seen: now, if never. A dry look at it
// does not count.
func (s *Service) seen(ctx context.Context, n Newsletter, now time.Time, dry bool) (time.Time, error) {
	first, err := s.Store.NewsletterSeen(ctx, n.Name)
	if err == nil && first.IsZero() {
		if first = now; !dry {
			first, err = s.Store.SeeNewsletter(ctx, now, n.Name)
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up newsletter %s: %w", n.Name, err)
	}
	return first, nil
}

// edition drafts the record.
func (s *Service) edition(r Request, sel Selection, now time.Time) store.Edition {
	n := r.Newsletter
	e := store.Edition{
		Newsletter: n.Name,
		Cadence:    cmp.Or(r.Cadence, store.CadenceSchedule),
		Slot:       r.Slot,
		Manual:     r.Cadence == "",
		DueAt:      r.DueAt,
		Late:       r.Late,
		Status:     store.EditionSending,
		Since:      r.Since,
		InDoubt:    n.InDoubt,
		CreatedAt:  now,
		ExpiresAt:  now.Add(s.Expires),
		Reason:     nobodyNew,
	}
	if len(sel.Included) == 0 {
		e.Reason = sel.nothing()
	}
	switch {
	case e.Manual:
		e.Slot = "manual-" + now.UTC().Format("2006-01-02T15:04:05.000")
	case r.welcomes(): // its posts were approved before
		e.Since, e.Reason = time.Time{}, nothingToWelcome(r.Slot, sel)
	case n.Approve:
		e.Status = store.EditionPlanned
	}
	return e
}

func postIDs(entries []*catalog.Entry) []int64 {
	ids := make([]int64, len(entries))
	for i, e := range entries {
		ids[i] = e.PostID
	}
	return ids
}

// pinnedFirst gives posts in the order in which a mail shows them.
func pinnedFirst(due []*catalog.Entry) []*catalog.Entry {
	return slices.SortedStableFunc(slices.Values(due), func(a, b *catalog.Entry) int {
		switch {
		case a.Pinned == b.Pinned:
			return 0
		case a.Pinned:
			return -1
		}
		return 1
	})
}

// compose makes the frozen mail of one group.
func (s *Service) compose(r Request, number int, v variant, due []*catalog.Entry, posts *catalog.Snapshot) (store.Group, error) {
	_, from, err := mail.ParseMailbox(r.Newsletter.From)
	if err != nil {
		return store.Group{}, fmt.Errorf("newsletter %s: from: %w", r.Newsletter.Name, err)
	}
	due = pinnedFirst(due)
	at := later(r.At, v.notBefore)
	m, err := s.Templates.Compose(s.digestInput(r, v, at, due, posts))
	if err != nil {
		return store.Group{}, fmt.Errorf("compose %s: %w", r.Newsletter.Name, err)
	}
	if v.format == store.FormatText {
		m.HTML = ""
	}
	t, err := mail.Compile(m)
	if err != nil {
		return store.Group{}, fmt.Errorf("build the mail of %s: %w", r.Newsletter.Name, err)
	}
	frozen, err := freeze(t)
	if err != nil {
		return store.Group{}, fmt.Errorf("freeze the mail of %s: %w", r.Newsletter.Name, err)
	}
	return store.Group{
		Number:    number,
		PostIDs:   postIDs(due),
		NotBefore: at,
		Date:      at,
		Sender:    from.String(),
		Base:      s.Site.BaseURL.String(),
		Subject:   m.Subject,
		Template:  frozen,
	}, nil
}

// Preview composes the mail that a reader would get by a send now, or, with an
// empty address, a reader of everything who has got nothing yet. A post whose
// file has not settled is in it: a send waits for that.
func (s *Service) Preview(ctx context.Context, r Request, email string) (store.Group, error) {
	r.DryRun, r.Unsettled = true, true
	if email == "" {
		return s.previewAll(ctx, r)
	}
	sub, err := FindSubscriber(ctx, s.Store, email)
	if err != nil {
		return store.Group{}, fmt.Errorf("subscriber %s: %w", email, err)
	}
	p, err := s.plan(ctx, r, sub.ID)
	if err != nil {
		return store.Group{}, fmt.Errorf("preview for %s: %w", email, err)
	}
	if len(p.Groups) == 0 {
		return store.Group{}, fmt.Errorf("nothing is due for %s: %s (older posts: --since DATE)", email, p.Edition.Reason)
	}
	return p.Groups[0], nil
}

func (s *Service) previewAll(ctx context.Context, r Request) (store.Group, error) {
	r.At = s.Clock.Now()
	sel, err := s.selection(ctx, r)
	if err != nil {
		return store.Group{}, err
	}
	if len(sel.Included) == 0 {
		return store.Group{}, fmt.Errorf("newsletter %s has nothing to show: %s (older posts: --since DATE)", r.Newsletter.Name, sel.nothing())
	}
	return s.compose(r, 0, variant{}, sel.Included, sel.posts)
}

// Settling gives the file of the post that settles last of those that a send
// now would wait for, and when; "" if it would wait for none.
func (s *Service) Settling(ctx context.Context, n Newsletter, since time.Time) (file string, at time.Time, err error) {
	now := s.Clock.Now()
	first, err := s.seen(ctx, n, now, true)
	if err != nil {
		return "", time.Time{}, err
	}
	at, file = n.settles(s.Posts(), Window{FirstSeen: first, Since: since, Now: now}, s.Settle)
	return file, at, nil
}

// Settled waits until every post that an edition made now could hold has
// lain unchanged for the settle time; told, if not nil, hears of the wait.
func (s *Service) Settled(ctx context.Context, n Newsletter, since time.Time, told func(file string, wait time.Duration)) error {
	for {
		now := s.Clock.Now()
		first, err := s.seen(ctx, n, now, false)
		if err != nil {
			return err
		}
		at, file := n.settles(s.Posts(), Window{FirstSeen: first, Since: since, Now: now}, s.Settle)
		if at.IsZero() {
			return nil
		}
		if told != nil {
			told(file, at.Sub(now))
		}
		if err := s.Clock.Wait(ctx, at); err != nil {
			return err
		}
	}
}

// digestInput says what the mail of a group shows.
func (s *Service) digestInput(r Request, v variant, at time.Time, due []*catalog.Entry, posts *catalog.Snapshot) digest.Input {
	n := r.Newsletter
	items := make([]digest.Item, len(due))
	for i, e := range due {
		items[i] = s.item(e)
	}
	return digest.Input{
		Site:        s.site(),
		Newsletter:  s.masthead(n),
		Base:        s.Site.BaseURL.String(),
		WebFolder:   s.webFolder(n),
		Items:       items,
		Intro:       r.Intro,
		Subject:     r.Subject,
		Frequency:   r.Cadence,
		Welcome:     r.welcomes(),
		Language:    v.language,
		Date:        at,
		Location:    s.zone(n, r.Band.Zone),
		Preferences: true,
		Topics:      append(names(n.Topics.Categories, posts.Categories), names(n.Topics.Tags, posts.Tags)...),
	}
}

// item is a post as mails show it.
func (s *Service) item(e *catalog.Entry) digest.Item {
	item := digest.Item{
		Title:       e.Title,
		URL:         e.URL,
		Summary:     e.Summary,
		Published:   e.Published,
		Categories:  e.Categories,
		Tags:        e.Tags,
		Language:    e.Language,
		ReadingTime: e.Minutes,
		Again:       !e.Announced.IsZero(),
	}
	if base, err := url.Parse(e.URL); err == nil && s.Images {
		item.Image, item.ImageAlt, item.ImageWidth = post.Absolute(base, e.Image), e.ImageAlt, e.ImageSize.Width
	}
	return item
}

func (s *Service) site() digest.Site {
	return digest.Site{Title: s.Site.Title, URL: s.Site.URL, Language: s.Site.Language}
}

// masthead is what every mail of a newsletter says of it. Its List-Id is made
// of its name and the host of the links (RFC 2919 §2): neither ever changes
// for the readers' filters.
func (s *Service) masthead(n Newsletter) digest.Newsletter {
	return digest.Newsletter{
		Name:            n.Name,
		Title:           n.Title,
		From:            n.From,
		ReplyTo:         n.ReplyTo,
		SubjectTemplate: n.Subject,
		PostalAddress:   n.PostalAddress,
		WebURL:          s.pastIssues(n),
		ListID:          n.Name + "." + strings.ReplaceAll(s.Site.BaseURL.Hostname(), ":", "-"), // an IPv6 address
	}
}
