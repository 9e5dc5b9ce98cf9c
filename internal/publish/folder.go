package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A file is what Write wants at one place.
type file struct {
	name string // slash-separated, below the directory
	doc  *Document
	// extra marks a file that gives way to one which somebody else put in its
	// place, is not counted, and has no siblings.
	extra bool
}

// A folderWork is the part of a pass that is in one folder.
type folderWork struct {
	name      string
	files     []file
	entries   map[string]manifestEntry // what will be there
	changes   []change
	written   int // documents
	unchanged int
}

// A change is a document whose file or whose siblings are not as they should
// be.
type change struct {
	moves    []move   // the plain file first
	outdated []string // siblings of what the plain file was
}

// byFolder sorts files by their folder, in order.
func byFolder(files []file) []*folderWork {
	var all []*folderWork
	known := map[string]*folderWork{}
	for _, f := range files {
		name := path.Dir(f.name)
		if known[name] == nil {
			known[name] = &folderWork{name: name, entries: map[string]manifestEntry{}}
			all = append(all, known[name])
		}
		known[name].files = append(known[name].files, f)
	}
	return all
}

// prepare writes what is not as it should be under temporary names.
func (w *folderWork) prepare(p *pass) error {
	dir, err := openFolder(p.root, w.name)
	if err != nil && w.optional() && fileInTheWay(p.root, w.name) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, f := range w.files {
		work := w.document
		if f.extra {
			work = w.extra
		}
		if err := work(p, dir, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// openFolder makes the folder if need be.
func openFolder(root *os.Root, name string) (*os.Root, error) {
	dir, err := root.OpenRoot(filepath.FromSlash(name))
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if err := root.MkdirAll(filepath.FromSlash(name), 0o755); err != nil {
		return nil, err
	}
	return root.OpenRoot(filepath.FromSlash(name))
}

// optional reports whether the set can do without the folder.
func (w *folderWork) optional() bool {
	for _, f := range w.files {
		if !f.extra {
			return false
		}
	}
	return true
}

// fileInTheWay reports whether a file has the name of the folder or of one
// above it.
func fileInTheWay(root *os.Root, name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if info, err := root.Stat(filepath.FromSlash(name)); err == nil {
			return !info.IsDir()
		}
	}
	return false
}

// document sees to a document and its siblings.
func (w *folderWork) document(p *pass, dir *os.Root, f file) error {
	base, was := path.Base(f.name), p.last.Files[f.name]
	info, same, err := look(dir, base, was, f.doc.Hash, f.doc)
	if err != nil {
		return err
	}
	var c change
	if same {
		w.unchanged++
	} else {
		var m move
		if m, info, err = writeTemp(dir, base, f.doc); err != nil {
			return err
		}
		c.moves = append(c.moves, m)
		c.outdated = p.siblingsOf(f.name)
		w.written++
	}
	w.entries[f.name] = manifestEntry{SHA256: f.doc.Hash, info: info}
	c.moves, err = w.siblings(p, dir, f, c.moves)
	if len(c.moves) > 0 {
		w.changes = append(w.changes, c)
	}
	return err
}

// siblings adds the compressed forms to the moves. What stands there already
// is not compressed again. After an error the moves are those so far.
func (w *folderWork) siblings(p *pass, dir *os.Root, f file, moves []move) ([]move, error) {
	for _, coding := range p.codings {
		name := f.name + suffixes[coding]
		base, was := path.Base(name), p.last.Files[name]
		if was.Source == f.doc.Hash {
			info, same, err := look(dir, base, was, was.SHA256, nil)
			if err != nil {
				return moves, err
			}
			if same {
				w.entries[name] = manifestEntry{SHA256: was.SHA256, Source: was.Source, info: info}
				continue
			}
		}
		b, err := squeeze(coding, f.doc)
		if err != nil {
			return moves, err
		}
		sibling := NewDocument(name, "", b)
		m, info, err := writeTemp(dir, base, sibling)
		if err != nil {
			return moves, err
		}
		moves = append(moves, m)
		w.entries[name] = manifestEntry{SHA256: sibling.Hash, Source: f.doc.Hash, info: info}
	}
	return moves, nil
}

// siblingsOf are the files that an earlier pass put beside a document.
func (p *pass) siblingsOf(name string) []string {
	var bases []string
	for _, coding := range codingNames {
		if _, ours := p.last.Files[name+suffixes[coding]]; ours {
			bases = append(bases, path.Base(name+suffixes[coding]))
		}
	}
	return bases
}

// extra sees to a file that is not ours alone to have.
func (w *folderWork) extra(p *pass, dir *os.Root, f file) error {
	base, was := path.Base(f.name), p.last.Files[f.name]
	info, same, err := look(dir, base, was, f.doc.Hash, f.doc)
	if err != nil {
		return nil // a folder, or what cannot be read: somebody else's
	}
	if !same && info != nil {
		if _, ours, err := look(dir, base, was, was.SHA256, nil); err != nil || !ours {
			return nil
		}
	}
	if !same {
		var m move
		if m, info, err = writeTemp(dir, base, f.doc); err != nil {
			return err
		}
		w.changes = append(w.changes, change{moves: []move{m}})
	}
	w.entries[f.name] = manifestEntry{SHA256: f.doc.Hash, info: info}
	return nil
}

// commit gives the new files their places. The siblings of a former plain file
// go before it does: web servers prefer them.
func (w *folderWork) commit(p *pass) error {
	if len(w.changes) == 0 {
		return nil
	}
	dir, err := p.root.OpenRoot(filepath.FromSlash(w.name))
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, c := range w.changes {
		if err := c.commit(dir); err != nil {
			return err
		}
	}
	return nil
}

func (c change) commit(dir *os.Root) error {
	for _, base := range c.outdated {
		if err := dir.Remove(base); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, m := range c.moves {
		if err := m.commit(dir); err != nil {
			return err
		}
	}
	return nil
}

// safeSegment tells whether a name is safe as a file's on every common file
// system.
func safeSegment(s string) bool {
	return filepath.IsLocal(s) && s[0] != '.' && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, " ") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) })
}
