package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/errgroup"
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
	// Files is what the manifest of a folder has instead. Such a folder may have
	// been copied here.
	Files map[string]struct {
		SHA256 string `json:"sha256"`
	} `json:"files,omitempty"`
}

// An entry is an object of ours. One with zero Hash is under way: which bytes
// it has is not known.
type entry struct {
	Hash    string `json:"sha256"` // of the plain document, also for its siblings
	Type    string `json:"type"`
	Caching string `json:"cache_control"`
	Size    int64  `json:"size"`
	MD5     string `json:"md5,omitempty"`
	Pending bool   `json:"pending,omitempty"` // there once an object with the MD5 is
}

// found is an object as the store lists it. Its md5 is "" where the store tells
// none, and something else where it is encrypted with keys of one's own (S3).
type found struct {
	size     int64
	md5      string
	modified time.Time
}

// held is what is in a bucket.
type held struct {
	manifest manifest
	there    map[string]found // all objects
	changed  map[string]bool  // those of the manifest that somebody changed since
}

// look asks a bucket what it holds.
func look(ctx context.Context, b *blob.Bucket) (held, error) {
	h := held{there: map[string]found{}, changed: map[string]bool{}}
	m, at, err := readManifest(ctx, b)
	if err != nil {
		return h, err
	}
	for list := b.List(nil); ; {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return h, fmt.Errorf("list what is there: %w", err)
		}
		h.there[o.Key] = found{o.Size, hex.EncodeToString(o.MD5), o.ModTime}
	}
	h.manifest = m
	h.settle()
	h.compare(at)
	return h, h.takeOver(ctx, b)
}

// settle finds out about what was under way when the last pass ended.
func (h *held) settle() {
	for name, e := range h.manifest.Objects {
		if e.Pending && e.describes(h.there[name]) {
			e.Pending = false
			h.manifest.Objects[name] = e
		} else if e.Pending {
			h.manifest.Objects[name] = entry{}
		}
	}
}

// compare finds what somebody changed. The MD5 tells, if the store has it for
// any object; else the time, compared with that of the manifest.
func (h *held) compare(at time.Time) {
	telling := false
	for name, e := range h.manifest.Objects {
		telling = telling || e.describes(h.there[name])
	}
	for name, e := range h.manifest.Objects {
		is, there := h.there[name]
		if !there || e.Hash == "" || e.describes(is) {
			continue
		}
		h.changed[name] = telling && e.MD5 != "" || e.Size != is.size || is.modified.After(at.Add(slack))
	}
}

// describes reports whether an object has the bytes of the entry for certain.
func (e entry) describes(is found) bool { return e.MD5 != "" && e.MD5 == is.md5 && e.Size == is.size }

// takeOver makes ours what a folder that was copied here says of itself, as far
// as it still holds the same bytes. They are read, this once.
func (h *held) takeOver(ctx context.Context, b *blob.Bucket) error {
	var names []string
	for name := range h.manifest.Files {
		if _, there := h.there[name]; there && h.manifest.Objects[name] == (entry{}) {
			names = append(names, name)
		}
	}
	same := make([]bool, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for i, name := range names {
		group.Go(func() (err error) {
			same[i], err = holds(ctx, b, name, h.manifest.Files[name].SHA256)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("read what was copied here: %w", err)
	}
	for i, name := range names {
		if same[i] {
			h.manifest.Objects[name] = entry{}
		}
	}
	h.manifest.Files = nil
	return nil
}

// holds reports whether the bytes of an object have the hash.
func holds(ctx context.Context, b *blob.Bucket, name, hash string) (bool, error) {
	r, err := b.NewReader(ctx, name, nil)
	if err != nil {
		return false, err
	}
	defer r.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, r)
	return hex.EncodeToString(sum.Sum(nil)) == hash, err
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
	if m.Objects == nil {
		m.Objects = map[string]entry{}
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
	_, there := h.there[name]
	return there && !h.ours(name)
}

// as reports whether an object is there as e describes it, whatever its size.
func (h *held) as(name string, e entry) bool {
	was, listed := h.manifest.Objects[name]
	if _, there := h.there[name]; !there || !listed || h.changed[name] {
		return false
	}
	return was.Hash == e.Hash && was.Type == e.Type && was.Caching == e.Caching
}

// adopt notes what a pass has done.
func (h *held) adopt(p *pass) {
	for _, round := range p.rounds {
		for _, o := range round {
			e := p.next.Objects[o.name]
			h.there[o.name], h.changed[o.name] = found{size: e.Size, md5: e.MD5}, false
		}
	}
	for _, o := range p.stale {
		delete(h.there, o.name)
	}
}
