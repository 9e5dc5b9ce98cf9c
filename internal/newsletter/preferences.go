package newsletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/internal/store"
	"tidings/internal/token"
)

// What a person's own page can be refused for.
var (
	ErrFresh = errors.New("for this, a link that was just sent to the address is needed")
	ErrQuiet = errors.New("not two different hours")
	ErrPause = errors.New("not a day to come")
)

// Fields of the preferences, beside those of a sign-up.
const (
	FieldQuiet = "quiet_hours"
	FieldPause = "pause"
)

// Of names the field of one newsletter.
func Of(field, newsletter string) string { return field + "." + newsletter }

// A Person is what the owner of an address sees of themselves.
type Person struct {
	Email       string // veiled, unless Fresh
	NextEmail   string // to which they want to change, until that is confirmed; likewise; ""
	Language    string
	Timezone    string // IANA name; "": the newsletters'
	Format      string // store.FormatHTML or FormatText
	QuietHours  string // "22-7"; ""
	PausedUntil time.Time
	Feed        string   // address of the folder of their private feed; "": none, or not Fresh
	HasFeed     bool     // they have one
	Fresh       bool     // the link was just sent to the address
	Stopped     string   // why nothing is mailed, whatever is chosen: store.ReasonBounce, ReasonComplaint or ReasonManual; ""
	Letters     []Letter // every newsletter there is, in the order of the configuration
}

// A Letter is one newsletter, as a person has it or could have it.
type Letter struct {
	Name, Title string
	On          bool     // they have it
	Categories  []string // term keys; with Tags empty too: every post
	Tags        []string
	Frequency   string
	Hour        string   // "0" to "23"; "": the newsletter's
	Offers      []string // frequencies to choose from
	Zone        string   // of who has chosen none
}

// Choices is what a person wants, as their page has it.
type Choices struct {
	Language, Timezone, Format string
	QuietFrom, QuietTo         string // hours, "0" to "23"; both "": none
	PauseUntil                 string // the first day of mail, "2026-12-24"; "": no pause
	Letters                    map[string]LetterChoice
}

// LetterChoice is what a person wants of one newsletter.
type LetterChoice struct {
	On               bool
	Categories, Tags []string // names, slugs or keys
	Frequency, Hour  string
}

const (
	toPreferences = "preferences" // of links that were asked for
	linkWithin    = 24 * time.Hour
	linksPer      = 24 * time.Hour
	linkLimit     = 3 // mails of a kind to one person in linksPer
)

// Own is the part of Service that a person's own pages need. Its tokens come
// from the mails to that person.
type Own interface {
	// Person shows what a token's person has. ErrToken.
	Person(ctx context.Context, token string) (Person, error)
	// SetPreferences applies what they want: FieldErrors, ErrToken; ErrFresh if
	// that is a newsletter which they do not have.
	SetPreferences(ctx context.Context, token string, c Choices) error
	// LeaveAll ends every subscription, and gives the token with which that can
	// be taken back, and a reason be given.
	LeaveAll(ctx context.Context, token string) (left string, err error)
	// SendLink mails the link to the address's own page. The outcome is the same
	// whether the address is known or not; ErrAddress, ErrMailingOff, ErrBusy.
	SendLink(ctx context.Context, email string) error
	// RenewLink mails it to the person of a token.
	RenewLink(ctx context.Context, token string) error
	// SwitchFeed gives the person another private feed, or none. ErrFresh for a
	// feed: its address works for longer than one would like of an old mail.
	SwitchFeed(ctx context.Context, token string, on bool) error

	// AskAddress mails another address to ask whether it is to take the place
	// of the present one. The outcome is the same whosever it is; ErrAddress,
	// ErrFresh.
	AskAddress(ctx context.Context, token, email string) error
	// KeepAddress stops a change of address, for who did not ask for it: links
	// that were mailed before are void then. ErrToken if there is none.
	KeepAddress(ctx context.Context, token string) (Person, error)
	// NextAddress shows what a token of such a mail stands for; ErrToken.
	NextAddress(ctx context.Context, token string) (Person, error)
	// MoveAddress makes it the person's. ErrToken also if it cannot be.
	MoveAddress(ctx context.Context, token string) (Person, error)

	// Export gives all that is kept about the person, as JSON; ErrFresh.
	Export(ctx context.Context, token string) ([]byte, error)
	// Erase deletes it, but for a hash that keeps the address from being mailed
	// again; ErrFresh.
	Erase(ctx context.Context, token string) error
}

var _ Own = (*Service)(nil)

// owner finds the person of a token that came in a mail: one that was asked for
// and ends soon (fresh), or the one that every mail has. The first is good only
// while the address that it was sent to is the person's.
func (s *Service) owner(ctx context.Context, tok string) (who store.Subscriber, fresh bool, err error) {
	c, err := s.Key.Verify(toPreferences, tok, s.Clock.Now())
	if fresh = err == nil; !fresh {
		c, err = s.Key.Verify(toUnsubscribe, tok, s.Clock.Now())
	}
	if err != nil {
		return who, false, ErrToken
	}
	who, err = s.Store.Subscriber(ctx, c.Subscriber)
	if errors.Is(err, store.ErrNotFound) {
		return who, false, ErrToken // erased since, or the link of a test mail
	}
	if err != nil {
		return who, false, fmt.Errorf("look up a person: %w", err)
	}
	if fresh && (c.Newsletter != who.Key || void(c, who)) {
		return who, false, ErrToken
	}
	return who, fresh, nil
}

// void reports whether a link was mailed before all of that time were made void.
// Its own time is in whole seconds.
func void(c token.Claim, who store.Subscriber) bool {
	return !who.LinksSince.IsZero() && !c.Expires.Add(-linkWithin).After(who.LinksSince.Truncate(time.Second))
}

// Person implements Own.
func (s *Service) Person(ctx context.Context, tok string) (Person, error) {
	who, fresh, err := s.owner(ctx, tok)
	if err != nil {
		return Person{}, err
	}
	p := Person{
		Email: who.Email, NextEmail: who.NextEmail, Language: who.Language, Timezone: who.Timezone, Format: who.Format,
		QuietHours: who.QuietHours, Feed: s.PrivateFeed(who), HasFeed: who.Feed != 0, Fresh: fresh,
	}
	if !fresh {
		p.Email, p.NextEmail, p.Feed = veiled(p.Email), veiled(p.NextEmail), ""
	}
	for _, n := range s.Newsletters {
		l := s.letter(n, who)
		p.Letters = append(p.Letters, l)
	}
	for _, sub := range who.Subscriptions {
		if sub.Status == store.StatusActive && sub.PausedUntil.After(p.PausedUntil) && sub.PausedUntil.After(s.Clock.Now()) {
			p.PausedUntil = sub.PausedUntil.In(s.zoneOf(who.Timezone))
		}
	}
	p.Stopped, err = s.stopped(ctx, who.Key)
	return p, err
}

// letter is one newsletter as a person has it.
func (s *Service) letter(n Newsletter, who store.Subscriber) Letter {
	l := Letter{Name: n.Name, Title: n.Title, Offers: n.offersTo(who), Zone: n.Zone.String()}
	l.Frequency = l.Offers[0]
	renames := s.Posts().Renames()
	for _, sub := range who.Subscriptions {
		if sub.Newsletter != n.Name {
			continue
		}
		own := Topics{Categories: sub.Categories, Tags: sub.Tags}.present(renames)
		l.On = sub.Status == store.StatusActive
		l.Categories, l.Tags, l.Frequency, l.Hour = own.Categories, own.Tags, n.cadenceOf(sub.Frequency), sub.Hour
	}
	return l
}

// offersTo gives the frequencies that a person may choose: those of the
// newsletter, and the one by which they get it already.
func (n Newsletter) offersTo(who store.Subscriber) []string {
	offers := n.Offers()
	for _, sub := range who.Subscriptions {
		if own := n.cadenceOf(sub.Frequency); sub.Newsletter == n.Name && !slices.Contains(offers, own) {
			offers = append([]string{own}, offers...)
		}
	}
	return offers
}

// stopped says why an address is not mailed although nobody left.
func (s *Service) stopped(ctx context.Context, key string) (string, error) {
	x, err := s.Store.Suppressed(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (x.Reason == store.ReasonUnsubscribed || x.Reason == store.ReasonErased):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up whether a person is mailed: %w", err)
	}
	return x.Reason, nil
}

// zoneOf gives the zone of a person who may have chosen none: then it is that of
// the first newsletter.
func (s *Service) zoneOf(name string) *time.Location {
	if len(s.Newsletters) == 0 {
		return time.UTC
	}
	return s.zone(s.Newsletters[0], name)
}

// SetPreferences implements Own.
func (s *Service) SetPreferences(ctx context.Context, tok string, c Choices) error {
	who, fresh, err := s.owner(ctx, tok)
	if err != nil {
		return err
	}
	p, err := s.preferences(who, c)
	if err != nil {
		return err
	}
	if !fresh && joins(who, p) {
		return ErrFresh // an old mail may be in other hands, which must not bring anybody back
	}
	err = s.Store.SetPreferences(ctx, s.Clock.Now(), who.ID, p)
	if errors.Is(err, store.ErrNotFound) {
		return ErrToken // erased just now
	}
	if err == nil {
		s.Log.Info("preferences changed", "subscriber", who.ID)
	}
	return err
}

// joins reports whether what a person wants has a newsletter that they do not
// have.
func joins(who store.Subscriber, p store.Preferences) bool {
	return slices.ContainsFunc(p.Subscriptions, func(want store.Subscription) bool {
		return want.Status == store.StatusActive && !slices.ContainsFunc(who.Subscriptions, func(sub store.Subscription) bool {
			return sub.Newsletter == want.Newsletter && sub.Status == store.StatusActive
		})
	})
}

// preferences checks what a person wants, every field of it.
func (s *Service) preferences(who store.Subscriber, c Choices) (store.Preferences, error) {
	faults := FieldErrors{}
	note := func(field string, err error) {
		if err != nil {
			faults[field] = err
		}
	}
	quiet, err := quietHours(c.QuietFrom, c.QuietTo)
	note(FieldQuiet, err)
	note(FieldZone, checkZone(c.Timezone))
	note(FieldFormat, checkFormat(c.Format))
	p := store.Preferences{Language: c.Language, Timezone: c.Timezone, Format: c.Format, QuietHours: quiet, Wants: s.wants()}
	var until time.Time
	if faults[FieldZone] == nil {
		until, err = s.pause(c.PauseUntil, c.Timezone)
		note(FieldPause, err)
	}
	for _, n := range s.Newsletters {
		want, asked := c.Letters[n.Name]
		if !asked || !want.On && !has(who, n.Name) {
			continue
		}
		sub, err := s.preferred(n, n.offersTo(who), want)
		sub.PausedUntil = until
		note(Of(FieldFrequency, n.Name), err)
		note(Of(FieldHour, n.Name), checkHour(want.Hour))
		p.Subscriptions = append(p.Subscriptions, sub)
	}
	if len(faults) > 0 {
		return store.Preferences{}, faults
	}
	return p, nil
}

// has reports whether a person has, or had, a newsletter.
func has(who store.Subscriber, newsletter string) bool {
	return slices.ContainsFunc(who.Subscriptions, func(s store.Subscription) bool { return s.Newsletter == newsletter })
}

// preferred makes the subscription that a person wants.
func (s *Service) preferred(n Newsletter, offers []string, want LetterChoice) (store.Subscription, error) {
	snap := s.Posts()
	sub := store.Subscription{
		Newsletter: n.Name, Status: store.StatusUnsubscribed, Frequency: want.Frequency,
		Categories: resolve(want.Categories, snap.Categories), Tags: resolve(want.Tags, snap.Tags),
	}
	if !want.On {
		return sub, nil
	}
	sub.Status = store.StatusActive
	if sub.Frequency == "" {
		sub.Frequency = offers[0]
	}
	if !slices.Contains(offers, sub.Frequency) {
		return sub, fmt.Errorf("%w: %s comes as %s", ErrFrequency, n.Title, strings.Join(offers, ", "))
	}
	if HasHour(sub.Frequency) {
		sub.Hour = want.Hour
	}
	return sub, nil
}

// quietHours gives two hours as they are kept.
func quietHours(from, to string) (string, error) {
	if from == "" && to == "" {
		return "", nil
	}
	if from == "" || to == "" || from == to || checkHour(from) != nil || checkHour(to) != nil {
		return "", ErrQuiet
	}
	return from + "-" + to, nil
}

// longestPause keeps a slip of the keyboard from being one for ever.
const longestPause = 2 * 366 * 24 * time.Hour

// pause gives the beginning of a day in a person's zone; zero for none, and for
// the present day.
func (s *Service) pause(day, zone string) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, day, s.zoneOf(zone))
	now := s.Clock.Now()
	if err != nil || at.Sub(now) > longestPause || now.Sub(at) > 24*time.Hour {
		return time.Time{}, ErrPause
	}
	if !at.After(now) {
		return time.Time{}, nil
	}
	return at, nil
}

// LeaveAll implements Own.
func (s *Service) LeaveAll(ctx context.Context, tok string) (left string, err error) {
	who, _, err := s.owner(ctx, tok)
	if err != nil {
		return "", err
	}
	through := s.leftThrough(who)
	left = s.Key.Sign(token.Claim{Purpose: toUnsubscribe, Subscriber: who.ID, Newsletter: through})
	now := s.Clock.Now()
	err = s.Store.LeaveAll(ctx, now, who.ID, through, now.Add(-undoWithin))
	if errors.Is(err, store.ErrNotFound) {
		return left, nil
	}
	return left, err
}

// leftThrough is the newsletter in whose name somebody leaves all: one that they
// have, so that they can take it back.
func (s *Service) leftThrough(who store.Subscriber) string {
	name := ""
	for _, sub := range who.Subscriptions {
		if sub.Status == store.StatusActive {
			return sub.Newsletter
		}
		name = sub.Newsletter
	}
	return name
}

// SwitchFeed implements Own.
func (s *Service) SwitchFeed(ctx context.Context, tok string, on bool) error {
	who, fresh, err := s.owner(ctx, tok)
	if err != nil {
		return err
	}
	if on && !fresh {
		return ErrFresh
	}
	if on {
		_, err = s.RenewFeed(ctx, who.ID)
		return err
	}
	return s.RevokeFeed(ctx, who.ID)
}

// veiled gives an address so that its owner knows it and others do not: links
// stand in mails that are passed on, and in those to a former address.
func veiled(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	_, first := utf8.DecodeRuneInString(email)
	return email[:first] + "…" + email[at:]
}

// linkClaim is the token of a link that a person asked for.
func linkClaim(who store.Subscriber, at time.Time) token.Claim {
	return token.Claim{Purpose: toPreferences, Subscriber: who.ID, Newsletter: who.Key, Expires: at.Add(linkWithin)}
}

// SendLink implements Own.
func (s *Service) SendLink(ctx context.Context, email string) error {
	return s.askLink(ctx, email, store.AskLink)
}

// askLink queues the mail with the link. Whoever is on record gets it, with an
// address that is refused to those who sign up too: it has come in before.
func (s *Service) askLink(ctx context.Context, email, kind string) error {
	who, err := s.visitor(email)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	who.Kind, who.Network = kind, s.network(ctx)
	_, err = s.Store.QueueSignUp(ctx, now, who, s.SignUps.linkLimits(now))
	return err
}

// RenewLink implements Own.
func (s *Service) RenewLink(ctx context.Context, tok string) error {
	who, _, err := s.owner(ctx, tok)
	if err != nil {
		return err
	}
	return s.askLink(ctx, who.Email, store.AskOwn)
}
