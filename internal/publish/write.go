package publish

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// WriteReport counts the documents of one Write; compressed siblings count only
// where they are removed.
type WriteReport struct {
	Files     int // Written + Unchanged
	Written   int
	Unchanged int // the file held these bytes already and was left alone
	Removed   int // files that are no longer wanted, siblings too
}

// Write makes dir hold the documents of the set, at their paths, and beside
// each its compressed siblings in the named codings ("gzip", "br", "zstd").
// Every file changes at once or not at all; one that holds the right bytes
// keeps its modification time. Files of earlier calls that are no longer
// wanted are removed, unless somebody changed them since. Nothing outside dir
// is touched. After an error or a kill every file is an old or a new one, and
// the next call completes the work. One process at a time writes to a dir.
func Write(dir string, set *Set, codings []string) (WriteReport, error) {
	report, err := write(dir, set, codings)
	if err != nil {
		return report, fmt.Errorf("write the feeds to %s: %w", dir, err)
	}
	return report, nil
}

func write(dir string, set *Set, codings []string) (WriteReport, error) {
	names, err := fileNames(set.Documents())
	if err != nil {
		return WriteReport{}, err
	}
	w, err := newWriter(dir, codings)
	if err != nil {
		return WriteReport{}, err
	}
	defer w.root.Close()
	for i, d := range set.Documents() {
		if err := w.document(names[i], d); err != nil {
			return w.report, err
		}
	}
	if err := w.removeStale(); err != nil {
		return w.report, err
	}
	return w.report, w.finish()
}

// A writer is one Write under way.
type writer struct {
	root    *os.Root
	codings []coding
	old     manifest // what the last Write left
	next    manifest // what this one leaves
	report  WriteReport
}

func newWriter(dir string, codings []string) (*writer, error) {
	w := &writer{next: manifest{Files: map[string]manifestEntry{}}}
	for _, name := range codings {
		c, err := newCoding(name)
		if err != nil {
			return nil, err
		}
		w.codings = append(w.codings, c)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	if w.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	if w.old, err = readManifest(w.root); err != nil {
		w.root.Close()
		return nil, err
	}
	return w, nil
}

// document writes the siblings first: a web server prefers them, and must not
// send old ones beside a new plain file for long.
func (w *writer) document(name string, d *Document) error {
	if err := w.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o755); err != nil {
		return err
	}
	for _, c := range w.codings {
		if err := w.sibling(name+c.suffix, d, c); err != nil {
			return err
		}
	}
	written, err := w.put(name, d.Bytes())
	if err != nil {
		return err
	}
	w.next.Files[name] = manifestEntry{SHA256: d.Hash}
	w.report.Files++
	if written {
		w.report.Written++
	} else {
		w.report.Unchanged++
	}
	return nil
}

// sibling does not compress again what stands there already.
func (w *writer) sibling(name string, d *Document, c coding) error {
	if was := w.old.Files[name]; was.Source == d.Hash && w.hash(name) == was.SHA256 {
		w.next.Files[name] = was
		return nil
	}
	b, err := c.compress(d.Bytes())
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	if _, err := w.put(name, b); err != nil {
		return err
	}
	w.next.Files[name] = manifestEntry{SHA256: hash(b), Source: d.Hash}
	return nil
}

// put writes the file unless it holds these bytes already.
func (w *writer) put(name string, b []byte) (written bool, err error) {
	if present, err := w.root.ReadFile(filepath.FromSlash(name)); err == nil && bytes.Equal(present, b) {
		return false, nil
	}
	return true, replaceFile(w.root, name, b)
}

// removeStale removes what an earlier Write left and this one did not want,
// siblings before their plain file, and folders that became empty.
func (w *writer) removeStale() error {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(w.old.Files))) {
		_, wanted := w.next.Files[name]
		if is := w.hash(name); wanted || is == "" || is != w.old.Files[name].SHA256 {
			continue
		}
		if err := w.root.Remove(filepath.FromSlash(name)); err != nil {
			return err
		}
		w.report.Removed++
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if w.root.Remove(filepath.FromSlash(dir)) != nil {
				break // not empty
			}
		}
	}
	return nil
}

func (w *writer) finish() error {
	b, err := w.next.encode()
	if err != nil {
		return err
	}
	if _, err := w.put(manifestFile, b); err != nil {
		return err
	}
	return removeLeftovers(w.root, w.folders())
}

// folders are those in which this Write or the last one had files.
func (w *writer) folders() []string {
	folders := map[string]bool{".": true}
	for _, m := range []manifest{w.old, w.next} {
		for name := range m.Files {
			folders[path.Dir(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(folders))
}

// hash is "" for a file that cannot be read.
func (w *writer) hash(name string) string {
	b, err := w.root.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return ""
	}
	return hash(b)
}

// fileNames gives the slash-separated names of the documents below a
// directory, safe on every common file system, also one that ignores case.
func fileNames(docs []*Document) ([]string, error) {
	var names []string
	seen := map[string]string{}
	for _, d := range docs {
		name := strings.TrimPrefix(d.Path, "/")
		for segment := range strings.SplitSeq(name, "/") {
			if !safeSegment(segment) {
				return nil, fmt.Errorf("%q is not safe as a file name", d.Path)
			}
		}
		folded := strings.ToLower(name)
		if other, taken := seen[folded]; taken {
			return nil, fmt.Errorf("%q and %q are one file where case is ignored", other, d.Path)
		}
		seen[folded] = d.Path
		names = append(names, name)
	}
	return names, nil
}

func safeSegment(s string) bool {
	return filepath.IsLocal(s) && s[0] != '.' && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, " ") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) })
}
