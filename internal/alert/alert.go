// Package alert tells the maintainer what they should know: a run that was not
// made, an edition that does not get on, a relay that is down, and the like. A
// Watch looks every minute and keeps what it finds in the store; a Teller mails
// what is new, and what is over, sparingly. Nothing waits for an alert, and none
// mends anything: they say what happened, what tidings does by itself, and what
// is left to a person.
//
//	Watch ─▶ store.KeepAlerts ─ store.ClaimAlerts ─▶ Teller ─▶ newsletter.Messenger ─▶ relay
package alert

import (
	"context"
	"strings"
	"time"

	"tidings/internal/clock"
	"tidings/internal/newsletter"
)

// Kinds of alerts.
const (
	Run      = "run"      // a run failed, was missed, or is overdue
	Approval = "approval" // an edition waits for a maintainer
	Stalled  = "stalled"  // an edition does not get on
	Edition  = "edition"  // many mails of an edition failed, or some are in doubt and held
	Circuit  = "circuit"  // something takes no mail for a while
	Stopped  = "stopped"  // the disk or the database does not work
	Posts    = "posts"    // many posts vanished at once
	Bounces  = "bounces"  // so many addresses of an edition bounced that it is not believed
	Clock    = "clock"    // the clock was set back

	Templates = "templates" // those of the user's are broken
)

// Kinds are all of them.
var Kinds = []string{Run, Approval, Stalled, Edition, Circuit, Stopped, Posts, Bounces, Clock, Templates}

// When things are worth an alert.
const (
	patience    = 10 * time.Minute // with a circuit, an edition, or a run that is due
	approveIn   = time.Minute      // whoever sits before it is not mailed
	recent      = 7 * 24 * time.Hour
	fewest      = 20  // mails of which many can fail
	manyFailed  = 0.1 // of an edition's mails
	latest      = 1000
	lookEvery   = time.Minute
	settleAfter = 2 * time.Minute // the run that stands for missed ones is on record
)

// Config is a Watch's and a Teller's settings.
type Config struct {
	To    string // where alerts are mailed; "": nowhere
	From  string // "Name <address>"
	Site  string // its title
	Relay string // its name, as in pace.Config
	Zone  *time.Location
}

// Deps are the parts they work with.
type Deps struct {
	Service *newsletter.Service
	// Ready says why the disk or the database does not work; nil if they do.
	Ready func(context.Context) error
	// Fault says why a newsletter's due run cannot be made; nil if it can.
	Fault func(newsletter string) error
	// Templates says why the templates that are there are not in use, and since
	// when; nil if they are.
	Templates func() (since time.Time, err error)
	Mails     *newsletter.Messenger
}

// atLeast gives d of the clock's time, or longer where that runs fast: what
// takes a process some real time is not to count as trouble in a rehearsal.
func atLeast(c clock.Clock, d, real time.Duration) time.Duration { return max(d, c.Span(real)) }

// text puts paragraphs together.
func text(paragraphs ...string) string { return strings.Join(paragraphs, "\n\n") }

// command shows what to type.
func command(words ...string) string { return "    " + strings.Join(words, "\n    ") }

func stamp(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04 MST") }
