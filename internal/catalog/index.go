package catalog

import (
	"context"
	"iter"
	"time"

	"tidings/internal/cachefile"
	"tidings/internal/codec"
	"tidings/internal/post"
)

// An index is what an earlier process made of the files: a file of the same
// size and time need not be read again. It only saves time: what must not be
// lost is in the database.
type index map[string][]byte // by file

// readIndex gives nil if there is none that fits.
func (c Config) readIndex() index {
	if c.Index == "" {
		return nil
	}
	records, err := cachefile.Read(c.Index, c.indexStamp())
	if err != nil {
		c.Log.Warn("all posts are read anew", "error", err)
	}
	return records
}

// indexStamp names what decides how a file is understood.
func (c Config) indexStamp() string { return c.IndexStamp + " " + c.Location.String() }

// find gives what the file held, if it is the one that was read then.
func (x index) find(rel string, known *file, loc *time.Location) (reading, bool) {
	b, ok := x[rel]
	if !ok {
		return reading{}, false
	}
	r := reading{finding: finding{file: rel}}
	d := codec.NewDecoder(b)
	r.code(d, loc)
	same := r.finding.size == known.size && r.finding.modTime.Equal(known.modTime)
	unseen := known.modTime.IsZero() // nobody has looked at it yet
	if d.Err() != nil || !same && !unseen {
		return reading{}, false
	}
	return r, true
}

// code writes or reads what a file held.
func (r *reading) code(c codec.Coder, loc *time.Location) {
	f := &r.finding
	c.Int(&f.size)
	c.Time(&f.modTime, time.UTC)
	codec.Number(c, &f.kind)
	c.Text(&r.hash)
	codec.List(c, &r.problems, func(p *post.Problem) {
		p.File = f.file
		c.Text(&p.Message)
		codec.Number(c, &p.Line)
		warning := &p.Warning
		c.Choice(&warning)
		p.Warning = *warning
	})
	if f.kind != good {
		return
	}
	if f.post == nil {
		f.post = new(post.Post)
	}
	f.post.Code(c, loc)
	c.Int(&r.recorded)
}

// writeIndex replaces the index if it is not what is known now.
func (k *keeper) writeIndex(ctx context.Context) {
	if k.cfg.Index == "" || !k.folder.news {
		return
	}
	if err := cachefile.Write(k.cfg.Index, k.cfg.indexStamp(), k.folder.records()); err != nil {
		k.cfg.Log.WarnContext(ctx, "the next start will read all posts anew", "error", err)
		return
	}
	k.folder.news = false
}

// records gives what is known of every file that was read.
func (f *folder) records() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var e codec.Encoder
		for rel, known := range f.files {
			if !known.met || known.retry || known.resource || known.racy || known.hash == "" {
				continue
			}
			r := reading{
				finding:  finding{file: rel, kind: known.kind, size: known.size, modTime: known.modTime, post: known.post},
				hash:     known.hash,
				recorded: known.recorded,
				problems: f.problems[rel],
			}
			e.Bytes = e.Bytes[:0]
			if r.code(&e, f.loc); !yield(rel, e.Bytes) {
				return
			}
		}
	}
}

// racy reports whether a file of this time could change once more, after it
// was read at the instant at, without a change of its time: file systems count
// time in steps.
func racy(modTime, at time.Time) bool {
	step := 20 * time.Millisecond
	if modTime.Nanosecond() == 0 {
		step = 2 * time.Second
	}
	return modTime.Add(step).After(at)
}
