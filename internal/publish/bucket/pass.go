package bucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"tidings/internal/publish"
)

// A pass is what one Write has to do.
type pass struct {
	claim  manifest // what is ours from now on
	next   manifest // what will be there
	rounds [][]*object
	stale  []*object
	report publish.WriteReport

	sizes sync.Mutex // held while the size of an object is noted in next
}

// An object is one that is written or removed.
type object struct {
	name   string
	doc    *publish.Document
	coding string // "": the plain document
	pass   *pass
}

// plan compares what is there with what is wanted.
func (w *Writer) plan(rounds [][]publish.Object) *pass {
	p := &pass{next: manifest{Objects: map[string]entry{}}}
	for _, round := range rounds {
		var due []*object
		for _, o := range round {
			due = append(due, w.due(p, o)...)
		}
		p.rounds = append(p.rounds, due)
	}
	p.claim.Objects = maps.Clone(w.held.manifest.Objects)
	for _, round := range p.rounds {
		for _, o := range round {
			p.claim.Objects[o.name] = entry{}
		}
	}
	p.stale = w.stale(p)
	p.report.Files = p.report.Written + p.report.Unchanged
	p.report.Removed = len(p.stale)
	return p
}

// due gives what is to be written of a document and its siblings.
func (w *Writer) due(p *pass, o publish.Object) (due []*object) {
	if o.Extra && w.held.foreign(o.Name) {
		return nil
	}
	codings := []string{""}
	if !o.Extra {
		codings = append(codings, w.codings...)
	}
	for _, coding := range codings {
		name, e := o.Name+publish.Suffix(coding), entry{Hash: o.Hash, Type: o.MediaType, Caching: publish.Caching}
		same := w.held.as(name, e)
		if same {
			e.Size = w.held.sizes[name]
		} else {
			due = append(due, &object{name: name, doc: o.Document, coding: coding, pass: p})
		}
		p.next.Objects[name] = e
		switch {
		case o.Extra || coding != "":
		case same:
			p.report.Unchanged++
		default:
			p.report.Written++
		}
	}
	return due
}

// stale gives what an earlier set left there.
func (w *Writer) stale(p *pass) (stale []*object) {
	for _, name := range slices.Sorted(maps.Keys(w.held.manifest.Objects)) {
		_, wanted := p.next.Objects[name]
		if _, there := w.held.sizes[name]; there && !wanted && w.held.ours(name) {
			stale = append(stale, &object{name: name, pass: p})
		}
	}
	return stale
}

// changes reports whether there is anything to do. An object that somebody
// took away or over, and that is not wanted, is forgotten at the next change.
func (p *pass) changes() bool {
	due := len(p.stale)
	for _, round := range p.rounds {
		due += len(round)
	}
	return due > 0
}

// each works on many objects at once, until the first error.
func (w *Writer) each(ctx context.Context, list []*object, work func(context.Context, *object) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobs := make(chan *object)
	var workers sync.WaitGroup
	for range min(uploads, len(list)) {
		workers.Go(func() {
			for o := range jobs {
				if err := work(ctx, o); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, o := range list {
		select {
		case jobs <- o:
		case <-ctx.Done():
		}
	}
	close(jobs)
	workers.Wait()
	return context.Cause(ctx)
}

// put writes an object.
func (w *Writer) put(ctx context.Context, o *object) error {
	b, err := o.bytes()
	if err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	o.pass.sized(o.name, len(b))
	return w.upload(ctx, o.name, b, &blob.WriterOptions{
		ContentType: o.doc.MediaType, ContentEncoding: o.coding, CacheControl: publish.Caching,
	})
}

func (o *object) bytes() ([]byte, error) {
	var plain bytes.Buffer
	if _, err := o.doc.WriteTo(&plain); err != nil || o.coding == "" {
		return plain.Bytes(), err
	}
	return publish.Compress(o.coding, plain.Bytes())
}

func (p *pass) sized(name string, size int) {
	p.sizes.Lock()
	defer p.sizes.Unlock()
	e := p.next.Objects[name]
	e.Size = int64(size)
	p.next.Objects[name] = e
}

// upload writes an object as a whole; the store compares the bytes with their
// sum.
func (w *Writer) upload(ctx context.Context, name string, b []byte, options *blob.WriterOptions) error {
	ctx, cancel := context.WithTimeout(ctx, eachTakes)
	defer cancel()
	sum := md5.Sum(b)
	options.ContentMD5 = sum[:]
	if err := w.bucket.WriteAll(ctx, name, b, options); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// remove removes an object.
func (w *Writer) remove(ctx context.Context, o *object) error {
	ctx, cancel := context.WithTimeout(ctx, eachTakes)
	defer cancel()
	if err := w.bucket.Delete(ctx, o.name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("remove %s: %w", o.name, err)
	}
	return nil
}

// advise adds to an error what can be done about it.
func advise(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: make the bucket, or mend its name", err)
	case gcerrors.PermissionDenied:
		return fmt.Errorf("%w: the keys in the environment must be allowed to list, read, write and delete objects there", err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, errDamaged) {
		return err
	}
	// Stores tell missing keys in many ways, and only when they are first needed.
	return fmt.Errorf("%w: see that the store can be reached, and that the environment holds its keys", err)
}
