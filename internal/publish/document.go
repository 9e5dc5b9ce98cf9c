package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"sync"
	"time"

	"tidings/internal/feed"
)

// A Document is one published file. It is immutable.
type Document struct {
	Path      string // "/tags/go/feed.xml", not percent-encoded
	MediaType string
	Hash      string    // hex SHA-256 of the bytes; the strong ETag is made of it
	Modified  time.Time // when the bytes last changed; whole seconds, moves with Hash
	Size      int       // number of bytes
	Hubs      []string  // WebSub hubs that are told of its changes, as it says itself

	shell   feed.Shell
	pieces  []*piece // what stands in the shell; shared with other documents
	earlier []version
	bytes   func() []byte // joined when first asked for
}

// A piece is one entry as it stands in a document.
type piece struct{ bytes []byte }

// A version is what a document held before.
type version struct {
	hash     string
	modified time.Time
	pieces   []*piece
}

// versions is how many versions of a document are known to Since, and
// sinceWithin how long after they were replaced. A reader that comes every hour
// misses few more. One that asks for differences and yet cannot read them (they
// exist: their library asks) gets the whole document after that time.
const (
	versions    = 8
	sinceWithin = 24 * time.Hour
)

// NewDocument gives a document of these bytes, without a time.
func NewDocument(path, mediaType string, b []byte) *Document {
	return newDocument(path, mediaType, feed.Shell{Empty: b}, nil)
}

func newDocument(path, mediaType string, shell feed.Shell, pieces []*piece) *Document {
	d := &Document{Path: path, MediaType: mediaType, shell: shell, pieces: pieces}
	sum := sha256.New()
	for _, part := range d.parts(pieces) {
		d.Size += len(part)
		sum.Write(part)
	}
	d.Hash = hex.EncodeToString(sum.Sum(nil))
	d.bytes = sync.OnceValue(func() []byte { return bytes.Join(d.parts(d.pieces), nil) })
	return d
}

// parts gives the document with these entries, to be written one after the
// other.
func (d *Document) parts(pieces []*piece) [][]byte {
	entries := make([][]byte, len(pieces))
	for i, p := range pieces {
		entries[i] = p.bytes
	}
	return d.shell.Parts(entries)
}

// Bytes is the document as a whole. It is put together at the first call and
// kept; WriteTo does without.
func (d *Document) Bytes() []byte { return d.bytes() }

// WriteTo implements [io.WriterTo].
func (d *Document) WriteTo(w io.Writer) (n int64, err error) {
	for _, part := range d.parts(d.pieces) {
		k, err := w.Write(part)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// ETag is the strong validator of the document, in quotes (RFC 9110 §8.8.3).
// It is that of the bytes as they are: a compressed form needs its own.
func (d *Document) ETag() string { return `"` + d.Hash + `"` }

// Since gives the document with those entries only that are new or changed
// since it had the hash, for RFC 3229; false if there are none, or if that
// version is not known any more. A few of the last day are, none from before
// this process began.
func (d *Document) Since(hash string, now time.Time) ([]byte, bool) {
	i := slices.IndexFunc(d.earlier, func(v version) bool { return v.hash == hash })
	if i < 0 || now.Sub(d.replaced(i)) > sinceWithin {
		return nil, false
	}
	had := make(map[*piece]bool, len(d.earlier[i].pieces))
	for _, p := range d.earlier[i].pieces {
		had[p] = true
	}
	var fresh []*piece
	for _, p := range d.pieces {
		if !had[p] {
			fresh = append(fresh, p)
		}
	}
	return bytes.Join(d.parts(fresh), nil), len(fresh) > 0
}

// replaced is when the i-th version before this one made way for another.
func (d *Document) replaced(i int) time.Time {
	if i == 0 {
		return d.Modified
	}
	return d.earlier[i-1].modified
}

// follow makes d the successor of old.
func (d *Document) follow(old *Document) {
	d.earlier = append([]version{{old.Hash, old.Modified, old.pieces}}, old.earlier[:min(len(old.earlier), versions-1)]...)
}
