package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"tidings/internal/alert"
	"tidings/internal/clock"
	"tidings/internal/config"
	"tidings/internal/daemon"
	"tidings/internal/newsletter"
	"tidings/internal/pace"
	"tidings/internal/store/postgres"
)

func serveCommand(a *app) *cobra.Command {
	var rehearsal string
	var only []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Watch the posts, publish the feeds, serve pages, send digests",
		Long: "Runs until it is told to stop. SIGTERM and Ctrl-C finish the mails that are on the\n" +
			"wire and stop; SIGHUP reads the configuration again.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rehearsal != "" {
				c, err := clock.Parse(rehearsal)
				if err != nil {
					return usageError{fmt.Errorf("--clock: %w", err)}
				}
				a.clock = c
			}
			var err error
			if a.roles, err = parseRoles(only); err != nil {
				return usageError{err}
			}
			return a.serve(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&rehearsal, "clock", "", "`START,RATE`: rehearse, with mail captured: time starts at START and runs RATE times as fast")
	cmd.Flags().StringSliceVar(&only, "only", nil, "`ROLES` of this daemon where others do the rest: web, send, schedule (default: all)")
	return cmd
}

// serve runs the daemon; a SIGHUP with a good configuration stops its parts
// and starts them anew with it. It returns when all that it began has ended.
func (a *app) serve(ctx context.Context) error {
	defer a.former.Wait()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	if err := a.loadConfig(); err != nil {
		return err
	}
	for {
		next, err := a.serveUntil(ctx, hup)
		if err != nil || next == nil {
			return err
		}
		a.cfg = next
	}
}

// serveUntil runs the daemon until ctx ends, or until a SIGHUP brings the
// configuration to go on with.
func (a *app) serveUntil(ctx context.Context, hup <-chan os.Signal) (next *config.Config, err error) {
	if a.clock.Rehearsing() && a.cfg.Mail.Transport != config.Capture {
		return nil, usageError{errNoRehearsal}
	}
	l, err := daemon.Listen(a.cfg.HTTP.Listen)
	if err != nil {
		return nil, err
	}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := a.rehearse(ctx); err != nil {
		return nil, errors.Join(err, l.Close(), a.store.Close())
	}
	g := newGeneration(ctx, a.log, a.store.Close)
	defer func() { err = errors.Join(err, g.end(next != nil, &a.former)) }()
	parts, err := a.parts(ctx, l, g)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(run, a.log, parts...) }()
	for {
		select {
		case err := <-ended:
			return nil, err
		case <-hup:
			if next := a.reload(); next != nil {
				stop()
				return next, <-ended
			}
		}
	}
}

// rehearse lets a rehearsal begin at its own time: what was noted for later than
// that, as by commands that go by the machine's clock, has not been.
func (a *app) rehearse(ctx context.Context) error {
	if !a.clock.Rehearsing() {
		return nil
	}
	return a.store.AcceptClock(ctx, a.clock.Now())
}

// reload reads the configuration again; nil, after a log entry for each
// fault, if it is not in order.
func (a *app) reload() *config.Config {
	cfg, err := a.readConfig()
	if err == nil {
		a.log.Info("configuration reloaded", "file", a.configFile)
		return cfg
	}
	var faults config.Faults
	if !errors.As(err, &faults) {
		a.log.Error("configuration not reloaded; the old one stays", "error", err)
	}
	for _, f := range faults {
		a.log.Error("configuration not reloaded; the old one stays", "fault", f.String())
	}
	return nil
}

// parts makes the parts of the daemon, in the order in which they start.
func (a *app) parts(ctx context.Context, l net.Listener, g *generation) ([]daemon.Part, error) {
	a.warn()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	posts, service, parts, err := a.content(ctx, registry)
	if err != nil {
		return nil, err
	}
	live := a.liveTemplates()
	live.mails = service.Templates
	gate := a.pace()
	registry.MustRegister(gate)
	counters := newsletter.NewMetrics(registry)
	mailing, sender, watch, err := a.mailing(g, service, gate, live, counters, registry)
	if err != nil {
		return nil, err
	}
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})
	if err := live.use(func() (http.Handler, error) { return a.handler(posts, service, sender, metrics) }); err != nil {
		return nil, err
	}
	parts = append(parts, daemon.Part{Name: "templates", Run: live.run}, daemon.HTTP(l, live, a.log))
	if a.roles.has(roleWeb) {
		bounces, listening, err := a.bounces(service, counters, watch)
		if err != nil {
			return nil, err
		}
		if listening {
			parts = append(parts, bounces)
		}
		parts = append(parts, daemon.Part{Name: "hubs", Run: posts.hubs.Run})
	}
	if a.roles.has(roleSchedule) {
		parts = append(parts, daemon.Part{Name: "imports", Run: service.KeepImports}, daemon.Part{Name: "retention", Run: service.Retain})
	}
	a.log.Info("serving", "url", a.cfg.HTTP.URL, "listen", l.Addr().String(), "roles", a.roles.String(), "mail", a.cfg.Mail.Transport)
	return append(parts, mailing...), nil
}

// content makes the parts that turn posts into feeds, if this daemon needs any,
// and the newsletter rules over the posts.
func (a *app) content(ctx context.Context, registry *prometheus.Registry) (*library, *newsletter.Service, []daemon.Part, error) {
	if !a.roles.posts() {
		service, err := a.service(noPosts)
		return nil, service, nil, err
	}
	posts, err := a.openLibrary(ctx, registry)
	if err != nil {
		return nil, nil, nil, err
	}
	registry.MustRegister(posts.gauges()...)
	a.log.Info("posts published", "posts", len(posts.watcher.Current().Entries), "feeds", len(posts.publisher.Current().Feeds))
	service, err := a.service(posts.watcher.Current)
	return posts, service, []daemon.Part{{Name: "posts", Run: func(ctx context.Context) error { return a.runLibrary(ctx, posts) }}}, err
}

// warn logs what is doubtful in the configuration. While mail is captured,
// what it says of mails concerns nobody yet.
func (a *app) warn() {
	for _, f := range warnings(a.cfg) {
		level := slog.LevelWarn
		if a.cfg.Mail.Transport == config.Capture {
			level = slog.LevelDebug
		}
		a.log.Log(context.Background(), level, "configuration", "file", f.File, "line", f.Line, "key", f.Key, "problem", f.Message)
	}
}

// mailing makes the part that sends mail; none if mailing is off.
func (a *app) mailing(g *generation, s *newsletter.Service, gate *pace.Gate, live *liveTemplates, m *newsletter.Metrics, reg prometheus.Registerer) ([]daemon.Part, *newsletter.Sender, *alert.Watch, error) {
	if s.MailingOff != "" {
		a.log.Warn("sign-up and mailing are off", "reason", s.MailingOff)
		return nil, nil, nil, nil
	}
	relay, sign, err := a.outgoing()
	if err != nil {
		return nil, nil, nil, err
	}
	messenger := newsletter.NewMessenger(s, relay, sign, gate, m)
	var parts []daemon.Part
	var sender *newsletter.Sender
	wake := func() {}
	if a.roles.has(roleSend) {
		if sender, err = a.sender(s, gate, m); err != nil {
			return nil, nil, nil, err
		}
		wake = sender.Wake
		parts = append(parts, g.part("confirmations", messenger.RunUntil), g.part("sender", sender.RunUntil))
	}
	scheduler := newsletter.NewScheduler(s, wake, m)
	watch := a.alertWatch(alert.Deps{
		Service: s, Mails: messenger, Fault: scheduler.Fault,
		Ready:     func(ctx context.Context) error { return a.ready(ctx, sender) },
		Templates: live.broken,
	}, reg)
	if a.roles.has(roleSchedule) {
		parts = append(parts, daemon.Part{Name: "schedule", Run: scheduler.Run}, daemon.Part{Name: "alerts", Run: watch.Run})
	}
	if len(parts) == 0 {
		return nil, nil, watch, nil
	}
	if sender != nil {
		parts = append(parts, a.ears(map[string]func(){postgres.Mails: sender.Wake, postgres.Notices: messenger.Wake})...)
	}
	return []daemon.Part{daemon.Together("mail", parts...)}, sender, watch, nil
}
