package newsletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/internal/store"
)

// Record is all that is kept about a person, as they and the maintainer can
// read it.
type Record struct {
	Email         string              `json:"email"`
	Name          string              `json:"name"`
	Language      string              `json:"language"`
	Timezone      string              `json:"timezone"`
	Format        string              `json:"format"`
	QuietHours    string              `json:"quiet_hours"`
	NextEmail     string              `json:"next_email,omitempty"`
	PrivateFeed   bool                `json:"private_feed"`
	CreatedAt     time.Time           `json:"created_at"`
	Subscriptions []recordedLetter    `json:"subscriptions"`
	Consents      []RecordedConsent   `json:"consents"`
	Mails         []recordedMail      `json:"mails"`
	Notices       []recordedNotice    `json:"notices"`
	Bounces       []recordedBounce    `json:"bounces"`
	Suppression   *recordedSuppressed `json:"suppression,omitempty"`
}

type recordedLetter struct {
	Newsletter  string     `json:"newsletter"`
	Status      string     `json:"status"`
	Categories  []string   `json:"categories"`
	Tags        []string   `json:"tags"`
	Frequency   string     `json:"frequency"`
	Hour        string     `json:"hour,omitempty"`
	PausedUntil *time.Time `json:"paused_until,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	Because     string     `json:"left_because,omitempty"`
}

// RecordedConsent is one line of what a person agreed to.
type RecordedConsent struct {
	At         time.Time `json:"at"`
	Event      string    `json:"event"`
	Newsletter string    `json:"newsletter,omitempty"`
	Categories []string  `json:"categories,omitempty"`
	Tags       []string  `json:"tags,omitempty"`
	Frequency  string    `json:"frequency,omitempty"`
	Source     string    `json:"source,omitempty"`
	Wording    string    `json:"wording,omitempty"`
	Network    string    `json:"network,omitempty"`
}

type recordedMail struct {
	At         time.Time `json:"at"`
	Edition    int64     `json:"edition"`
	Newsletter string    `json:"newsletter"`
	Subject    string    `json:"subject,omitempty"`
	Posts      []string  `json:"posts,omitempty"`
	State      string    `json:"state"`
	Reason     string    `json:"reason,omitempty"`
}

type recordedNotice struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	State string    `json:"state"`
}

type recordedBounce struct {
	At      time.Time `json:"at"`
	Edition int64     `json:"edition,omitempty"`
	Class   string    `json:"class"`
	Status  string    `json:"status,omitempty"`
	Note    string    `json:"note,omitempty"`
}

type recordedSuppressed struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Note   string    `json:"note,omitempty"`
}

// Recorded gives all that is kept about a person.
func (s *Service) Recorded(ctx context.Context, who store.Subscriber) (Record, error) {
	consents, err := s.Agreed(ctx, who.ID)
	if err != nil {
		return Record{}, err
	}
	traces, err := s.Store.Traces(ctx, who.ID)
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Email: who.Email, Name: who.Name, Language: who.Language, Timezone: who.Timezone, Format: who.Format, QuietHours: who.QuietHours,
		NextEmail: who.NextEmail, PrivateFeed: who.Feed != 0, CreatedAt: who.CreatedAt,
		Subscriptions: []recordedLetter{}, Consents: consents, Mails: []recordedMail{}, Notices: []recordedNotice{}, Bounces: []recordedBounce{},
	}
	for _, sub := range who.Subscriptions {
		r.Subscriptions = append(r.Subscriptions, recordedLetter{
			Newsletter: sub.Newsletter, Status: sub.Status, Categories: orEmpty(sub.Categories), Tags: orEmpty(sub.Tags), Frequency: sub.Frequency,
			Hour: sub.Hour, PausedUntil: orNone(sub.PausedUntil), CreatedAt: sub.CreatedAt, ConfirmedAt: orNone(sub.ConfirmedAt),
			EndedAt: orNone(sub.EndedAt), Because: sub.LeftBecause,
		})
	}
	r.add(traces)
	return r, nil
}

// Agreed gives what a person agreed to, oldest first.
func (s *Service) Agreed(ctx context.Context, subscriber int64) ([]RecordedConsent, error) {
	consents, err := s.Store.Consents(ctx, subscriber)
	list := make([]RecordedConsent, len(consents))
	for i, c := range consents {
		list[i] = RecordedConsent{
			At: c.At, Event: c.Event, Newsletter: c.Newsletter, Categories: c.Categories, Tags: c.Tags, Frequency: c.Frequency,
			Source: c.Source, Wording: c.Wording, Network: c.Network,
		}
	}
	return list, err
}

func (r *Record) add(t store.Traces) {
	for _, d := range t.Deliveries {
		r.Mails = append(r.Mails, recordedMail{d.At, d.EditionID, d.Newsletter, d.Subject, d.Posts, d.State, d.Reason})
	}
	for _, n := range t.Notices {
		r.Notices = append(r.Notices, recordedNotice{n.CreatedAt, n.Kind, n.State})
	}
	for _, b := range t.Bounces {
		r.Bounces = append(r.Bounces, recordedBounce{b.At, b.EditionID, b.Class, b.Status, b.Note})
	}
	if x := t.Suppression; x != nil {
		r.Suppression = &recordedSuppressed{x.At, x.Reason, x.Note}
	}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Export implements Own.
func (s *Service) Export(ctx context.Context, tok string) ([]byte, error) {
	who, fresh, err := s.owner(ctx, tok)
	switch {
	case err != nil:
		return nil, err
	case !fresh:
		return nil, ErrFresh
	}
	r, err := s.Recorded(ctx, who)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(r, "", "  ")
}

// Erase implements Own.
func (s *Service) Erase(ctx context.Context, tok string) error {
	who, fresh, err := s.owner(ctx, tok)
	switch {
	case err != nil:
		return err
	case !fresh:
		return ErrFresh
	}
	err = s.Store.EraseSubscriber(ctx, s.Clock.Now(), who.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("erase a person: %w", err)
	}
	s.Log.Info("erased, as the person asked", "subscriber", who.ID)
	return nil
}
