package catalog

import (
	"errors"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// watches asks the operating system to tell of events in the posts
// directory, in every directory below it, and of the directory itself.
type watches struct {
	root     string
	log      *slog.Logger
	fs       *fsnotify.Watcher          // nil if the system has none to give
	children map[string]map[string]bool // watched directories: their watched subdirectories
	deaf     bool                       // some directory is not watched
	warned   bool
}

func newWatches(root string, log *slog.Logger) *watches {
	return &watches{root: filepath.Clean(root), log: log}
}

// arm starts anew, forgetting all watches: they hang on to directories, not
// to names, and the directory of that name may be another one now.
func (w *watches) arm() {
	w.close()
	w.deaf = false
	w.children = map[string]map[string]bool{}
	var err error
	if w.fs, err = fsnotify.NewWatcher(); err != nil {
		w.fs = nil
		w.warn(err)
		return
	}
	// Only the directory above tells that this one left or came. If that
	// cannot be watched, the periodic look has to notice.
	_ = w.fs.Add(filepath.Dir(w.root))
}

func (w *watches) close() {
	if w.fs != nil {
		_ = w.fs.Close() // nothing is written through it
	}
	w.fs = nil
}

// add watches one directory below the root.
func (w *watches) add(rel string) {
	if w.fs == nil || w.children[rel] != nil {
		return
	}
	err := w.fs.Add(filepath.Join(w.root, filepath.FromSlash(rel)))
	switch {
	case err == nil:
		w.children[rel] = map[string]bool{}
		if parent := w.children[parentOf(rel)]; parent != nil && rel != "" {
			parent[rel] = true
		}
	case errors.Is(err, os.ErrNotExist):
	default:
		w.warn(err)
	}
}

// drop ends the watches of a directory and of all below it, at once after it
// was moved: they would go on telling its former name.
func (w *watches) drop(rel string) {
	if rel == "" || w.children[rel] == nil {
		return
	}
	for child := range w.children[rel] {
		w.drop(child)
	}
	// It may be gone already, and its watch with it.
	_ = w.fs.Remove(filepath.Join(w.root, filepath.FromSlash(rel)))
	delete(w.children, rel)
	delete(w.children[parentOf(rel)], rel)
}

func (w *watches) warn(err error) {
	w.deaf = true
	if w.warned {
		return
	}
	w.warned = true
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		w.log.Warn("the system gives out no more file watches, so the posts directory is looked through every few seconds instead. "+
			"Raise the limit: sysctl fs.inotify.max_user_watches=1048576 fs.inotify.max_user_instances=1024", "error", err)
		return
	}
	w.log.Warn("the posts directory cannot be watched, so it is looked through every few seconds instead", "error", err)
}

func (w *watches) events() <-chan fsnotify.Event {
	if w.fs == nil {
		return nil
	}
	return w.fs.Events
}

func (w *watches) errors() <-chan error {
	if w.fs == nil {
		return nil
	}
	return w.fs.Errors
}

// rel gives a name below the root: "" for the root itself; ok is false for
// names elsewhere.
func (w *watches) rel(name string) (rel string, ok bool) {
	if name == w.root {
		return "", true
	}
	below, ok := strings.CutPrefix(name, strings.TrimSuffix(w.root, string(filepath.Separator))+string(filepath.Separator))
	return filepath.ToSlash(below), ok
}

// parentOf is the directory that holds rel; "" for the root.
func parentOf(rel string) string {
	if dir := path.Dir(rel); dir != "." {
		return dir
	}
	return ""
}
