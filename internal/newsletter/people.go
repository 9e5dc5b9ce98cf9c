package newsletter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/internal/mail"
	"tidings/internal/store"
)

// Errors that pages and commands tell apart.
var (
	ErrAddress    = errors.New("not a mail address")
	ErrDisposable = errors.New("an address that is thrown away")
	ErrRole       = errors.New("an address of an office, not of a person")
	ErrToken      = errors.New("this link is not valid, or no longer")
	ErrNewsletter = errors.New("no such newsletter")
	ErrFrequency  = errors.New("not a frequency of that newsletter")
	ErrHour       = errors.New("not an hour from 0 to 23")
	ErrZone       = errors.New("not a time zone")
	ErrFormat     = errors.New("not a format of mails")
	ErrTopic      = errors.New("no such category or tag")
	ErrMailingOff = errors.New("mailing is off: set http.url to the public address of this daemon")
	ErrBusy       = store.ErrBusy  // more sign-ups than signup.per_hour
	ErrSpent      = store.ErrSpent // a form that was sent before
)

// Fields of a sign-up, as FieldErrors names them.
const (
	FieldEmail      = "email"
	FieldNewsletter = "newsletter"
	FieldFrequency  = "frequency"
	FieldHour       = "hour"
	FieldZone       = "timezone"
	FieldFormat     = "format"
	FieldTopics     = "topics"
)

// FieldErrors is what is wrong with a sign-up, by field.
type FieldErrors map[string]error

func (e FieldErrors) Error() string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, field+": "+e[field].Error())
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the errors to errors.Is.
func (e FieldErrors) Unwrap() []error { return slices.Collect(maps.Values(e)) }

// SignUp is what a visitor asks for. Nothing of it but the address and the
// choices is ever mailed.
type SignUp struct {
	Email       string
	Newsletters []string // none: the only one
	Categories  []string // names, slugs or keys; with Tags empty too: everything
	Tags        []string
	Frequency   string // "": the newsletter's own schedule
	Hour        string // "0" to "23"; "": the newsletter's
	Timezone    string // IANA name; "": the newsletter's
	Format      string // store.FormatHTML or FormatText; "": the former
	Language    string
	Form        string // token of the form, which is taken once; "": none
}

// Subscription is a subscription as its owner may see it.
type Subscription struct {
	Newsletter string
	Title      string
	Status     string // store.StatusPending …
	Email      string
	Language   string   // the person's, BCP 47; "" if not known
	Categories []string // display names
	Tags       []string
	Frequency  string // store.CadenceSchedule …
	Hour       string // "0" to "23"; "": the newsletter's
	Timezone   string // IANA name, the newsletter's if the person chose none
	Format     string
	Since      time.Time
	MayReturn  bool // they left, and can still take that back
}

// People is the part of Service that pages need.
type People interface {
	Own
	// SignUp keeps what was asked for, and answers before anybody looks whether
	// the address is known: FieldErrors, ErrMailingOff, ErrBusy,
	// ErrSpent.
	SignUp(ctx context.Context, s SignUp) error
	// Confirmation shows what a confirmation token stands for; ErrToken. What
	// its owner left since is not in it.
	Confirmation(ctx context.Context, token string) ([]Subscription, error)
	// Confirm makes all of it active; confirming twice is a success.
	Confirm(ctx context.Context, token string) ([]Subscription, error)
	// Leaving shows what an unsubscribe token stands for; ErrToken.
	Leaving(ctx context.Context, token string) (Subscription, error)
	// Unsubscribe ends the subscription, or all of the person's; twice is a
	// success, and so is an address erased meanwhile.
	Unsubscribe(ctx context.Context, token string, all bool) error
	// Return takes back that a person left, within a week; ErrToken.
	Return(ctx context.Context, token string) (Subscription, error)
	// SayWhy notes why a person left: one of WhyLeft.
	SayWhy(ctx context.Context, token, because string) error
	// Feed gives what a reader's private feed shows. ErrToken also for one that
	// was revoked, and for who has no active subscription any more.
	Feed(ctx context.Context, token string) (Feed, error)
}

// FindSubscriber gives the person of an address in any spelling that is the same
// (see mail.Address.Normal): a domain in its own letters or as DNS has it, and
// either case. store.ErrNotFound if there is nobody.
func FindSubscriber(ctx context.Context, people store.Subscribers, email string) (store.Subscriber, error) {
	if a, err := mail.ParseAddress(email); err == nil {
		email = a.String()
	}
	return people.SubscriberByEmail(ctx, email)
}
