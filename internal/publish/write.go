package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// WriteReport counts the documents of one Write. Compressed siblings, the
// copies at well-known other names and the snippets for web servers count
// only where they are removed.
type WriteReport struct {
	Files     int // Written + Unchanged
	Written   int
	Unchanged int // the file held these bytes already and was left alone
	Removed   int // files that are no longer wanted, of all kinds
}

// A Writer makes a directory hold the documents of one set after the other,
// at their paths, and beside each its compressed siblings.
//
// Every file changes at once or not at all, and none before the bytes of all
// are on the disk; one that holds the right bytes keeps its modification time.
// A sibling never stands beside other bytes than its own. Files of earlier
// sets that are no longer wanted are removed, unless somebody changed them
// since. Nothing outside the directory is touched. After an error, a kill or a
// power failure every file is an old or a new one, and the next Write
// completes the work.
//
// A Writer is not safe for concurrent use, and one at a time may work on a
// directory.
type Writer struct {
	dir     string
	codings []string
	last    manifest // what the last Write left
	opened  bool     // whether last is known
}

// NewWriter gives a Writer to dir, which need not exist, with siblings in the
// named codings ("gzip", "br", "zstd").
func NewWriter(dir string, codings []string) (*Writer, error) {
	if err := CheckCodings(codings); err != nil {
		return nil, fmt.Errorf("write feeds to %s: %w", dir, err)
	}
	return &Writer{dir: dir, codings: codings}, nil
}

// Write makes the directory hold the set. Of files that this Writer has seen
// before it looks at size and time; it reads those whose are other ones. When
// ctx ends before the first file takes its place, none does.
func (w *Writer) Write(ctx context.Context, set *Set) (WriteReport, error) {
	report, err := w.write(ctx, set)
	if err != nil {
		return report, fmt.Errorf("write the feeds to %s: %w", w.dir, err)
	}
	return report, nil
}

func (w *Writer) write(ctx context.Context, set *Set) (WriteReport, error) {
	wanted, err := wantedFiles(set, set.hostingFiles(w.codings))
	if err != nil {
		return WriteReport{}, err
	}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return WriteReport{}, err
	}
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		return WriteReport{}, err
	}
	defer root.Close()
	if err := w.open(root, wanted); err != nil {
		return WriteReport{}, err
	}
	p := &pass{root: root, last: w.last, codings: w.codings, folders: byFolder(wanted)}
	err = p.run(ctx)
	w.last = p.next
	return p.report, err
}

// Close does nothing: no file is open between two calls of Write.
func (w *Writer) Close() error { return nil }

// open learns what the last Write left, and removes what killed ones did.
func (w *Writer) open(root *os.Root, wanted []file) (err error) {
	if w.opened {
		return nil
	}
	if w.last, err = readManifest(root); err != nil {
		return err
	}
	folders := map[string]bool{".": true}
	for name := range w.last.Files {
		folders[path.Dir(name)] = true
	}
	for _, f := range wanted {
		folders[path.Dir(f.name)] = true
	}
	err = removeLeftovers(root, slices.Sorted(maps.Keys(folders)))
	w.opened = err == nil
	return err
}

// A pass is one Write under way: first every new file is written beside the
// one whose place it will take, then all take their places.
type pass struct {
	root    *os.Root
	codings []string
	last    manifest // what is there
	next    manifest // what will be there; after an error, what is there as far as is known
	folders []*folderWork
	// manifest is the new one under its temporary name; zero: the last one stays.
	manifest move
	report   WriteReport
}

func (p *pass) run(ctx context.Context) error {
	err := p.prepare()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = p.commit()
	}
	if err != nil {
		p.next = p.last // its bytes are compared anew the next time
		return errors.Join(err, p.discard())
	}
	return p.finish()
}

// prepare writes every file that is not as it should be under a temporary
// name, and returns when their bytes are on the disk.
func (p *pass) prepare() error {
	err := p.each(func(f *folderWork) error { return f.prepare(p) })
	if err != nil {
		return err
	}
	p.next = manifest{Files: map[string]manifestEntry{}}
	for _, f := range p.folders {
		maps.Copy(p.next.Files, f.entries)
	}
	if err := p.prepareManifest(); err != nil {
		return err
	}
	return syncAll(p.root, p.temporary())
}

// prepareManifest writes the next manifest, unless it is as the last one.
func (p *pass) prepareManifest() (err error) {
	b, err := p.next.encode()
	if err != nil {
		return err
	}
	d := NewDocument(manifestFile, "", b)
	info, same, err := look(p.root, manifestFile, p.last.self, d.Hash, d)
	if err == nil && !same {
		p.manifest, info, err = writeTemp(p.root, manifestFile, d)
	}
	p.next.self = manifestEntry{SHA256: d.Hash, info: info}
	return err
}

// commit gives every new file its place.
func (p *pass) commit() error {
	return p.each(func(f *folderWork) error { return f.commit(p) })
}

// each works on all folders at once and gives the first error in their order.
func (p *pass) each(work func(f *folderWork) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	errs := make([]error, len(p.folders))
	_ = parallel(ctx, len(p.folders), func(i int) {
		if errs[i] = work(p.folders[i]); errs[i] != nil {
			stop()
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// temporary lists the files that wait for their places.
func (p *pass) temporary() []string {
	var names []string
	for _, f := range p.folders {
		for _, c := range f.changes {
			for _, m := range c.moves {
				names = append(names, path.Join(f.name, m.temp))
			}
		}
	}
	if p.manifest.temp != "" {
		names = append(names, p.manifest.temp)
	}
	return names
}

// discard removes the temporary files that are left after an error.
func (p *pass) discard() error {
	var errs []error
	for _, name := range p.temporary() {
		if err := p.root.Remove(filepath.FromSlash(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// finish removes what the set does not want any more, and then gives the
// manifest its place: until it has, those files are known to be ours.
func (p *pass) finish() error {
	for _, f := range p.folders {
		p.report.Written += f.written
		p.report.Unchanged += f.unchanged
	}
	p.report.Files = p.report.Written + p.report.Unchanged
	if err := p.removeStale(); err != nil {
		return errors.Join(err, p.discard())
	}
	if p.manifest.temp == "" {
		return nil
	}
	return p.manifest.commit(p.root)
}

// removeStale removes what an earlier Write left and this one did not want,
// siblings before their plain file, and folders that became empty.
func (p *pass) removeStale() error {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(p.last.Files))) {
		if _, wanted := p.next.Files[name]; wanted || !p.untouched(name) {
			continue
		}
		if err := p.root.Remove(filepath.FromSlash(name)); err != nil {
			return err
		}
		p.report.Removed++
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if p.root.Remove(filepath.FromSlash(dir)) != nil {
				break // not empty
			}
		}
	}
	return nil
}
