package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tidings/internal/post"
)

// A reading is what one file held.
type reading struct {
	finding  finding
	hash     string
	same     bool // the bytes of last time
	retry    bool
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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []finding
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
	known.size, known.modTime, known.retry = r.finding.size, r.finding.modTime, r.retry
	if r.same {
		return false
	}
	known.hash, r.finding.hash = r.hash, r.hash
	f.report(rel, r.problems...)
	return true
}

// readOne reads and parses one file. It changes nothing, so that many may
// run at a time.
func (f *folder) readOne(rel string) reading {
	r := reading{finding: finding{file: rel, kind: broken}}
	src, info, err := f.read(filepath.Join(f.dir, filepath.FromSlash(rel)))
	if err != nil {
		r.retry = true
		r.same = errors.Is(err, fs.ErrNotExist) // it left just now: its absence will be noticed
		r.problems = []post.Problem{{File: rel, Message: "the file cannot be read: " + cause(err) + "; let the tidings process read it"}}
		return r
	}
	r.finding.size, r.finding.modTime = info.Size(), info.ModTime()
	if info.Size() > post.MaxBytes {
		r.problems = []post.Problem{{File: rel, Message: fmt.Sprintf(
			"the file has %d bytes, more than the %d a post may have; move pictures and data into files of their own", info.Size(), post.MaxBytes)}}
		return r
	}
	sum := sha256.Sum256(src)
	r.hash = hex.EncodeToString(sum[:])
	if r.hash == f.files[rel].hash {
		r.same = true
		return r
	}
	f.parse(&r, src)
	return r
}

func (f *folder) parse(r *reading, src []byte) {
	p, problems, err := post.Parse(r.finding.file, src, post.Options{Location: f.loc})
	var problem post.Problem
	switch {
	case errors.Is(err, post.ErrNotPost):
		r.finding.kind = notPost
	case errors.As(err, &problem):
		problems = append(problems, problem)
	case err != nil:
		problems = append(problems, post.Problem{File: r.finding.file, Message: err.Error()})
	default:
		r.finding.kind, r.finding.post, r.finding.source = good, p, src
	}
	r.problems = problems
}

// settledTries is how often a file that changes while it is read is read
// again; after that the next event will bring its end.
const settledTries = 3

// readFile reads a file, at most one byte more than a post may have, with
// the size and time that belong to those bytes.
func readFile(name string) ([]byte, fs.FileInfo, error) {
	for try := 1; ; try++ {
		src, before, after, err := readOnce(name)
		if err != nil {
			return nil, nil, err
		}
		if try == settledTries || before.Size() == after.Size() && before.ModTime().Equal(after.ModTime()) {
			return src, after, nil
		}
	}
}

func readOnce(name string) (src []byte, before, after fs.FileInfo, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	defer file.Close()
	before, err = file.Stat()
	if err != nil || before.Size() > post.MaxBytes {
		return nil, before, before, err
	}
	if src, err = io.ReadAll(io.LimitReader(file, post.MaxBytes+1)); err != nil {
		return nil, nil, nil, err
	}
	after, err = file.Stat()
	return src, before, after, err
}
