package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/catalog"
	"tidings/internal/post"
)

func postsCommand(a *app) *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the posts as they are understood", Args: noArgs, RunE: a.runE(a.listPosts)}
	a.jsonFlag(list)
	var accept bool
	check := &cobra.Command{
		Use: "check", Short: "Report every problem with file and line", Args: noArgs,
		RunE: a.runE(func(ctx context.Context, _ []string) error { return a.checkPosts(ctx, accept) }),
	}
	check.Flags().BoolVar(&accept, "accept", false, "believe that posts whose files have vanished are deleted, however many")
	a.jsonFlag(check)
	var to string
	load := &cobra.Command{
		Use: "import FILE --to DIR", Short: "Write Markdown posts from a plain-text blog listing", Args: args(cobra.ExactArgs(1)),
		Long: "Reads a listing of posts: a line \"Mon D, YYYY · Category\", the title, the summary and the\n" +
			"tags, with blank lines between. Writes a Markdown file for each into DIR; files that\n" +
			"are there already are left alone.",
		RunE: func(_ *cobra.Command, given []string) error { return a.importPosts(given[0], to) },
	}
	load.Flags().StringVar(&to, "to", "", "the `DIR` to write to")
	a.jsonFlag(load)
	return group("posts", "The posts", list, check, load)
}

// postJSON is a post as scripts see it.
type postJSON struct {
	File       string     `json:"file"`
	ID         string     `json:"id,omitempty"`
	Title      string     `json:"title"`
	URL        string     `json:"url,omitempty"`
	Published  time.Time  `json:"published"`
	Updated    *time.Time `json:"updated,omitempty"`
	Categories []string   `json:"categories"`
	Tags       []string   `json:"tags"`
	Summary    string     `json:"summary"`
	Held       string     `json:"held,omitempty"`
}

func describe(p *post.Post) postJSON {
	return postJSON{
		File: p.File, Title: p.Title, Published: p.Published, Summary: p.Summary,
		Categories: append([]string{}, p.Categories...), Tags: append([]string{}, p.Tags...),
	}
}

// look reads all posts without pinning anything.
func (a *app) look(ctx context.Context) (*catalog.Snapshot, error) {
	c, err := a.catalogConfig()
	if err != nil {
		return nil, err
	}
	c.ReadOnly, c.Log = true, nil // problems are what the commands report
	return catalog.Load(ctx, c)
}

func (a *app) listPosts(ctx context.Context, _ []string) error {
	snap, err := a.look(ctx)
	if err != nil {
		return err
	}
	rows := []postJSON{}
	for _, e := range snap.Entries {
		j := describe(e.Post)
		j.ID, j.URL, j.Published, j.Updated = e.ID, e.URL, e.Published, &e.Updated
		rows = append(rows, j)
	}
	for _, h := range snap.Held {
		j := describe(h.Post)
		j.Held = h.Why
		rows = append(rows, j)
	}
	if a.json {
		return printJSON(a.out, rows)
	}
	t := newTable(a.out, "PUBLISHED", "TITLE", "CATEGORIES", "TAGS", "FILE", "HELD BACK")
	for _, r := range rows {
		t.row(r.Published.Format(time.DateOnly), r.Title, strings.Join(r.Categories, ", "), strings.Join(r.Tags, ", "), r.File, r.Held)
	}
	return t.flush()
}

// checkPosts reports problems; it fails if a post is not published for one.
func (a *app) checkPosts(ctx context.Context, accept bool) error {
	if accept {
		if err := a.acceptLoss(ctx); err != nil {
			return err
		}
	}
	snap, err := a.look(ctx)
	if err != nil {
		return err
	}
	bad := 0
	for _, p := range snap.Problems {
		if !p.Warning {
			bad++
		}
	}
	switch {
	case a.json:
		err = printJSON(a.out, checkJSON{
			Posts: snap.Posts, Published: len(snap.Entries), Held: len(snap.Held),
			Problems: append([]post.Problem{}, snap.Problems...), Missing: missing(snap),
		})
	default:
		a.printProblems(snap)
	}
	if err != nil {
		return err
	}
	if bad > 0 || snap.Alarm != nil {
		return errSaid
	}
	return nil
}

type checkJSON struct {
	Posts     int            `json:"posts"`
	Published int            `json:"published"`
	Held      int            `json:"held"`
	Problems  []post.Problem `json:"problems"`
	Missing   []string       `json:"missing"`
}

func missing(snap *catalog.Snapshot) []string {
	if snap.Alarm == nil {
		return []string{}
	}
	return append([]string{}, snap.Alarm.Missing...)
}

func (a *app) printProblems(snap *catalog.Snapshot) {
	for _, p := range snap.Problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		a.say("%s: %s", p, kind)
	}
	if lost := missing(snap); len(lost) > 0 {
		a.say("%d of %d posts have vanished at once and stay published; bring the files back, or run posts check --accept:", len(lost), snap.Alarm.Known)
		for _, file := range lost {
			a.say("  %s", file)
		}
	}
	a.say("%s, %d published, %d held back, %s", plural(snap.Posts, "post"), len(snap.Entries), len(snap.Held), plural(len(snap.Problems), "problem"))
}

func (a *app) acceptLoss(ctx context.Context) error {
	c, err := a.catalogConfig()
	if err != nil {
		return err
	}
	n, err := catalog.Accept(ctx, c)
	if err != nil {
		return err
	}
	if !a.json {
		a.say("%s accepted as deleted", plural(n, "post"))
	}
	return nil
}

func (a *app) importPosts(file, to string) error {
	if to == "" {
		return usagef("--to DIR is missing: where are the posts to be written?")
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("import posts: %w", err)
	}
	defer f.Close()
	items, problems := post.ParseListing(f)
	for i := range problems {
		problems[i].File = file
	}
	written, err := post.WriteListing(to, items)
	if a.json {
		report := importJSON{Items: len(items), Written: append([]string{}, written...), Problems: append([]post.Problem{}, problems...)}
		err = errors.Join(err, printJSON(a.out, report))
	} else {
		for _, p := range problems {
			fmt.Fprintln(a.errs, p)
		}
		a.say("%s written to %s, %d there already", plural(len(written), "post"), to, len(items)-len(written))
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return errSaid
	}
	return nil
}

type importJSON struct {
	Items    int            `json:"items"`
	Written  []string       `json:"written"`
	Problems []post.Problem `json:"problems"`
}
