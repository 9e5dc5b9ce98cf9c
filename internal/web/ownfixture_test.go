package web_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

// A person's own page, in memory. The token "NAME-fresh" is that of a link that
// was just sent to NAME.

func (p *people) who(token string) (name string, fresh bool, err error) {
	name, fresh = strings.CutSuffix(token, "-fresh")
	_, err = p.look(name)
	return name, fresh, err
}

func (p *people) Person(_ context.Context, token string) (newsletter.Person, error) {
	name, fresh, err := p.who(token)
	if err != nil {
		return newsletter.Person{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	sub, c := p.subs[name], p.wants[name]
	l := newsletter.Letter{
		Name: "weekly", Title: "Weekly digest", On: sub.Status == store.StatusActive, Zone: "UTC", Categories: sub.Categories, Tags: sub.Tags,
		Offers: []string{"schedule", "daily"}, Frequency: cmp.Or(c.Letters["weekly"].Frequency, "schedule"), Hour: c.Letters["weekly"].Hour,
	}
	out := newsletter.Person{
		Email: sub.Email, Language: sub.Language, Timezone: c.Timezone, Format: c.Format, Fresh: fresh, Letters: []newsletter.Letter{l},
		Feed: p.feeds[name], HasFeed: p.feeds[name] != "", Stopped: p.stopped[name],
	}
	out.NextEmail = p.next
	if c.QuietFrom != "" {
		out.QuietHours = c.QuietFrom + "-" + c.QuietTo
	}
	return out, nil
}

func (p *people) SetPreferences(_ context.Context, token string, c newsletter.Choices) error {
	name, _, err := p.who(token)
	switch {
	case err != nil:
		return err
	case p.faults != nil:
		return p.faults
	case c.QuietFrom != "" && c.QuietFrom == c.QuietTo:
		return newsletter.FieldErrors{newsletter.FieldQuiet: newsletter.ErrQuiet}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	sub, want := p.subs[name], c.Letters["weekly"]
	sub.Status, sub.Categories, sub.Tags, sub.Language = store.StatusUnsubscribed, want.Categories, want.Tags, c.Language
	if want.On {
		sub.Status = store.StatusActive
	}
	p.subs[name], p.wants[name] = sub, c
	p.changes++
	return nil
}

func (p *people) LeaveAll(ctx context.Context, token string) (string, error) {
	name, _, err := p.who(token)
	if err != nil {
		return "", err
	}
	err = p.Unsubscribe(ctx, name, true)
	p.mu.Lock()
	defer p.mu.Unlock()
	sub := p.subs[name]
	sub.MayReturn = p.may
	p.subs[name] = sub
	return name, err
}

func (p *people) KeepAddress(_ context.Context, token string) (newsletter.Person, error) {
	name, _, err := p.who(token)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	return newsletter.Person{Language: p.subs[name].Language}, err
}

func (p *people) SendLink(_ context.Context, email string) error {
	if !strings.Contains(email, "@") {
		return newsletter.ErrAddress
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, email)
	return nil
}

func (p *people) RenewLink(ctx context.Context, token string) error {
	name, _, err := p.who(token)
	if err != nil {
		return err
	}
	return p.SendLink(ctx, p.subs[name].Email)
}

func (p *people) SwitchFeed(_ context.Context, token string, on bool) error {
	name, _, err := p.who(token)
	p.mu.Lock()
	defer p.mu.Unlock()
	if delete(p.feeds, name); on {
		p.feeds[name] = base + "/feeds/private/secret/"
	}
	return err
}

func (p *people) AskAddress(ctx context.Context, token, email string) error {
	_, fresh, err := p.who(token)
	switch {
	case err != nil:
		return err
	case !fresh:
		return newsletter.ErrFresh
	}
	return p.SendLink(ctx, email)
}

func (p *people) NextAddress(_ context.Context, token string) (newsletter.Person, error) {
	sub, err := p.look(token)
	return newsletter.Person{Email: sub.Email, NextEmail: "new@example.org"}, err
}

func (p *people) MoveAddress(ctx context.Context, token string) (newsletter.Person, error) {
	p.changes++
	return p.NextAddress(ctx, token)
}

func (p *people) Export(_ context.Context, token string) ([]byte, error) {
	_, fresh, err := p.who(token)
	if err == nil && !fresh {
		err = newsletter.ErrFresh
	}
	return []byte(`{"email": "x"}`), err
}

func (p *people) Erase(ctx context.Context, token string) error {
	name, _, err := p.who(token)
	if _, failed := p.Export(ctx, token); failed != nil {
		return failed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.subs, name)
	p.changes++
	return err
}

func (p *people) Return(_ context.Context, token string) (newsletter.Subscription, error) {
	if sub, err := p.look(token); err != nil || !sub.MayReturn {
		return sub, cmp.Or(err, newsletter.ErrToken)
	}
	return p.become(token, store.StatusActive)
}

func (p *people) SayWhy(_ context.Context, token, because string) error {
	_, err := p.look(token)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = append(p.why, token+" "+because)
	return err
}

// names gives who is on record.
func (p *people) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.subs))
}
