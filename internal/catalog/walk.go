package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"tidings/internal/post"
)

// A walker lists the posts directory, or parts of it. Every real directory
// is walked once, however many symbolic links lead to it, so that loops end;
// those that are reached without a link come first, so that the path of a
// post does not depend on the names of links.
type walker struct {
	root     string
	enter    func(rel string)
	real     map[string]bool        // directories walked, without links in their names
	links    []string               // linked directories met, not yet followed
	dirs     map[string]bool        // directories walked
	files    map[string]fs.FileInfo // files that may be posts
	unusable map[string]error       // the same, but not to be read
	closed   map[string]error       // directories that could not be listed: nothing is known of what is in them
	absent   []string               // filled by the folder, which knows what was there before
}

func newWalker(root string, enter func(string)) *walker {
	return &walker{
		root: root, enter: enter,
		real: map[string]bool{}, dirs: map[string]bool{}, files: map[string]fs.FileInfo{},
		unusable: map[string]error{}, closed: map[string]error{},
	}
}

func (w *walker) abs(rel string) string { return filepath.Join(w.root, filepath.FromSlash(rel)) }

// all walks everything, links last.
func (w *walker) all() {
	w.resolve("")
	for len(w.links) > 0 {
		links := w.links
		w.links = nil
		slices.Sort(links)
		for _, rel := range links {
			w.resolve(rel)
		}
	}
}

// resolve walks a directory whose name may be a link.
func (w *walker) resolve(rel string) {
	real, err := filepath.EvalSymlinks(w.abs(rel))
	switch {
	case err == nil:
		w.dir(rel, real)
	case !errors.Is(err, fs.ErrNotExist):
		w.closed[rel] = err
	}
}

// dir walks one directory and what is below it.
func (w *walker) dir(rel, real string) {
	if w.real[real] {
		return
	}
	w.real[real] = true
	w.enter(rel)
	entries, err := os.ReadDir(w.abs(rel))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	w.dirs[rel] = true
	if err != nil {
		w.closed[rel] = err
	}
	for _, e := range entries {
		child := path.Join(rel, e.Name())
		switch {
		case e.IsDir():
			if walkable(child) {
				w.dir(child, filepath.Join(real, e.Name()))
			}
		case e.Type()&fs.ModeSymlink != 0:
			w.link(child)
		case post.IsCandidate(child):
			w.file(child, e.Info)
		}
	}
}

// link looks at a symbolic link: a file is read through it, a directory is
// kept for later.
func (w *walker) link(rel string) {
	info, err := os.Stat(w.abs(rel))
	switch {
	case err == nil && info.IsDir():
		if walkable(rel) {
			w.links = append(w.links, rel)
		}
	case !post.IsCandidate(rel):
	case err != nil:
		w.unusable[rel] = fmt.Errorf("the symbolic link cannot be followed: %s; mend or delete it", cause(err))
	default:
		w.file(rel, func() (fs.FileInfo, error) { return info, nil })
	}
}

func (w *walker) file(rel string, stat func() (fs.FileInfo, error)) {
	info, err := stat()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		w.unusable[rel] = fmt.Errorf("the file cannot be looked at: %s", cause(err))
	case !info.Mode().IsRegular():
		w.unusable[rel] = fmt.Errorf("this is not a regular file (%s); move it out of the posts directory", info.Mode().Type())
	default:
		w.files[rel] = info
	}
}

// one looks at a single file or directory.
func (w *walker) one(rel string) {
	info, err := os.Lstat(w.abs(rel))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		w.unusable[rel] = fmt.Errorf("the file cannot be looked at: %s", cause(err))
	case info.IsDir():
		if walkable(rel) {
			w.resolve(rel)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		w.link(rel)
	case post.IsCandidate(rel):
		w.file(rel, func() (fs.FileInfo, error) { return info, nil })
	}
}

// met reports whether a file is there, or may be there unseen.
func (w *walker) met(rel string) bool {
	return w.files[rel] != nil || w.unusable[rel] != nil || w.hides(rel)
}

// hides reports whether rel lies in a directory that could not be listed.
func (w *walker) hides(rel string) bool {
	for dir := range w.closed {
		if below(rel, dir) {
			return true
		}
	}
	return false
}

// rootless reports whether the posts directory itself is missing.
func (w *walker) rootless() bool {
	_, err := os.Stat(w.root)
	return errors.Is(err, fs.ErrNotExist)
}

// walkable reports whether posts may lie in a directory: it is not one of
// those whose files are never posts.
func walkable(dir string) bool { return post.IsCandidate(dir + "/a.md") }

// cause is an error without the path, which the problem names already.
func cause(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
