package catalog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Body gives the source of an entry's text: from its file, or if that holds
// something else by now, from the last good version in the database.
func (c Config) Body(ctx context.Context, e *Entry) (string, error) {
	src, _, err := readFile(filepath.Join(c.Dir, filepath.FromSlash(e.File)))
	if err == nil {
		var body string
		if body, err = e.ReadBody(src); err == nil {
			return body, nil
		}
	}
	if c.Store == nil || e.PostID == 0 {
		return "", fmt.Errorf("read the text of %s: %w", e.File, err)
	}
	kept, err2 := c.Store.PostSources(ctx, []int64{e.PostID})
	if err2 != nil {
		return "", fmt.Errorf("read the text of %s: %w", e.File, errors.Join(err, err2))
	}
	body, err2 := e.ReadBody(kept[e.PostID])
	if err2 != nil {
		return "", fmt.Errorf("read the text of %s: %w", e.File, errors.Join(err, err2))
	}
	return body, nil
}
