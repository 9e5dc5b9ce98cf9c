package bucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
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

	lock    sync.Mutex // of next, and of:
	done    map[string]bool
	errs    []error
	lacking bool // something is not there at all that is to be
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
	p := &pass{next: manifest{Objects: map[string]entry{}}, done: map[string]bool{}}
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
			p.claim.Objects[o.name] = w.claimed(o)
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
			e = w.held.manifest.Objects[name]
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

// claimed is what is known of an object before it is written. The bytes of a
// sibling are not; and where the same bytes are there with other headers, it
// could not be told afterwards whether they were written.
func (w *Writer) claimed(o *object) entry {
	sum := md5.New()
	if _, err := o.doc.WriteTo(sum); err != nil || o.coding != "" {
		return entry{}
	}
	e := o.pass.next.Objects[o.name]
	e.Size, e.MD5, e.Pending = int64(o.doc.Size), hex.EncodeToString(sum.Sum(nil)), true
	if is, there := w.held.there[o.name]; there && is.md5 == e.MD5 {
		return entry{}
	}
	return e
}

// stale gives what an earlier set left there.
func (w *Writer) stale(p *pass) (stale []*object) {
	for _, name := range slices.Sorted(maps.Keys(w.held.manifest.Objects)) {
		_, wanted := p.next.Objects[name]
		if _, there := w.held.there[name]; there && !wanted && w.held.ours(name) {
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

// each works on many objects at once, also if some fail, unless so many do
// that it is not about them.
func (w *Writer) each(ctx context.Context, p *pass, list []*object, work func(context.Context, *object) error) {
	jobs, stop := make(chan *object), make(chan struct{})
	enough := sync.OnceFunc(func() { close(stop) })
	var workers sync.WaitGroup
	for range min(uploads, len(list)) {
		workers.Go(func() {
			for o := range jobs {
				if p.note(o, work(ctx, o), w.held) >= tooMany {
					enough()
				}
			}
		})
	}
	for _, o := range list {
		select {
		case jobs <- o:
			continue
		case <-ctx.Done():
		case <-stop:
		}
		break
	}
	close(jobs)
	workers.Wait()
}

// tooMany is how many failures end a pass.
const tooMany = 20

// note takes down what became of an object, and gives the number of failures.
func (p *pass) note(o *object, err error, h held) int {
	p.lock.Lock()
	defer p.lock.Unlock()
	if err == nil {
		p.done[o.name] = true
		return len(p.errs)
	}
	p.errs = append(p.errs, err)
	if _, there := h.there[o.name]; !there {
		p.lacking = true
	}
	return len(p.errs)
}

// err gives what failed, in few words.
func (p *pass) err() error {
	const few = 3
	if n := len(p.errs); n > few {
		return fmt.Errorf("%w; and so with %d more", errors.Join(p.errs[:few]...), n-few)
	}
	return errors.Join(p.errs...)
}

// remember keeps in next what is ours although it was not written or removed.
func (p *pass) remember(h held) {
	for _, round := range p.rounds {
		for _, o := range round {
			if !p.done[o.name] {
				p.next.Objects[o.name] = p.claim.Objects[o.name]
			}
		}
	}
	for _, o := range p.stale {
		if !p.done[o.name] {
			p.next.Objects[o.name] = h.manifest.Objects[o.name]
		}
	}
}

// put writes an object.
func (w *Writer) put(ctx context.Context, o *object) error {
	b, err := o.bytes()
	if err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	o.pass.measured(o.name, b)
	return w.upload(ctx, o.name, b, &blob.WriterOptions{
		ContentType: o.doc.MediaType, ContentEncoding: o.coding, CacheControl: publish.Caching,
	})
}

func (o *object) bytes() ([]byte, error) {
	var plain bytes.Buffer
	if _, err := o.doc.WriteTo(&plain); err != nil || o.coding == "" {
		return plain.Bytes(), err
	}
	squeezing <- struct{}{}
	defer func() { <-squeezing }()
	return publish.Compress(o.coding, plain.Bytes())
}

// squeezing holds an element for each compressor at work. They need memory, and
// more of them than processors are no faster.
var squeezing = make(chan struct{}, runtime.GOMAXPROCS(0))

// measured takes down what the bytes of an object tell.
func (p *pass) measured(name string, b []byte) {
	sum := md5.Sum(b)
	p.lock.Lock()
	defer p.lock.Unlock()
	e := p.next.Objects[name]
	e.Size, e.MD5 = int64(len(b)), hex.EncodeToString(sum[:])
	p.next.Objects[name] = e
}

// smallest is the size of buffers that S3 allows, where Google's library would
// take 16 MB for each object.
const smallest = 5 << 20

// upload writes an object as a whole; the store compares the bytes with their
// sum.
func (w *Writer) upload(ctx context.Context, name string, b []byte, options *blob.WriterOptions) error {
	ctx, cancel := context.WithTimeout(ctx, eachTakes)
	defer cancel()
	sum := md5.Sum(b)
	options.ContentMD5 = sum[:]
	options.BufferSize = max(len(b)+1, smallest) // so that it goes in one request
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
