package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/config"
	"tidings/internal/digest"
	"tidings/internal/feed"
	"tidings/internal/newsletter"
	"tidings/internal/pace"
	"tidings/internal/publish"
	"tidings/internal/relay"
	"tidings/internal/schedule"
	"tidings/internal/term"
	"tidings/internal/token"
	"tidings/internal/web"
	"tidings/templates"
)

// This file turns the configuration into parts: each method reads the keys of
// one part and makes it.

// open opens the database and the secret key.
func (a *app) open(ctx context.Context) error {
	var err error
	if a.key, err = token.OpenKey(a.cfg.SecretFile); err != nil {
		return err
	}
	db, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	if a.store = db; a.seams.store != nil {
		a.store = a.seams.store(db)
	}
	return nil
}

// catalogConfig says where posts are and how they are understood.
func (a *app) catalogConfig() (catalog.Config, error) {
	site, err := url.Parse(a.cfg.Site.URL)
	if err != nil {
		return catalog.Config{}, fmt.Errorf("site.url: %w", err)
	}
	hosts, err := hostsPosts(a.cfg)
	if err != nil {
		return catalog.Config{}, err
	}
	feeds := publishConfig(a.cfg)
	return catalog.Config{
		Reserved:  func(path string) bool { return hosts && (web.Reserved(path) || feeds.Reserved(path)) },
		Dir:       a.cfg.Posts.Dir,
		Permalink: a.cfg.Posts.Permalink,
		SiteURL:   site,
		Location:  a.cfg.Site.Location(),
		Store:     a.store,
		Index:     a.cacheFile("posts"), IndexStamp: programStamp(),
		Terms:    termRules(a.cfg),
		Slugs:    a.store,
		Authors:  feeds.HasAuthors(),
		Author:   a.cfg.Site.Author.Name,
		Sections: feeds.HasSections(),
		Debounce: a.cfg.Posts.Debounce,
		Log:      a.log,
		Now:      a.clock.Now,
		Until:    func(t time.Time) time.Duration { return a.clock.Real(t.Sub(a.clock.Now())) },
	}, nil
}

// termRules gives what the configuration fixes about terms.
func termRules(c *config.Config) []catalog.TermRule {
	var rules []catalog.TermRule
	for _, taxonomy := range taxonomies {
		for _, t := range taxonomy.terms(c) {
			rules = append(rules, catalog.TermRule{Kind: taxonomy.kind, Name: t.Name, Slug: t.Slug, Was: t.Was})
		}
	}
	return rules
}

// taxonomies in the order of termRules, by their keys below terms.
var taxonomies = []struct {
	key   string
	kind  catalog.Kind
	terms func(*config.Config) []config.Term
}{
	{"categories", catalog.Category, func(c *config.Config) []config.Term { return c.Terms.Categories }},
	{"tags", catalog.Tag, func(c *config.Config) []config.Term { return c.Terms.Tags }},
	{"authors", catalog.Author, func(c *config.Config) []config.Term { return c.Terms.Authors }},
}

// publishConfig says what is published and where.
func publishConfig(c *config.Config) publish.Config {
	css, err := fs.ReadFile(templates.Overlay(c.Templates.Dir), "assets/feed.css")
	if err != nil {
		css = nil // the user's cannot be read any more: feeds do without
	}
	var formats []feed.Format
	for _, f := range c.Feeds.Formats {
		formats = append(formats, feed.Format(f))
	}
	return publish.Config{
		Title:       c.Site.Title,
		Description: c.Site.Description,
		Language:    c.Site.Language,
		Author:      feed.Person{Name: c.Site.Author.Name, Email: c.Site.Author.Email},
		Icon:        c.Site.Icon,
		SiteURL:     c.Site.URL,
		PagesURL:    c.HTTP.URL,
		FeedsURL:    c.Feeds.URL,
		Formats:     formats,
		Items:       c.Feeds.Items,
		Days:        c.Feeds.Days,
		Hubs:        c.Feeds.Hubs,
		Summary:     c.Feeds.Content == "summary",
		Preset:      publish.Preset(c.Feeds.Preset),
		Authors:     c.Feeds.Authors,
		Stylesheet:  css,
		Archives:    c.Feeds.Archives,
		Combined:    combinations(c),
		Contents:    contents(c),
	}
}

// contents gives the feeds of terms that show posts in a way of their own.
func contents(c *config.Config) map[catalog.Kind]map[string]publish.Content {
	all := map[catalog.Kind]map[string]publish.Content{}
	for _, taxonomy := range taxonomies {
		all[taxonomy.kind] = map[string]publish.Content{}
		for _, t := range taxonomy.terms(c) {
			if t.Content != "" {
				all[taxonomy.kind][term.Key(t.Name)] = publish.Content(t.Content)
			}
		}
	}
	return all
}

// combinations gives the configured feeds of several terms.
func combinations(c *config.Config) []publish.Combination {
	var all []publish.Combination
	names := func(n config.TermNames) publish.Names { return publish.Names(n) }
	for _, f := range c.Feeds.Combined {
		all = append(all, publish.Combination{Name: f.Name, Title: f.Title, Content: publish.Content(f.Content), Any: names(f.Any), All: names(f.All), Not: names(f.Not)})
	}
	return all
}

// publisher makes the part that turns posts into feed documents.
func (a *app) publisher(posts catalog.Config) *publish.Publisher {
	c := publishConfig(a.cfg)
	c.Cache, c.CacheStamp = a.cacheFile("content"), programStamp()
	return publish.New(c, publish.Deps{Documents: a.store, Body: posts.Body, Log: a.log, Now: a.clock.Now})
}

// service makes the newsletter rules over a view of the posts.
func (a *app) service(posts func() *catalog.Snapshot) (*newsletter.Service, error) {
	base, err := url.Parse(a.cfg.HTTP.URL)
	if err != nil {
		return nil, fmt.Errorf("http.url: %w", err)
	}
	letters, err := newsletters(a.cfg)
	if err != nil {
		return nil, err
	}
	mails, err := digest.Parse(templates.Overlay(a.cfg.Templates.Dir))
	if err != nil {
		return nil, err
	}
	rules, err := signUpRules(a.cfg.SignUp)
	if err != nil {
		return nil, err
	}
	c := newsletter.Config{
		Newsletters: letters,
		Site:        newsletter.Site{Title: a.cfg.Site.Title, URL: a.cfg.Site.URL, Language: a.cfg.Site.Language, BaseURL: base},
		Settle:      a.cfg.Posts.Settle,
		Expires:     a.cfg.Delivery.Expires,
		ReturnPath:  a.cfg.Bounces.Address,
		SignUps:     rules,
		Images:      a.cfg.Mail.Images,
		MailingOff:  a.cfg.MailingOff(),
	}
	return newsletter.New(c, newsletter.Deps{
		Store: a.store, Key: a.key, Templates: mails, Posts: posts, Clock: a.clock, Log: a.log,
	}), nil
}

// signUpRules gives what is asked of those who sign up.
func signUpRules(c config.SignUp) (newsletter.SignUpRules, error) {
	r := newsletter.SignUpRules{PerAddress: c.PerAddress, PerHour: c.PerHour, Unconfirmed: c.Unconfirmed}
	for _, kind := range c.Refuse {
		var err error
		switch kind {
		case "disposable":
			r.Disposable, err = newsletter.OpenList(newsletter.DisposableDomains, c.DisposableDomains)
		case "role":
			r.Role, err = newsletter.OpenList(newsletter.RoleNames, c.RoleNames)
		}
		if err != nil {
			return r, fmt.Errorf("signup.refuse: %w", err)
		}
	}
	return r, nil
}

// newsletters gives the configured newsletters.
func newsletters(c *config.Config) ([]newsletter.Newsletter, error) {
	var all []newsletter.Newsletter
	terms := catalog.Config{Terms: termRules(c)}
	for _, n := range c.Newsletters {
		l := newsletter.Newsletter{
			Name:          n.Name,
			Title:         n.Title,
			Zone:          n.Location(),
			Frequencies:   n.Frequencies,
			Hour:          n.Hour,
			Weekday:       n.Day(),
			MonthDay:      n.MonthDay,
			QuietHours:    n.QuietHours,
			Topics:        newsletter.NewTopics(terms.PresentKeys(catalog.Category, n.Categories), terms.PresentKeys(catalog.Tag, n.Tags)),
			From:          n.From,
			ReplyTo:       n.ReplyTo,
			Subject:       n.Subject,
			PostalAddress: n.PostalAddress,
			Approve:       n.Approve,
			Welcome:       n.Welcome,
			Archive:       archives[n.Archive],
			MaxPostAge:    n.MaxPostAge,
			MinPosts:      n.MinPosts,
			CatchUp:       n.CatchUp == "once",
			MaxLateness:   n.MaxLateness,
			InDoubt:       n.InDoubt,
		}
		if n.Schedule != "" {
			spec, err := schedule.Parse(n.Schedule)
			if err != nil {
				return nil, fmt.Errorf("newsletter %s: %w", n.Name, err)
			}
			l.Schedule = &spec
		}
		all = append(all, l)
	}
	return all, nil
}

// archives gives what a newsletter's archive is called in the rules.
var archives = map[string]string{"public": newsletter.ArchivePublic, "unlisted": newsletter.ArchiveUnlisted}

// noPosts is the view of commands that do not look at posts.
func noPosts() *catalog.Snapshot { return &catalog.Snapshot{} }

// serviceWithPosts reads the posts and makes the rules over what was last
// read of them.
func (a *app) serviceWithPosts(ctx context.Context) (*newsletter.Service, error) {
	if err := a.readPosts(ctx); err != nil {
		return nil, err
	}
	return a.service(func() *catalog.Snapshot { return a.snap })
}

// readPosts looks at all posts.
func (a *app) readPosts(ctx context.Context) error {
	c, err := a.catalogConfig()
	if err != nil {
		return err
	}
	a.snap, err = catalog.Load(ctx, c)
	return err
}

// outgoing gives the relay and the signature of outgoing mail; sign is nil if
// there is none.
func (a *app) outgoing() (r relay.Relay, sign func([]byte) ([]byte, error), err error) {
	m := a.cfg.Mail
	signer, err := signerOf(m.DKIM)
	if err != nil {
		return nil, nil, err
	}
	if signer != nil {
		sign = signer.Sign
	}
	if m.Transport == config.Capture {
		r, _ = relay.NewCapture(m.CaptureDir, a.clock.Now)
	} else if r, err = relay.NewSMTP(relay.SMTPConfig{
		Host: m.SMTP.Host, Port: m.SMTP.Port, TLS: m.SMTP.TLS,
		Username: m.SMTP.Username, Password: m.SMTP.Password,
		Lockstep: m.SMTP.Pipelining == "off",
	}); err != nil {
		return nil, nil, err
	}
	if a.seams.relay != nil {
		r = a.seams.relay(r)
	}
	return r, sign, nil
}

// relayName names the relay among others that were used before.
func (a *app) relayName() string {
	m := a.cfg.Mail
	if m.Transport == config.Capture {
		return m.Transport
	}
	return net.JoinHostPort(m.SMTP.Host, strconv.Itoa(m.SMTP.Port))
}

// relayLine is the relay as this machine reaches it: another one may, while this
// one does not.
func (a *app) relayLine() string {
	if _, ok := a.cfg.Database.SQLite(); ok {
		return a.relayName()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return a.relayName() + ", from " + host
}

// pace makes the gate that all parts of this process that send share.
func (a *app) pace() *pace.Gate {
	m := a.cfg.Mail
	c := pace.Config{Relay: a.relayLine(), Connections: m.SMTP.Connections, PerSecond: m.Rate.PerSecond, Domains: map[string]pace.Limit{}}
	for _, d := range m.Rate.Domains {
		c.Domains[d.ASCII()] = pace.Limit{PerSecond: d.PerSecond, Connections: d.Connections}
	}
	return pace.New(c, a.store, a.clock, a.log)
}

// journals is where the senders of a database keep their journals: in one place,
// however the database is called.
func journals(file string) string {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	return file + "-senders"
}

// sender makes the part that sends deliveries.
func (a *app) sender(s *newsletter.Service, gate *pace.Gate, m *newsletter.Metrics) (*newsletter.Sender, error) {
	r, sign, err := a.outgoing()
	if err != nil {
		return nil, err
	}
	return newsletter.NewSender(s, newsletter.SenderConfig{
		Connections: a.cfg.Mail.SMTP.Connections,
		MaxMessages: a.cfg.Mail.SMTP.MaxMessages,
		Pace:        gate,
		RetryBase:   a.cfg.Delivery.RetryBase,
		MaxAttempts: a.cfg.Delivery.MaxAttempts,
		JournalDir:  journals(a.beside()),
		Lease:       a.lease(),
	}, r, sign, m), nil
}

var errNoRehearsal = errors.New("--clock rehearses only with mail.transport: capture, so that no reader gets mail of a made-up time")
