package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/feed"
)

func feedsCommand(a *app) *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List every feed with its address, posts and last change", Args: noArgs, RunE: a.runE(a.listFeeds)}
	a.jsonFlag(list)
	return group("feeds", "The feeds", list, adoptCommand(a))
}

// feedJSON is a feed as scripts see it.
type feedJSON struct {
	Kind     string            `json:"kind"`
	Name     string            `json:"name"`
	Title    string            `json:"title"`
	Posts    int               `json:"posts"`
	Modified time.Time         `json:"modified"`
	URLs     map[string]string `json:"urls"`
}

func (a *app) listFeeds(ctx context.Context, _ []string) error {
	snap, err := a.look(ctx)
	if err != nil {
		return err
	}
	c, err := a.catalogConfig()
	if err != nil {
		return err
	}
	p := a.publisher(c)
	r, err := p.Update(ctx, snap)
	if err != nil {
		return err
	}
	rows := []feedJSON{}
	for _, f := range r.Set.Feeds {
		j := feedJSON{Kind: string(f.Kind), Name: f.Name, Title: f.Title, Posts: f.Posts, Modified: f.Modified, URLs: map[string]string{}}
		for format, d := range f.Docs {
			j.URLs[string(format)] = p.URL(d.Path)
		}
		rows = append(rows, j)
	}
	if a.json {
		return printJSON(a.out, rows)
	}
	t := newTable(a.out, "FEED", "POSTS", "LAST CHANGE", "URL")
	for _, r := range rows {
		t.row(r.Title, strconv.Itoa(r.Posts), stamp(r.Modified, a.cfg.Site.Location()), firstURL(r.URLs))
	}
	return t.flush()
}

// firstURL gives the address of the format offered first.
func firstURL(urls map[string]string) string {
	for _, f := range []feed.Format{feed.RSS, feed.Atom, feed.JSON} {
		if u := urls[string(f)]; u != "" {
			return u
		}
	}
	return ""
}
