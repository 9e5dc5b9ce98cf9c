package post

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tidings/internal/term"
)

// WriteListing writes each item as a Markdown post YYYY-MM-DD-slug.md into
// dir, which it makes if it is not there, and gives the names of the files
// written. A file that is there already is never overwritten: one with the
// same content counts as done, one with other content is part of the error,
// and the items after it are written all the same. Two items with one slug
// get slug and slug-2.
func WriteListing(dir string, items []ListingItem) (written []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for the posts: %w", err)
	}
	var faults []error
	for i, slug := range listingSlugs(items) {
		name := items[i].Date.Format(time.DateOnly) + "-" + slug + ".md"
		isNew, err := writeNew(filepath.Join(dir, name), items[i].markdown())
		if err != nil {
			faults = append(faults, err)
		} else if isNew {
			written = append(written, name)
		}
	}
	return written, errors.Join(faults...)
}

// listingSlugs gives each item a slug of its own, the same on every run.
func listingSlugs(items []ListingItem) []string {
	taken := make(map[string]bool, len(items))
	slugs := make([]string, len(items))
	for i, item := range items {
		base := term.Clean(plain(item.Title))
		if base == "" {
			base = "post"
		}
		slug := base
		for n := 2; taken[slug]; n++ {
			slug = base + "-" + strconv.Itoa(n)
		}
		taken[slug] = true
		slugs[i] = slug
	}
	return slugs
}

// writeNew writes a file unless it is there. It tells whether it did.
func writeNew(path string, content []byte) (bool, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		there, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(there, content) {
			err = fmt.Errorf("%s exists with other content and is left alone; move it away to import the post", path)
		}
		return false, err
	}
	if err != nil {
		return false, fmt.Errorf("write a post: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		// half a post must not be published
		return false, errors.Join(fmt.Errorf("write a post: %w", err), os.Remove(path))
	}
	return true, nil
}

// markdown gives the post as Parse understands it: title, summary and terms
// come back as they are in the item.
func (i ListingItem) markdown() []byte {
	var b bytes.Buffer
	b.WriteString("---\n")
	fmt.Fprintf(&b, "title: %s\n", quoted(escapePlain(i.Title)))
	fmt.Fprintf(&b, "date: %s\n", i.Date.Format(time.DateOnly))
	if i.Category != "" {
		fmt.Fprintf(&b, "categories: [%s]\n", quoted(i.Category))
	}
	if len(i.Tags) > 0 {
		tags := make([]string, len(i.Tags))
		for n, tag := range i.Tags {
			tags[n] = quoted(tag)
		}
		fmt.Fprintf(&b, "tags: [%s]\n", strings.Join(tags, ", "))
	}
	if i.Summary != "" {
		fmt.Fprintf(&b, "description: %s\n", quoted(escapePlain(i.Summary)))
	}
	b.WriteString("---\n")
	if i.Summary != "" {
		b.WriteString("\n" + paragraph(i.Summary) + "\n")
	}
	return b.Bytes()
}

// quoted gives a JSON string, which YAML reads as the same text.
func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // no string fails to encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// opensBlock finds what Markdown would take for a heading, list, quote or
// rule at the start of a paragraph.
var opensBlock = regexp.MustCompile(`^(?:[-+*#>|=~:]|\d+[.)])`)

// paragraph writes a text as one paragraph of Markdown.
func paragraph(text string) string {
	text = escapePlain(text)
	if m := opensBlock.FindString(text); m != "" {
		return m[:len(m)-1] + `\` + text[len(m)-1:]
	}
	return text
}
