package bucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// manifestFile lists what Write put into a bucket, so that objects of feeds
// that are no more can be told from everybody else's, and the bytes of objects
// need not be read.
const manifestFile = ".tidings-manifest.json"

var errDamaged = errors.New("is damaged")

// slack is how far the times of a bucket may be apart that its parts give to
// objects which were written in order.
const slack = 2 * time.Second

// A manifest is what we put into a bucket.
type manifest struct {
	Objects map[string]entry `json:"objects"` // by name
}

// An entry is an object of ours. One with zero Hash is under way: which bytes
// it has is not known.
type entry struct {
	Hash    string `json:"sha256"` // of the plain document, also for its siblings
	Type    string `json:"type"`
	Caching string `json:"cache_control"`
	Size    int64  `json:"size"`
}

// held is what is in a bucket.
type held struct {
	manifest manifest
	sizes    map[string]int64 // of all objects
	changed  map[string]bool  // those of the manifest that somebody changed since
}

// look asks a bucket what it holds.
func look(ctx context.Context, b *blob.Bucket) (held, error) {
	h := held{sizes: map[string]int64{}, changed: map[string]bool{}}
	m, at, err := readManifest(ctx, b)
	if err != nil {
		return h, err
	}
	h.manifest = m
	for list := b.List(nil); ; {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return h, fmt.Errorf("list what is there: %w", err)
		}
		h.sizes[o.Key] = o.Size
		was, ours := m.Objects[o.Key]
		h.changed[o.Key] = ours && was.Hash != "" && (o.Size != was.Size || o.ModTime.After(at.Add(slack)))
	}
}

// readManifest gives the manifest, and when it was written; an empty one if
// there is none.
func readManifest(ctx context.Context, b *blob.Bucket) (m manifest, at time.Time, err error) {
	m.Objects = map[string]entry{}
	r, err := b.NewReader(ctx, manifestFile, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return m, at, nil // of the bucket too: listing it tells
	}
	if err != nil {
		return m, at, fmt.Errorf("read %s: %w", manifestFile, err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return m, at, fmt.Errorf("read %s: %w", manifestFile, err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, at, fmt.Errorf("%s %w: %w; delete it, and feeds that are no more by hand", manifestFile, errDamaged, err)
	}
	return m, r.ModTime(), nil
}

// keep writes a manifest.
func (w *Writer) keep(ctx context.Context, m manifest) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return err
	}
	return w.upload(ctx, manifestFile, text.Bytes(), &blob.WriterOptions{ContentType: "application/json", CacheControl: "no-cache"})
}

// ours reports whether an object is there, and is ours to replace or remove.
func (h *held) ours(name string) bool {
	_, listed := h.manifest.Objects[name]
	return listed && !h.changed[name]
}

// foreign reports whether an object is there that is not ours.
func (h *held) foreign(name string) bool {
	_, there := h.sizes[name]
	return there && !h.ours(name)
}

// as reports whether an object is there as e describes it, whatever its size.
func (h *held) as(name string, e entry) bool {
	was, listed := h.manifest.Objects[name]
	if _, there := h.sizes[name]; !there || !listed || h.changed[name] {
		return false
	}
	e.Size = was.Size
	return was == e
}

// adopt notes what a pass has done.
func (h *held) adopt(p *pass) {
	for _, round := range p.rounds {
		for _, o := range round {
			h.sizes[o.name], h.changed[o.name] = p.next.Objects[o.name].Size, false
		}
	}
	for _, o := range p.stale {
		delete(h.sizes, o.name)
	}
}
