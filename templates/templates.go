// Package templates holds the built-in templates of mails and web pages and
// the pages' style sheets and scripts, as one file system: email/, web/, assets/
// and, for the words of both, locales/. Overlay lets a directory of the user's replace any of them, file by
// file. It does not parse them: that is left to the packages that know what
// each is filled with.
package templates

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

//go:embed email web assets locales
var builtin embed.FS

// Builtin gives the templates as shipped.
func Builtin() fs.FS { return builtin }

// Overlay gives the built-in templates with the files of dir in front of
// them: a file that exists in both is dir's. Files are opened afresh each
// time, so a change in dir is seen by whoever parses again. dir "" gives the
// templates as shipped, and so does a directory that does not exist.
func Overlay(dir string) fs.FS {
	if dir == "" {
		return builtin
	}
	return overlay{upper: os.DirFS(dir), lower: builtin}
}

// overlay is two trees seen as one.
type overlay struct{ upper, lower fs.FS }

// Open gives the upper file, or the lower one where there is no upper. An
// upper file that is there but cannot be read is an error: falling back would
// hide the user's mistake.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.upper.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.lower.Open(name)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !info.IsDir() {
		return f, nil
	}
	f.Close()
	entries, err := o.ReadDir(name)
	if err != nil {
		return nil, err
	}
	return &directory{info: info, entries: entries}, nil
}

// ReadDir lists both trees together, sorted by name, as fs.ReadDirFS says.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	upper, upErr := fs.ReadDir(o.upper, name)
	if upErr != nil && !errors.Is(upErr, fs.ErrNotExist) {
		return nil, upErr
	}
	lower, lowErr := fs.ReadDir(o.lower, name)
	if upErr != nil && lowErr != nil {
		return nil, lowErr
	}
	both := append(upper, lower...)
	byName := func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }
	slices.SortStableFunc(both, byName)
	same := func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }
	return slices.CompactFunc(both, same), nil
}

// directory is an open directory of both trees.
type directory struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *directory) Close() error               { return nil }

func (d *directory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.Name(), Err: errors.New("is a directory")}
}

// ReadDir gives the next n entries, or all that are left if n <= 0.
func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	next := d.entries[:n:n]
	d.entries = d.entries[n:]
	return next, nil
}
