package newsletter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"tidings/internal/catalog"
	"tidings/internal/mail"
	"tidings/internal/roster"
	"tidings/internal/store"
	"tidings/internal/term"
)

const (
	maxName        = 200  // letters
	maxIgnoredTags = 1000 // how many different ones are told
)

// row turns a record into what is to be stored, and gives the form of the address
// in which two are the same person.
func (im *importing) row(rec roster.Record) (r store.ImportRow, address string, err error) {
	a, err := mail.ParseAddress(rec.Email)
	if err != nil {
		return r, "", fmt.Errorf("%w: %w", ErrAddress, err)
	}
	address = a.Normal()
	r.Subscriber = store.Subscriber{
		Email: a.String(), Key: im.Key.Address(address), Name: oneLine(rec.Name), Language: rec.Language,
		Timezone: rec.Timezone, Format: rec.Format, QuietHours: rec.QuietHours, CreatedAt: rec.CreatedAt,
	}
	if im.report.Format != roster.CSV && !im.zone(rec.Timezone) {
		r.Subscriber.Timezone = "" // a product's own name for it
	}
	if err := im.check(rec, r.Subscriber); err != nil {
		return r, "", err
	}
	sub := im.subscription(rec)
	r.Suppress, r.Note = rec.Suppress, rec.Note
	r.Confirm = sub.Status == store.StatusPending && rec.Suppress == "" && rec.EndedAt.IsZero()
	r.Subscriber.Subscriptions, err = im.forNewsletters(sub, rec.Newsletters)
	return r, address, err
}

// check refuses what nobody could work with later.
func (im *importing) check(rec roster.Record, p store.Subscriber) error {
	switch {
	case utf8.RuneCountInString(p.Name) > maxName:
		return fmt.Errorf("the name is longer than %d letters", maxName)
	case !im.zone(p.Timezone):
		return fmt.Errorf("timezone %q is not known; write it as Europe/Berlin", p.Timezone)
	case !slices.Contains([]string{"", store.FormatHTML, store.FormatText}, p.Format):
		return fmt.Errorf("format %q is neither html nor text", p.Format)
	case rec.Frequency != "" && !slices.Contains(store.Cadences, rec.Frequency):
		return fmt.Errorf("frequency %q is none of %s", rec.Frequency, strings.Join(store.Cadences, ", "))
	case rec.Hour != "" && !isHour(rec.Hour):
		return fmt.Errorf("hour %q is not a whole number from 0 to 23", rec.Hour)
	case p.QuietHours != "" && !isQuietHours(p.QuietHours):
		return fmt.Errorf("quiet_hours %q are not two hours such as 22-7", p.QuietHours)
	}
	if p.Language != "" {
		if _, err := language.Parse(p.Language); err != nil {
			return fmt.Errorf("language %q is not known; write it as de or pt-BR", p.Language)
		}
	}
	return nil
}

// zone reports whether a time zone is known; "" is.
func (im *importing) zone(name string) bool {
	known, asked := im.zones[name]
	if !asked {
		_, err := time.LoadLocation(name)
		known = err == nil
		im.zones[name] = known
	}
	return known
}

func isHour(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= 23 && strconv.Itoa(n) == text
}

func isQuietHours(text string) bool {
	from, to, found := strings.Cut(text, "-")
	return found && isHour(from) && isHour(to) && from != to
}

// oneLine gives a name without line breaks and other control characters.
func oneLine(name string) string {
	if strings.IndexFunc(name, unicode.IsControl) < 0 {
		return name
	}
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
}

// subscription gives what a record wants. Without proven consent an active one
// is pending until its owner confirms.
func (im *importing) subscription(rec roster.Record) store.Subscription {
	snap := im.Posts()
	sub := store.Subscription{
		Status: rec.Status, Frequency: rec.Frequency, Hour: rec.Hour, PausedUntil: rec.PausedUntil,
		CreatedAt: rec.CreatedAt, ConfirmedAt: rec.ConfirmedAt, EndedAt: rec.EndedAt,
		Categories: known(rec.Categories, snap.Categories), Tags: known(rec.Tags, snap.Tags),
	}
	if sub.Status == "" || sub.Status == store.StatusActive {
		if sub.Status = store.StatusPending; im.in.Confirmed {
			sub.Status = store.StatusActive
		}
	}
	for _, label := range rec.Labels {
		im.label(&sub, label, snap)
	}
	return sub
}

// known is resolve that tells an empty list, which removes topics, from none.
func known(given []string, terms []*catalog.Term) []string {
	if given == nil {
		return nil
	}
	return append([]string{}, resolve(given, terms)...)
}

// label makes a topic of another product's tag, if the site has one of that
// name. Others mean nothing here, and are counted.
func (im *importing) label(sub *store.Subscription, label string, snap *catalog.Snapshot) {
	is := func(t *catalog.Term) bool { return goesBy(t, term.Key(label)) }
	for _, kind := range []struct {
		terms []*catalog.Term
		to    *[]string
	}{{snap.Categories, &sub.Categories}, {snap.Tags, &sub.Tags}} {
		if i := slices.IndexFunc(kind.terms, is); i >= 0 {
			*kind.to = append(*kind.to, kind.terms[i].Key)
			return
		}
	}
	if im.report.IgnoredTags == nil {
		im.report.IgnoredTags = map[string]int{}
	}
	if _, there := im.report.IgnoredTags[label]; there || len(im.report.IgnoredTags) < maxIgnoredTags {
		im.report.IgnoredTags[label]++
	}
}

// forNewsletters gives a subscription to each of the named newsletters; to the
// one that the command names if the row names none.
func (im *importing) forNewsletters(sub store.Subscription, wanted []string) ([]store.Subscription, error) {
	if len(wanted) == 0 {
		wanted = []string{im.in.Newsletter}
	}
	var subs []store.Subscription
	for _, name := range wanted {
		n, err := im.Newsletter(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(subs, func(s store.Subscription) bool { return s.Newsletter == n.Name }) {
			return nil, errors.New("it names a newsletter twice")
		}
		sub.Newsletter = n.Name
		subs = append(subs, sub)
	}
	return subs, nil
}
