package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/adopt"
	"tidings/internal/catalog"
	"tidings/internal/store"
)

func adoptCommand(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use: "adopt URL-OR-FILE", Short: "Give the posts the ids that they had in the blog's former feed",
		Long: "Reads the feed that the blog had before, at its address or from a file, with its older\n" +
			"pages if it has any, and gives each post the id and the date of publication that it had\n" +
			"there. Feed readers know a post by its id: those who followed the old feed are shown no\n" +
			"post again. Do it before the first reader comes to the new feeds; a running daemon\n" +
			"notices within a minute. An id in a post's front matter stays.",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.adopt(ctx, given[0], dryRun) }),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only report")
	a.jsonFlag(cmd)
	return cmd
}

func (a *app) adopt(ctx context.Context, source string, dryRun bool) error {
	former, err := adopt.Read(ctx, source)
	if err != nil {
		return err
	}
	began := a.clock.Now()
	if dryRun {
		a.snap, err = a.look(ctx)
	} else {
		err = a.readPosts(ctx)
	}
	if err != nil {
		return err
	}
	blog, err := a.blog(ctx)
	if err != nil {
		return err
	}
	r := adopt.Match(former.Entries, blog)
	adoptions, err := adoptionsOf(r, dryRun)
	if err != nil {
		return err
	}
	if len(adoptions) > 0 && !dryRun {
		if err := a.store.Adopt(ctx, adoptions); err != nil {
			return err
		}
	}
	j := adoptionReport(r, began.Truncate(time.Millisecond))
	j.Entries, j.Shown, j.Shows, j.DryRun = len(former.Entries), former.Shown, len(publishConfig(a.cfg).Recent(a.snap.Entries)), dryRun
	if a.json {
		return printJSON(a.out, j)
	}
	a.tellAdoption(j)
	return nil
}

// blog gives what entries are held against.
func (a *app) blog(ctx context.Context) (adopt.Blog, error) {
	c, err := a.catalogConfig()
	if err != nil {
		return adopt.Blog{}, err
	}
	rows, err := a.store.LoadPosts(ctx)
	if err != nil {
		return adopt.Blog{}, err
	}
	hidden, now := map[string]bool{}, a.clock.Now()
	for _, row := range rows {
		hidden[row.GUID] = true
	}
	for _, e := range a.snap.Entries {
		delete(hidden, e.ID)
	}
	return adopt.Blog{Snapshot: a.snap, Hidden: hidden, MayDate: func(e *catalog.Entry, at time.Time) bool {
		return !at.After(now) && c.KeepsAddress(e, at)
	}}, nil
}

// adoptionsOf gives what is to be saved.
func adoptionsOf(r adopt.Report, dryRun bool) ([]store.Adoption, error) {
	var list []store.Adoption
	for _, p := range r.New {
		list = append(list, store.Adoption{PostID: p.Post.PostID, GUID: p.Entry.ID, Published: p.Date})
	}
	for _, pairs := range [][]adopt.Pair{r.Already, r.Explicit, r.Taken} {
		for _, p := range pairs {
			if !p.Date.IsZero() {
				list = append(list, store.Adoption{PostID: p.Post.PostID, GUID: p.Post.ID, Published: p.Date})
			}
		}
	}
	for _, ad := range list {
		if ad.PostID == 0 && !dryRun {
			return nil, fmt.Errorf("adopt the id %s: its post could not be saved; see the log", ad.GUID)
		}
	}
	return list, nil
}
