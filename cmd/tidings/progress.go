package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"tidings/internal/newsletter"
	"tidings/internal/store"
)

const (
	lookEvery = 100 * time.Millisecond
	patience  = time.Minute // a delivery due later than this is left to the daemon
)

// sendEdition runs a sender until nothing of the edition is due within a
// minute, showing how far it is on a terminal.
func (a *app) sendEdition(ctx context.Context, sender *newsletter.Sender, e store.Edition) error {
	run, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- sender.Run(run) }()
	err := a.watch(ctx, e, ended)
	stop()
	if err == nil {
		err = <-ended
	}
	return err
}

// watch follows an edition; it returns nil once the sender may stop.
func (a *app) watch(ctx context.Context, e store.Edition, ended <-chan error) error {
	bar := a.bar(e)
	defer bar.Exit()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		now, err := a.store.Edition(ctx, e.ID)
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrLocked) {
			return err
		}
		if err == nil {
			_ = bar.Set(now.Counts.Eligible - now.Counts.Pending) // a bar that cannot be drawn stops nothing
			if done, err := a.nothingDue(ctx, now); done || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil // the sender drains; what is left is told
		case err := <-ended:
			return fmt.Errorf("sending stopped: %w", err)
		case <-tick.C:
		}
	}
}

// nothingDue reports whether no delivery of an edition is under way or due
// within a minute.
func (a *app) nothingDue(ctx context.Context, e store.Edition) (bool, error) {
	if e.Counts.Pending == 0 || e.Status != store.EditionSending {
		return true, nil
	}
	next, claimed, err := a.store.EditionDue(ctx, e.ID)
	if err != nil {
		return false, fmt.Errorf("look how far edition %d is: %w", e.ID, err)
	}
	held, err := a.heldUntil(ctx, e)
	if err != nil {
		return false, fmt.Errorf("look how far edition %d is: %w", e.ID, err)
	}
	soon := a.clock.Now().Add(patience)
	return claimed == 0 && (next.After(soon) || held.After(soon)), nil
}

// bar gives a progress bar, or on anything but a terminal one that is silent.
func (a *app) bar(e store.Edition) *progressbar.ProgressBar {
	return progressbar.NewOptions(e.Counts.Eligible,
		progressbar.OptionSetWriter(a.errs),
		progressbar.OptionSetVisibility(isTerminal(a.errs) && !a.json),
		progressbar.OptionSetDescription(e.Newsletter),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("mails"),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(lookEvery),
	)
}
