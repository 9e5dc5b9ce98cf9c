// Package newsletter holds the rules that have state: who is subscribed and
// how one joins and leaves; which posts a reader is due; when an edition is
// made; and how its deliveries are sent, tried again and accounted for. It
// reads posts from a catalog snapshot, keeps everything in a store, has the
// mail composed by digest and handed over by relay. It knows neither HTTP nor
// the command line.
//
// The way of a digest:
//
//	Scheduler (a wave's slot) ─┐
//	                           ├─▶ Service.Plan ─▶ store: edition, groups, one delivery per reader
//	manual send ───────────────┘
//	Sender: store.Claim ─▶ pace.Admit ─▶ render ─▶ relay ─▶ journal ─▶ store.Record
//
// What comes back of it goes through Bounces.
package newsletter

import (
	"log/slog"
	"net/url"
	"sync"
	"time"

	"tidings/internal/catalog"
	"tidings/internal/clock"
	"tidings/internal/digest"
	"tidings/internal/schedule"
	"tidings/internal/store"
	"tidings/internal/token"
)

// A Newsletter is one configured newsletter.
type Newsletter struct {
	Name, Title   string
	Schedule      *schedule.Spec // nil: who goes by it is mailed by hand alone
	Zone          *time.Location
	Frequencies   []string     // that a reader may choose, store.CadenceSchedule …; none: all
	Hour          int          // of a daily, weekly or monthly mail, unless the reader chose another
	Weekday       time.Weekday // of a weekly one
	MonthDay      int          // of a monthly one, 1 to 28
	QuietHours    string       // "22-7": of readers without some of their own; "": none
	Topics        Topics       // which posts it holds
	From, ReplyTo string
	Subject       string // template; "": the leading post's title and a count
	PostalAddress string
	Approve       bool
	Welcome       bool   // a new reader gets the latest edition at once
	Archive       string // who may read its editions on the web: ArchivePublic, ArchiveUnlisted, or "" for nobody
	MaxPostAge    time.Duration
	MinPosts      int
	CatchUp       bool // a run missed while down is made up for, once
	MaxLateness   time.Duration
	InDoubt       string // store.Resend, Hold or Skip
}

// Site is what mails say of the site.
type Site struct {
	Title, URL, Language string
	BaseURL              *url.URL // public address of this daemon: links in mails begin here
}

// Config is a Service's settings.
type Config struct {
	Newsletters []Newsletter
	Site        Site
	Settle      time.Duration // a post is mailed once its file is unchanged for this long
	Expires     time.Duration // an edition older than this is not mailed any more
	ReturnPath  string        // bare address to which mail comes back, with a tag added; "": to the sender
	SignUps     SignUpRules
	Images      bool   // a digest shows the picture of its first post
	MailingOff  string // why nothing may be mailed; "" if it may
}

// Deps are the parts a Service works with.
type Deps struct {
	Store     store.Store
	Key       token.Key
	Templates *digest.Templates
	Posts     func() *catalog.Snapshot
	Clock     clock.Clock
	Log       *slog.Logger
}

// A Service applies the rules. It is safe for concurrent use.
type Service struct {
	Config
	Deps
	zones  *sync.Map     // time zones by name
	joined chan struct{} // somebody has confirmed
}

// New makes a Service.
func New(c Config, d Deps) *Service {
	return &Service{Config: c, Deps: d, zones: new(sync.Map), joined: make(chan struct{}, 1)}
}

// Newsletter finds a newsletter by name; "" means the only one.
func (s *Service) Newsletter(name string) (Newsletter, error) {
	if name == "" && len(s.Newsletters) == 1 {
		return s.Newsletters[0], nil
	}
	for _, n := range s.Newsletters {
		if n.Name == name {
			return n, nil
		}
	}
	return Newsletter{}, unknownNewsletter(name, s.Newsletters)
}
