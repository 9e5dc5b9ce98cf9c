package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"tidings/internal/catalog"
	"tidings/internal/config"
	"tidings/internal/newsletter"
	"tidings/internal/post"
	"tidings/internal/relay"
	"tidings/internal/web"
	"tidings/templates"
)

// handler makes the pages. sender is nil while mailing is off.
func (a *app) handler(posts *library, s *newsletter.Service, sender *newsletter.Sender, metrics http.Handler) (http.Handler, error) {
	c := a.cfg
	if !a.roles.has(roleWeb) {
		return web.Probes(web.Deps{Ready: func(ctx context.Context) error { return a.ready(ctx, sender) }, Metrics: metrics}), nil
	}
	hosts, err := hostsPosts(c)
	if err != nil {
		return nil, err
	}
	deps := web.Deps{
		Templates: templates.Overlay(c.Templates.Dir),
		Snapshot:  posts.watcher.Current,
		Set:       posts.publisher.Current,
		Combine:   posts.publisher.Combine,
		Private:   posts.publisher.Private,
		Render:    posts.render,
		People:    s,
		Archive:   s,
		Metrics:   metrics,
		Ready:     func(ctx context.Context) error { return a.ready(ctx, sender) },
		Log:       a.log,
		Now:       a.clock.Now,
	}
	if c.Mail.Transport == config.Capture {
		_, deps.Mailbox = relay.NewCapture(c.Mail.CaptureDir, a.clock.Now)
	}
	return web.New(web.Config{
		Title:          c.Site.Title,
		Description:    c.Site.Description,
		Language:       c.Site.Language,
		Languages:      c.Site.Languages,
		SiteURL:        c.Site.URL,
		BaseURL:        c.HTTP.URL,
		FeedsURL:       c.Feeds.URL,
		HostsPosts:     hosts,
		Authors:        publishConfig(c).HasAuthors(),
		Sections:       publishConfig(c).HasSections(),
		MailingOff:     c.MailingOff(),
		Newsletters:    choices(s),
		TrustedProxies: c.HTTP.Proxies(),
		SignUp:         web.Guard{Stamps: a.key, MinSeconds: c.SignUp.MinSeconds, ProofOfWork: c.SignUp.ProofOfWork, PerNetwork: c.SignUp.PerNetwork},
		Origins:        c.SignUp.Origins,
		Version:        version(),
	}, deps)
}

// hostsPosts reports whether the site's address is this daemon's.
func hostsPosts(c *config.Config) (bool, error) {
	site, err := url.Parse(c.Site.URL)
	if err != nil {
		return false, fmt.Errorf("site.url: %w", err)
	}
	own, err := url.Parse(c.HTTP.URL)
	if err != nil {
		return false, fmt.Errorf("http.url: %w", err)
	}
	return c.MailingOff() == "" && site.Host == own.Host, nil
}

// render gives the HTML of a post for its own page.
func (l *library) render(ctx context.Context, e *catalog.Entry) (string, error) {
	body, err := l.text(ctx, e)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(e.URL)
	if err != nil {
		base = new(url.URL)
	}
	whole := *e.Post
	whole.Body = body
	return post.Render(&whole, base), nil
}

func choices(s *newsletter.Service) []web.Newsletter {
	var all []web.Newsletter
	for _, n := range s.Newsletters {
		all = append(all, web.Newsletter{Name: n.Name, Title: n.Title, Frequencies: n.Offers(), Zone: n.Zone.String(), Archive: n.Archive == newsletter.ArchivePublic})
	}
	return all
}

// ready says why the daemon is not in working order; nil if it is.
func (a *app) ready(ctx context.Context, sender *newsletter.Sender) error {
	err := a.store.CheckWritable(ctx)
	if sender != nil {
		err = errors.Join(err, sender.Healthy())
	}
	return err
}
