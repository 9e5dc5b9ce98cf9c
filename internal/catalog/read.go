package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tidings/internal/post"
)

// A reading is what one file held.
type reading struct {
	finding  finding
	hash     string
	same     bool // the bytes of last time
	retry    bool
	racy     bool
	indexed  bool  // an earlier process read it
	recorded int64 // size of the post's recording
	problems []post.Problem
}

// readAll reads files side by side and gives what is news.
func (f *folder) readAll(ctx context.Context, names map[string]bool) ([]finding, error) {
	todo := slices.Sorted(maps.Keys(names))
	done := make([]reading, len(todo))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(len(todo), 2*runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(todo)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				done[i] = f.readOne(todo[i])
			}
		})
	}
	group.Wait()
	f.index = nil
	f.held.Store(0)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := make([]finding, 0, len(todo))
	for i := range done {
		if f.keep(todo[i], &done[i]) {
			found = append(found, done[i].finding)
		}
	}
	return found, nil
}

// keep remembers a reading; it reports whether it is news.
func (f *folder) keep(rel string, r *reading) bool {
	known := f.files[rel]
	known.size, known.modTime, known.retry, known.racy = r.finding.size, r.finding.modTime, r.retry, r.racy
	f.news = f.news || !r.indexed
	if r.same {
		return false
	}
	known.hash, r.finding.hash = r.hash, r.hash
	f.follow(rel, known.post, r.finding.post)
	known.kind, known.post, known.recorded = r.finding.kind, r.finding.post, r.recorded
	f.report(rel, r.problems...)
	return true
}

// readOne gives what a file holds: from the index, or else by reading and
// parsing it. It changes nothing, so that many may run at a time.
func (f *folder) readOne(rel string) reading {
	known := f.files[rel]
	if r, ok := f.index.find(rel, known, f.loc); ok && r.recorded == f.measure(r.finding.post) {
		r.indexed = true
		return r
	}
	r := reading{finding: finding{file: rel, kind: broken}}
	src, stamp, err := f.read(f.path(rel))
	if err != nil {
		r.retry = true
		r.same = errors.Is(err, fs.ErrNotExist) // it left just now: its absence will be noticed
		r.problems = []post.Problem{{File: rel, Message: "the file cannot be read: " + cause(err) + "; let the tidings process read it"}}
		return r
	}
	r.finding.size, r.finding.modTime = stamp.size, stamp.modTime
	r.racy = racy(stamp.modTime, time.Now())
	if stamp.size > post.MaxBytes {
		r.problems = []post.Problem{{File: rel, Message: fmt.Sprintf(
			"the file has %d bytes, more than the %d a post may have; move pictures and data into files of their own", stamp.size, post.MaxBytes)}}
		return r
	}
	sum := sha256.Sum256(src)
	r.hash = hex.EncodeToString(sum[:])
	if r.hash == known.hash && known.recorded == f.measure(known.post) {
		r.same = true
		return r
	}
	f.parse(&r, src)
	return r
}

func (f *folder) parse(r *reading, src []byte) {
	p, problems, err := post.Parse(r.finding.file, src, post.Options{Location: f.loc, Hash: r.hash})
	var problem post.Problem
	switch {
	case errors.Is(err, post.ErrNotPost):
		r.finding.kind = notPost
	case errors.As(err, &problem):
		problems = append(problems, problem)
	case err != nil:
		problems = append(problems, post.Problem{File: r.finding.file, Message: err.Error()})
	default:
		p.Body, p.Params = "", nil
		if r.recorded = f.measure(p); r.recorded > 0 {
			p.Enclosure.Length = r.recorded
		}
		r.finding.kind, r.finding.post, r.finding.source = good, p, f.hold(src)
	}
	r.problems = problems
}

// maxHeld is how many bytes of files one look may hold in memory. The others
// are read once more when they are saved.
const maxHeld = 32 << 20

// hold gives src, or nil if too much is held already.
func (f *folder) hold(src []byte) []byte {
	if f.held.Add(int64(len(src))) > maxHeld {
		return nil
	}
	return src
}

func (f *folder) path(rel string) string { return filepath.Join(f.dir, filepath.FromSlash(rel)) }

// source gives the bytes of a file if they have the hash.
func (f *folder) source(rel, hash string) ([]byte, error) {
	src, _, err := f.read(f.path(rel))
	if err != nil {
		return nil, fmt.Errorf("read the post %s again: %w", rel, err)
	}
	if sum := sha256.Sum256(src); hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("read the post %s again: %w", rel, post.ErrOtherFile)
	}
	return src, nil
}
