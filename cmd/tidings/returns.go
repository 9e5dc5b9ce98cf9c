package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Returns is what came back of an edition, as scripts see it. Its name is
// exported so that it can be read as part of an editionJSON, too.
type Returns struct {
	Bounced    int           `json:"bounced"`    // sent, and came back
	Complained int           `json:"complained"` // called spam
	HeldSince  *time.Time    `json:"bounces_held_since,omitempty"`
	Bounces    []domainsJSON `json:"bounces,omitempty"`
}

type domainsJSON struct {
	Domain string `json:"domain"`
	Class  string `json:"class"`
	Count  int    `json:"count"`
}

func (a *app) returns(ctx context.Context, edition int64) (*Returns, error) {
	sum, err := a.store.EditionBounces(ctx, edition)
	if err != nil {
		return nil, err
	}
	j := &Returns{Bounced: sum.Bounced, Complained: sum.Complained}
	if !sum.HeldSince.IsZero() {
		j.HeldSince = &sum.HeldSince
	}
	for _, d := range sum.Domains {
		j.Bounces = append(j.Bounces, domainsJSON{d.Domain, d.Class, d.N})
	}
	return j, nil
}

// mostDomains is how many domains are shown to a person.
const mostDomains = 10

func (a *app) sayReturns(r *Returns) {
	if r == nil || len(r.Bounces) == 0 {
		return
	}
	a.say("%d came back, %d complained", r.Bounced, r.Complained)
	if r.HeldSince != nil {
		a.say("since %s hard bounces suppress nobody: too many addresses were called unknown at once", stamp(*r.HeldSince, a.cfg.Site.Location()))
	}
	var parts []string
	for _, d := range r.Bounces[:min(len(r.Bounces), mostDomains)] {
		parts = append(parts, fmt.Sprintf("%s %s %d", d.Domain, d.Class, d.Count))
	}
	a.say("refused or returned: %s", strings.Join(parts, ", "))
}

// bounceJSON is one mail that came back from a person.
type bounceJSON struct {
	At      time.Time `json:"at"`
	Class   string    `json:"class"`
	Edition int64     `json:"edition,omitempty"` // 0: a confirmation mail
	Status  string    `json:"status,omitempty"`
	Note    string    `json:"note,omitempty"`
}

func (b bounceJSON) String() string {
	what := "the confirmation mail"
	if b.Edition != 0 {
		what = fmt.Sprintf("edition %d", b.Edition)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s, %s %s %s", b.At.Format(time.DateOnly), what, b.Class, b.Status, b.Note))
}

// mostBounces is how many bounces of a person are shown.
const mostBounces = 20

func (a *app) bouncesOf(ctx context.Context, subscriber int64) ([]bounceJSON, error) {
	list, err := a.store.SubscriberBounces(ctx, subscriber, mostBounces)
	if err != nil {
		return nil, err
	}
	var all []bounceJSON
	for _, b := range list {
		all = append(all, bounceJSON{b.At, b.Class, b.EditionID, b.Status, b.Note})
	}
	return all, nil
}
