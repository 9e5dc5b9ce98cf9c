package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidings/internal/adopt"
)

func adoptCommand(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use: "adopt URL-OR-FILE", Short: "Give the posts the ids that they had in the blog's former feed",
		Long: "Reads the feed that the blog had before, at its address or from a file, with its older\n" +
			"pages if it has any, and gives each post the id that it had there. Feed readers know a\n" +
			"post by its id: those who followed the old feed are shown no post again. Do it before the\n" +
			"first reader comes to the new feeds; a running daemon notices within a minute. An id in a\n" +
			"post's front matter stays.",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.runE(func(ctx context.Context, given []string) error { return a.adopt(ctx, given[0], dryRun) }),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only report")
	a.jsonFlag(cmd)
	return cmd
}

// adoptJSON is what became of the entries of a former feed.
type adoptJSON struct {
	Entries  int            `json:"entries"`
	Adopted  int            `json:"adopted"`
	Already  int            `json:"already"`
	Unknown  []foreignJSON  `json:"unknown"`  // entries without a post
	Posts    []string       `json:"posts"`    // files of posts without an entry
	Conflict []conflictJSON `json:"conflict"` // posts that keep another id
}

type foreignJSON struct {
	ID    string `json:"id"`
	Link  string `json:"link"`
	Title string `json:"title"`
}

type conflictJSON struct {
	File   string `json:"file"`
	ID     string `json:"id"`     // that the post keeps
	Former string `json:"former"` // that it had in the feed
	Why    string `json:"why"`
}

func (a *app) adopt(ctx context.Context, source string, dryRun bool) error {
	entries, err := adopt.Read(ctx, source)
	if err != nil {
		return err
	}
	if err := a.readPosts(ctx); err != nil {
		return err
	}
	r := adopt.Match(entries, a.snap.Entries)
	guids := map[int64]string{}
	for _, p := range r.New {
		if p.Post.PostID == 0 {
			return fmt.Errorf("adopt the id of %s: the post could not be saved; see the log", p.Post.File)
		}
		guids[p.Post.PostID] = p.Entry.ID
	}
	if len(guids) > 0 && !dryRun {
		if err := a.store.AdoptIDs(ctx, guids); err != nil {
			return err
		}
	}
	return a.showAdopted(len(entries), r, dryRun)
}

func (a *app) showAdopted(entries int, r adopt.Report, dryRun bool) error {
	j := adoptJSON{Entries: entries, Adopted: len(r.New), Already: len(r.Already), Unknown: []foreignJSON{}, Posts: []string{}, Conflict: []conflictJSON{}}
	for _, e := range r.Unknown {
		j.Unknown = append(j.Unknown, foreignJSON{ID: e.ID, Link: e.Link, Title: e.Title})
	}
	for _, p := range r.Posts {
		j.Posts = append(j.Posts, p.File)
	}
	for _, p := range r.Explicit {
		j.Conflict = append(j.Conflict, conflictJSON{p.Post.File, p.Post.ID, p.Entry.ID, "its front matter says so"})
	}
	for _, p := range r.Taken {
		j.Conflict = append(j.Conflict, conflictJSON{p.Post.File, p.Post.ID, p.Entry.ID, "another post has the former id"})
	}
	if a.json {
		return printJSON(a.out, j)
	}
	verb := "adopted"
	if dryRun {
		verb = "would be adopted"
	}
	a.say("%s in the former feed: %s %s, %d so already", plural(j.Entries, "entry"), plural(j.Adopted, "id"), verb, j.Already)
	for _, e := range j.Unknown {
		a.say("no post is like: %s %q (%s)", e.Link, e.Title, e.ID)
	}
	for _, c := range j.Conflict {
		a.say("%s keeps the id %s, though it had %s: %s", c.File, c.ID, c.Former, c.Why)
	}
	if n := len(j.Posts); n > 0 {
		a.say("%s not in the former feed", plural(n, "post"))
	}
	return nil
}
