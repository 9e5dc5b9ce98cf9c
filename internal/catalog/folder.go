package catalog

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tidings/internal/post"
)

// A folder is the file layer: it remembers what the posts directory looked
// like, and reads again only what changed since.
type folder struct {
	dir      string
	loc      *time.Location
	files    map[string]*file // every Markdown file, by its path below dir
	dirs     map[string]bool  // every directory that was walked; "" is dir itself
	indexes  map[string]int   // index files in each directory that has any: the other files there are resources
	problems map[string][]post.Problem
	media    map[string]map[string]bool               // recordings, there or not: the posts that they belong to
	ahead    *walker                                  // the first look at everything, until it is used
	recalled []finding                                // of the index alone, until they are used as the first look
	index    index                                    // what an earlier process read; nil after the first look
	news     bool                                     // the index on disk lacks something
	held     atomic.Int64                             // bytes of files that findings hold
	enter    func(rel string)                         // called before a directory is listed, so that a watch misses nothing
	read     func(name string) ([]byte, stamp, error) // readFile, or one that counts
}

// A file is what is known about one file without reading it again.
type file struct {
	size     int64
	modTime  time.Time
	hash     string // of the bytes last read
	kind     kind
	post     *post.Post // of a good one
	recorded int64      // size of the post's recording; 0: there is none here
	met      bool       // false while only the database speaks of it
	resource bool       // belongs to a bundle: not a post of its own
	retry    bool       // could not be read: tried again at every look
	racy     bool       // read too soon after its time to be known by it
}

// kind tells what a finding found.
type kind int

const (
	good     kind = iota // a post
	broken               // a file that should be a post, but cannot be read as one
	notPost              // a file that is not a post
	vanished             // no file, or one that belongs to a bundle
)

// A finding is news of one file.
type finding struct {
	file    string
	kind    kind
	hash    string     // of its bytes; "" if they could not be read
	post    *post.Post // only of a good one
	source  []byte     // its bytes; nil if they are to be read again
	size    int64
	modTime time.Time
	rec     *record // of a good one: the post it is; nil for a new one
}

func newFolder(dir string, loc *time.Location) *folder {
	return &folder{
		dir: filepath.Clean(dir), loc: loc,
		files: map[string]*file{}, dirs: map[string]bool{}, indexes: map[string]int{},
		problems: map[string][]post.Problem{}, media: map[string]map[string]bool{},
		enter: func(string) {}, read: readFile,
	}
}

// expect names a file that was there when the database was last written, so
// that its absence is news.
func (f *folder) expect(rel string) {
	if f.files[rel] == nil {
		f.files[rel] = &file{retry: true}
	}
}

// distrust has every file read at the next walk: other files may be there
// under the same names, with the same size and time.
func (f *folder) distrust() {
	for _, known := range f.files {
		known.retry = true
	}
}

// doubt has the next walk read what look would have read of these names.
func (f *folder) doubt(names map[string]bool) {
	for rel, force := range names {
		if known := f.files[rel]; known != nil {
			known.retry = known.retry || force
		} else if f.dirs[rel] {
			f.distrust()
		}
	}
}

// errLinked says that a look at single files met a linked directory, which
// only a walk of everything can place.
var errLinked = errors.New("a linked directory changed")

// lookAhead reads the index and lists the whole directory, while others wait
// for the database. With a large index and trusting set the list can wait.
func (f *folder) lookAhead(ctx context.Context, cfg Config, trusting bool) (err error) {
	f.index = cfg.readIndex()
	if trusting && len(f.index) >= cfg.LongLook {
		f.recalled, err = f.remembered(ctx)
		return err
	}
	f.ahead = newWalker(f.dir, f.enter)
	f.ahead.all()
	return nil
}

// remembered gives what an earlier process found. Nothing is known of
// directories then, and the next walk compares everything.
func (f *folder) remembered(ctx context.Context) ([]finding, error) {
	names := make(map[string]bool, len(f.index))
	for rel := range f.index {
		f.meet(rel)
		names[rel] = true
	}
	return f.readAll(ctx, names)
}

// walk looks at the whole directory.
func (f *folder) walk(ctx context.Context) ([]finding, error) {
	w := f.ahead
	if f.ahead = nil; w == nil {
		w = newWalker(f.dir, f.enter)
		w.all()
	}
	f.dirs = w.dirs
	for rel := range f.files {
		if !w.met(rel) {
			w.absent = append(w.absent, rel)
		}
	}
	for name := range f.problems { // of directories: told again if they still hold
		if f.files[name] == nil {
			f.report(name)
		}
	}
	return f.settle(ctx, w, nil)
}

// look looks at the named files and directories only. A true value asks for
// the file to be read even if its size and time look the same.
func (f *folder) look(ctx context.Context, names map[string]bool) ([]finding, error) {
	f.ahead = nil // it is no longer true
	names = f.withPosts(names)
	w := newWalker(f.dir, f.enter)
	for rel := range names {
		w.one(rel)
	}
	if len(w.links) > 0 {
		return nil, errLinked
	}
	for rel := range names {
		f.missing(rel, w)
	}
	for rel := range w.dirs {
		f.dirs[rel] = true
	}
	force := maps.Clone(names)
	for rel := range w.files {
		if _, named := names[rel]; !named { // its directory may have been exchanged for another
			force[rel] = true
		}
	}
	return f.settle(ctx, w, force)
}

// settle compares, and looks after files that moved in the meantime.
func (f *folder) settle(ctx context.Context, w *walker, force map[string]bool) ([]finding, error) {
	fresh := f.unknown(w)
	found, err := f.compare(ctx, w, force)
	if err != nil || !fresh {
		return found, err
	}
	left, err := f.departed(ctx, found)
	if err != nil || len(left) == 0 {
		return found, err
	}
	gone := map[string]bool{}
	for _, x := range left {
		gone[x.file] = true
	}
	found = slices.DeleteFunc(found, func(x finding) bool { return gone[x.file] })
	return append(left, found...), nil
}

// unknown reports whether a walker met a file for the first time.
func (f *folder) unknown(w *walker) bool {
	for rel := range w.files {
		if f.files[rel] == nil {
			return true
		}
	}
	return false
}

// departed finds files that moved to where others were found just now: they
// were listed before they moved, or the event that tells of it is still on its
// way. Without this a moved post would pass for a copy, and for a new post.
func (f *folder) departed(ctx context.Context, found []finding) ([]finding, error) {
	copies := map[string]int{} // by hash, of what was found just now
	for _, x := range found {
		if x.kind == good {
			copies[x.post.Hash] = 0
		}
	}
	for _, known := range f.files {
		if n, ok := copies[known.hash]; ok {
			copies[known.hash] = n + 1
		}
	}
	w := newWalker(f.dir, f.enter)
	for rel, known := range f.files {
		if copies[known.hash] < 2 {
			continue
		}
		if _, err := os.Lstat(w.abs(rel)); errors.Is(err, fs.ErrNotExist) {
			w.absent = append(w.absent, rel)
		}
	}
	if len(w.absent) == 0 {
		return nil, nil
	}
	return f.compare(ctx, w, nil)
}

// missing adds to w.absent what was known at rel or below and was not met.
func (f *folder) missing(rel string, w *walker) {
	if f.files[rel] != nil && !w.met(rel) {
		w.absent = append(w.absent, rel)
	}
	if !f.dirs[rel] {
		return
	}
	for known := range f.files {
		if below(known, rel) && !w.met(known) {
			w.absent = append(w.absent, known)
		}
	}
	for known := range f.dirs {
		if (known == rel || below(known, rel)) && !w.dirs[known] && !w.hides(known) {
			delete(f.dirs, known)
		}
	}
}

// compare turns what a walker met into findings, by file.
func (f *folder) compare(ctx context.Context, w *walker, force map[string]bool) ([]finding, error) {
	shifted := false
	var found []finding
	for _, rel := range w.absent {
		if known := f.files[rel]; known != nil {
			shifted = f.countIndex(rel, -1) || shifted
			delete(f.files, rel)
			f.report(rel)
			f.follow(rel, known.post, nil)
			f.news = true
			found = append(found, finding{file: rel, kind: vanished})
		}
	}
	unread := map[string]bool{}
	for rel, info := range w.files {
		known := f.files[rel]
		if known != nil && known.met && !known.retry && !force[rel] &&
			known.size == info.Size() && known.modTime.Equal(info.ModTime()) && known.recorded == f.measure(known.post) {
			continue
		}
		shifted = f.meet(rel) || shifted
		f.files[rel].size, f.files[rel].modTime = info.Size(), info.ModTime()
		unread[rel] = true
	}
	found = append(found, f.complain(w)...)
	found = append(found, f.classify(unread, shifted)...)
	read, err := f.readAll(ctx, unread)
	found = append(found, read...)
	slices.SortFunc(found, func(a, b finding) int { return strings.Compare(a.file, b.file) })
	return found, err
}

// complain reports what the walker could not look at.
func (f *folder) complain(w *walker) []finding {
	var found []finding
	for rel, err := range w.unusable {
		f.meet(rel)
		f.files[rel].retry, f.files[rel].hash = true, ""
		f.report(rel, post.Problem{File: rel, Message: err.Error()})
		found = append(found, finding{file: rel, kind: broken})
	}
	for dir, err := range w.closed {
		name := path.Join(dir, ".")
		f.report(name, post.Problem{File: name, Message: "the directory cannot be listed, so its posts stay as they were: " + cause(err) + "; let the tidings process read it"})
	}
	if w.rootless() {
		f.report(".", post.Problem{File: ".", Message: "the posts directory " + f.dir + " does not exist; create or mount it, or correct posts.dir"})
	}
	return found
}

// meet notes that a file is there; it reports whether that makes a bundle.
func (f *folder) meet(rel string) (shifted bool) {
	if known := f.files[rel]; known != nil && known.met {
		return false
	}
	f.files[rel] = &file{met: true}
	return f.countIndex(rel, +1)
}

// countIndex keeps the count of index files; it reports whether rel's
// directory became or ceased to be a bundle.
func (f *folder) countIndex(rel string, by int) (shifted bool) {
	if !f.files[rel].met || !isIndex(rel) {
		return false
	}
	dir := path.Dir(rel)
	before := f.indexes[dir]
	if f.indexes[dir] += by; f.indexes[dir] <= 0 {
		delete(f.indexes, dir)
	}
	return before == 0 || f.indexes[dir] == 0
}

// classify finds out which files are resources of a bundle. That depends on
// the index files around them: after a shift all are looked at. Files that
// became resources have vanished as posts; files that are posts again are
// added to unread.
func (f *folder) classify(unread map[string]bool, shifted bool) []finding {
	var found []finding
	place := func(rel string) {
		known := f.files[rel]
		was := known.resource
		known.resource = post.BundleResource(rel, func(dir string) bool { return f.indexes[path.Clean(dir)] > 0 })
		if known.resource {
			known.hash = "" // it is news when it is a post again
			delete(unread, rel)
			f.report(rel)
			found = append(found, finding{file: rel, kind: vanished})
		} else if was {
			unread[rel] = true
		}
	}
	if shifted {
		for rel := range f.files {
			place(rel)
		}
		return found
	}
	for rel := range unread {
		place(rel)
	}
	return found
}

// indexName matches the file that makes its folder a post: index.md, or
// index.pt-BR.md where a post has several languages.
var indexName = regexp.MustCompile(`(?i)^index(\.[a-z]{2,3}(-[a-z0-9]+)*)?\.[a-z]+$`)

func isIndex(rel string) bool { return indexName.MatchString(path.Base(rel)) }

// report replaces the problems of one file.
func (f *folder) report(name string, ps ...post.Problem) {
	if len(ps) == 0 {
		delete(f.problems, name)
		return
	}
	f.problems[name] = ps
}

// below reports whether rel lies in the directory dir; everything lies in "".
func below(rel, dir string) bool {
	return dir == "" || strings.HasPrefix(rel, dir) && rel[len(dir):] != "" && rel[len(dir)] == '/'
}
