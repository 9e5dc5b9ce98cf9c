package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/post"
	"tidings/internal/publish/bucket"
)

func buildCommand(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Write every feed as a file, once",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(ctx context.Context) error { return a.build(ctx, out) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`DIR` or bucket to write to (default: feeds.dir, or public)")
	a.jsonFlag(cmd)
	return cmd
}

// buildJSON is what a build did.
type buildJSON struct {
	Posts     int            `json:"posts"`
	Feeds     int            `json:"feeds"`
	Files     int            `json:"files"`
	Written   int            `json:"written"`
	Unchanged int            `json:"unchanged"`
	Problems  []post.Problem `json:"problems"`
}

func (a *app) build(ctx context.Context, out string) error {
	if out == "" {
		out = a.cfg.Feeds.Dir
	}
	if out == "" {
		out = "public"
	}
	c, err := a.catalogConfig()
	if err != nil {
		return err
	}
	snap, err := catalog.Load(ctx, c)
	if err != nil {
		return err
	}
	p := a.publisher(c)
	r, err := p.Update(ctx, snap)
	if err != nil {
		return err
	}
	p.Keep(ctx)
	w, err := writeOnce(ctx, out, r.Set, a.cfg.Feeds.Precompress)
	if err != nil {
		return err
	}
	return a.showBuild(out, buildJSON{
		Posts: len(snap.Entries), Feeds: len(r.Set.Feeds), Files: w.Files,
		Written: w.Written, Unchanged: w.Unchanged, Problems: problems(snap, a.cfg.Posts.Dir),
	})
}

// problems lists what is wrong with the posts, an accident first.
func problems(snap *catalog.Snapshot, dir string) []post.Problem {
	all := []post.Problem{}
	if lost := missing(snap); len(lost) > 0 {
		all = append(all, post.Problem{File: dir, Message: fmt.Sprintf(
			"%d of %d posts have vanished at once and stay published; bring the files back, or run: tidings posts check --accept", len(lost), snap.Alarm.Known)})
	}
	return append(all, snap.Problems...)
}

func (a *app) showBuild(out string, b buildJSON) error {
	if a.json {
		return printJSON(a.out, b)
	}
	a.say("%s in %s: %s in %s (%d written, %d unchanged)",
		plural(b.Posts, "post"), plural(b.Feeds, "feed"), plural(b.Files, "file"), bucket.Name(out), b.Written, b.Unchanged)
	return nil
}
