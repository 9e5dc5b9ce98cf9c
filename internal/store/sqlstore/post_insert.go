package sqlstore

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"tidings/internal/store"
)

// atOnce is how many posts one statement inserts. With three statements for
// each, saving the posts of a large blog takes twice as long.
const atOnce = 64

// fresh gives the runs of so many posts that are new and have a file, an
// address and a source, with the place where each begins.
func fresh(posts []*store.Post) iter.Seq2[int, []*store.Post] {
	isFresh := func(p *store.Post) bool {
		return p.ID == 0 && p.Gone.IsZero() && p.Path != "" && p.Source != nil
	}
	return func(yield func(int, []*store.Post) bool) {
		for at := 0; at < len(posts); {
			end := at
			for end < len(posts) && end-at < atOnce && isFresh(posts[end]) {
				end++
			}
			if end-at == atOnce && !yield(at, posts[at:end]) {
				return
			}
			at = max(end, at+1)
		}
	}
}

// insertPosts inserts a full run of new posts, and notes their numbers.
func (t *tx) insertPosts(posts []*store.Post, ids []int64) error {
	args := make([]any, 0, len(posts)*postWidth)
	place := make(map[string]int, len(posts))
	for i, p := range posts {
		args = appendPostArgs(args, p)
		place[p.GUID] = i
	}
	if len(place) < len(posts) {
		return fmt.Errorf("insert posts: two have one id: %w", store.ErrExists)
	}
	err := t.each(`INSERT INTO posts (`+postColumns+`) VALUES `+manyPosts+` RETURNING id, guid`, args, func(r row) error {
		var id int64
		var guid string
		err := r.Scan(&id, &guid)
		ids[place[guid]] = id
		return err
	})
	if err != nil {
		return fmt.Errorf("posts from %s (%s) on: %w", posts[0].GUID, posts[0].File, err)
	}
	sources, paths := make([]any, 0, 2*len(posts)), make([]any, 0, 2*len(posts))
	for i, p := range posts {
		sources = append(sources, ids[i], p.Source)
		paths = append(paths, p.Path, ids[i])
	}
	if _, err := t.exec(`INSERT INTO post_sources (post_id, source) VALUES `+manyPairs, sources...); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO post_paths (path, post_id) VALUES `+manyPairs+`
		ON CONFLICT (path) DO UPDATE SET post_id = excluded.post_id WHERE post_paths.post_id <> excluded.post_id`, paths...)
	return err
}

// postWidth is the number of postColumns.
var postWidth = strings.Count(postColumns, ",") + 1

// Rows of parameters for a full run.
var (
	manyPosts = rows(atOnce, postWidth)
	manyPairs = rows(atOnce, 2)
)

// rows gives "(?1, ?2), (?3, ?4)" for two rows of two.
func rows(n, columns int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteString(", ")
			}
			b.WriteString("?" + strconv.Itoa(i*columns+c+1))
		}
		b.WriteByte(')')
	}
	return b.String()
}
