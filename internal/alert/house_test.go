package alert_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/internal/alert"
	"tidings/internal/catalog"
	"tidings/internal/clock"
	"tidings/internal/digest"
	"tidings/internal/newsletter"
	"tidings/internal/pace"
	"tidings/internal/relay"
	"tidings/internal/schedule"
	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/sqlite/sqlitetest"
	"tidings/internal/token"
	"tidings/templates"
)

// A house is a Watch over a real database, in simulated time, with a relay
// that answers as told.
type house struct {
	*newsletter.Service
	t        *testing.T
	relay    *fakeRelay
	gate     *pace.Gate
	registry *prometheus.Registry
	file     string

	mu    sync.Mutex
	alarm *catalog.Alarm
	ready error
	fault error
	looks error // what is wrong with the templates
}

// bubble runs a test in a house with one newsletter, in time that passes only
// while everybody waits. It begins on 2000-01-01, a Saturday.
func bubble(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newHouse(t)) })
}

// builtin is parsed once: nobody replaces it.
var builtin = sync.OnceValues(func() (*digest.Templates, error) { return digest.Parse(templates.Builtin()) })

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, relay: &fakeRelay{}, registry: prometheus.NewRegistry(), file: sqlitetest.File(t)}
	db, err := sqlite.Open(t.Context(), h.file)
	h.check(err)
	t.Cleanup(func() { db.Close() })
	key, err := token.NewKey(bytes.Repeat([]byte{7}, 32))
	h.check(err)
	mails, err := builtin()
	h.check(err)
	daily, err := schedule.Parse("0 8 * * *")
	h.check(err)
	h.Service = newsletter.New(newsletter.Config{
		Newsletters: []newsletter.Newsletter{{
			Name: "daily", Title: "Daily", Zone: time.UTC, From: "News <news@example.org>", Schedule: &daily,
			MaxPostAge: 30 * 24 * time.Hour, MinPosts: 1, MaxLateness: 24 * time.Hour, InDoubt: store.Hold,
		}},
		Site:    newsletter.Site{Title: "Field Notes", URL: "https://example.org", Language: "en", BaseURL: &url.URL{Scheme: "https", Host: "news.example.org"}},
		Expires: 72 * time.Hour,
	}, newsletter.Deps{
		Store: db, Key: key, Templates: mails, Posts: h.posts, Clock: clock.Clock{}, Log: slog.New(slog.DiscardHandler),
	})
	h.gate = pace.New(pace.Config{Relay: "mail.example.org:587", Connections: 4}, db, h.Clock, h.Log)
	return h
}

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) posts() *catalog.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &catalog.Snapshot{Alarm: h.alarm}
}

// set changes what the Watch is told of the process.
func (h *house) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *house) config(to string) alert.Config {
	return alert.Config{To: to, From: "Field Notes <news@example.org>", Site: "Field Notes", Relay: "mail.example.org:587", Zone: time.UTC}
}

// watch runs a Watch that mails to an address until stop is called.
func (h *house) watch(to string) (stop func()) {
	h.registry = prometheus.NewRegistry()
	w := alert.New(h.config(to), alert.Deps{
		Service: h.Service,
		Ready:   func(context.Context) error { h.mu.Lock(); defer h.mu.Unlock(); return h.ready },
		Fault:   func(string) error { h.mu.Lock(); defer h.mu.Unlock(); return h.fault },
		Templates: func() (time.Time, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC), h.looks
		},
		Mails: newsletter.NewMessenger(h.Service, h.relay, nil, h.gate, nil),
	}, h.registry)
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	time.Sleep(7 * time.Second) // so that nothing a test does falls on the instant of a look
	return func() {
		h.t.Helper()
		cancel()
		h.check(<-done)
	}
}

const maintainer = "me@example.org"

// told gives the subjects of the alerts on record, oldest first.
func (h *house) alerts(all bool) (list []string) {
	h.t.Helper()
	as, err := h.Store.ListAlerts(h.t.Context(), all)
	h.check(err)
	for _, a := range as {
		list = append([]string{a.Subject}, list...)
	}
	return list
}

// A fakeRelay takes what it gets, unless it is down.
type fakeRelay struct {
	mu      sync.Mutex
	down    error // what Connect answers, if set
	refusal error // what Send answers, if set
	dials   int
	taken   []letter
}

// A letter is a mail that was taken, decoded.
type letter struct {
	At      time.Time
	Header  netmail.Header
	Subject string
	Text    string
	Raw     string
}

func (r *fakeRelay) setDown(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = err
}

func (r *fakeRelay) refuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusal = err
}

func (r *fakeRelay) dialled() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dials
}

func (r *fakeRelay) letters() []letter {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

func (r *fakeRelay) subjects() (list []string) {
	for _, l := range r.letters() {
		list = append(list, strings.TrimPrefix(l.Subject, "[Field Notes] "))
	}
	return list
}

func (r *fakeRelay) Connect(context.Context) (relay.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials++
	if r.down != nil {
		return nil, &relay.Error{Phase: relay.PhaseDial, Kind: relay.Unavailable, Err: r.down}
	}
	return r, nil
}

func (r *fakeRelay) Usable() bool                    { return true }
func (r *fakeRelay) Announce(relay.Envelope, []byte) {}
func (r *fakeRelay) Close() error                    { return nil }

func (r *fakeRelay) Send(_ context.Context, env relay.Envelope, msg []byte, _ func() error) (relay.Reply, error) {
	m, err := netmail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		return relay.Reply{}, err
	}
	var body io.Reader = m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(m.Body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return relay.Reply{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || env.To != maintainer || env.From != "news@example.org" {
		return relay.Reply{}, errors.Join(errors.New("not an alert"), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusal != nil {
		return relay.Reply{}, r.refusal
	}
	r.taken = append(r.taken, letter{time.Now(), m.Header, subject, strings.ReplaceAll(string(text), "\r\n", "\n"), string(msg)})
	return relay.Reply{Code: 250}, nil
}
