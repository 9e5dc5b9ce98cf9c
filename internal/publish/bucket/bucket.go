// Package bucket keeps the documents of a publish.Set in a store of objects:
// Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob
// Storage (library: gocloud.dev/blob).
package bucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gocloud.dev/blob"

	"tidings/internal/publish"
)

const (
	uploads   = 16               // at once: they mostly wait
	eachTakes = 2 * time.Minute  // at most, with the library's own attempts
	lookEvery = 10 * time.Minute // how long what the bucket holds is taken as known
)

// A Writer makes a bucket, or a folder in it, hold the documents of one set
// after the other, with their media type and Cache-Control, and beside each its
// compressed siblings, with their Content-Encoding.
//
// Every object changes at once or not at all, and one that is as it should be
// is not written again. What a document names is there before it is. Objects of
// earlier sets that are no longer wanted are removed, unless somebody changed
// them since; no other is. An object that is refused does not keep the others
// from their places. After an error or a kill every object is an old or a new
// one, and the next Write completes the work.
//
// A Writer is not safe for concurrent use, and one at a time may work on a
// folder.
type Writer struct {
	place   string // for people
	bucket  *blob.Bucket
	codings []string
	now     func() time.Time

	held   held // what is there
	looked time.Time
}

// Open gives a Writer to an address such as s3://bucket/folder, with siblings
// in the named codings ("gzip", "br", "zstd"). Parameters behind it are those
// of gocloud.dev/blob, such as region and endpoint; keys come from the
// environment. The bucket must be there, and is first asked for by Write.
func Open(ctx context.Context, address string, codings []string) (*Writer, error) {
	w, err := open(ctx, address, codings)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", Name(address), err)
	}
	return w, nil
}

func open(ctx context.Context, address string, codings []string) (*Writer, error) {
	of, folder, err := split(address)
	if err != nil {
		return nil, err
	}
	if err := publish.CheckCodings(codings); err != nil {
		return nil, err
	}
	b, err := openBucket(ctx, of)
	if err != nil {
		return nil, advise(err)
	}
	if folder != "" {
		b = blob.PrefixedBucket(b, folder)
	}
	return &Writer{place: Name(address), bucket: b, codings: codings, now: time.Now}, nil
}

// Close frees the connections. It ends no Write.
func (w *Writer) Close() error { return w.bucket.Close() }

// Write makes the bucket hold the set. A bucket that this Writer has looked
// into lately is taken to be as it left it.
func (w *Writer) Write(ctx context.Context, set *publish.Set) (publish.WriteReport, error) {
	report, err := w.write(ctx, set)
	if err != nil {
		w.looked = time.Time{} // what was done is not known
		return report, fmt.Errorf("write the feeds to %s: %w", w.place, advise(err))
	}
	return report, nil
}

func (w *Writer) write(ctx context.Context, set *publish.Set) (publish.WriteReport, error) {
	rounds, err := set.Objects()
	if err != nil {
		return publish.WriteReport{}, err
	}
	if w.now().Sub(w.looked) > lookEvery {
		if w.held, err = look(ctx, w.bucket); err != nil {
			return publish.WriteReport{}, err
		}
		w.looked = w.now()
	}
	p := w.plan(rounds)
	if !p.changes() {
		return p.report, nil
	}
	return p.report, w.run(ctx, p)
}

// run carries out a plan. What is about to be written is claimed before, so
// that after a kill it is known to be ours. After an error nothing is removed:
// what could not be written may still lead there.
func (w *Writer) run(ctx context.Context, p *pass) error {
	if err := w.keep(ctx, p.claim); err != nil {
		return err
	}
	for _, round := range p.rounds {
		w.each(ctx, p, round, w.put)
		if p.lacking {
			break
		}
	}
	if len(p.errs) == 0 {
		w.each(ctx, p, p.stale, w.remove)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.remember(w.held)
	if err := errors.Join(p.err(), w.keep(ctx, p.next)); err != nil {
		return err
	}
	w.held.manifest = p.next
	w.held.adopt(p)
	return nil
}
