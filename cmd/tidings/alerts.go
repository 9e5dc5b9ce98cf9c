package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"tidings/internal/alert"
	"tidings/internal/store"
)

func alertsCommand(a *app) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Show what is wrong at present, as the daemon sees it",
		Long: "Shows what the daemon found that a maintainer should know: what happened, what tidings\n" +
			"does by itself, and what is left to you. It looks every minute while it runs, and mails\n" +
			"what is new to the address alerts.to.",
		Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.listAlerts(ctx, all) }),
	}
	cmd.Flags().BoolVar(&all, "all", false, "list those of the last 90 days that are over, too")
	a.jsonFlag(cmd)
	return cmd
}

// alertJSON is an alert as scripts see it; times are "" where there is none.
type alertJSON struct {
	ID        int64  `json:"id"`
	Kind      string `json:"kind"`
	About     string `json:"about"`
	Open      bool   `json:"open"`
	Subject   string `json:"subject"`
	Text      string `json:"text"`
	Since     string `json:"since"`
	RaisedAt  string `json:"raised_at"`
	ClearedAt string `json:"cleared_at"`
	ToldAt    string `json:"told_at"`
}

func (a *app) listAlerts(ctx context.Context, all bool) error {
	alerts, err := a.store.ListAlerts(ctx, all)
	if err != nil {
		return err
	}
	switch {
	case a.json:
		return a.printAlertsJSON(alerts)
	case len(alerts) == 0:
		a.say("nothing is wrong, as far as the daemon has seen")
		return nil
	case all:
		return a.printAlertTable(alerts)
	}
	for i, x := range alerts {
		if i > 0 {
			a.say("")
		}
		a.say("%s (%s, since %s)", x.Subject, x.Kind, stamp(x.Since, a.cfg.Site.Location()))
		a.say("\n  %s", strings.ReplaceAll(strings.ReplaceAll(x.Text, "\n", "\n  "), "\n  \n", "\n\n"))
	}
	return nil
}

func (a *app) printAlertsJSON(alerts []store.Alert) error {
	list := make([]alertJSON, len(alerts))
	for i, x := range alerts {
		list[i] = alertJSON{
			ID: x.ID, Kind: x.Kind, About: x.Key, Open: x.Cleared.IsZero(), Subject: x.Subject, Text: x.Text,
			Since: instant(x.Since), RaisedAt: instant(x.Raised), ClearedAt: instant(x.Cleared), ToldAt: instant(x.Told),
		}
	}
	return printJSON(a.out, list)
}

func (a *app) printAlertTable(alerts []store.Alert) error {
	zone := a.cfg.Site.Location()
	t := newTable(a.out, "ID", "KIND", "SINCE", "OVER", "ALERT")
	for _, x := range alerts {
		t.row(strconv.FormatInt(x.ID, 10), x.Kind, stamp(x.Since, zone), stamp(x.Cleared, zone), x.Subject)
	}
	return t.flush()
}

// alertWatch makes the part that looks for trouble and tells of it.
func (a *app) alertWatch(d alert.Deps, reg prometheus.Registerer) *alert.Watch {
	return alert.New(alert.Config{
		To: a.cfg.Alerts.To, From: a.cfg.Mail.From, Site: a.cfg.Site.Title,
		Relay: a.relayName(), Zone: a.cfg.Site.Location(),
	}, d, reg)
}
