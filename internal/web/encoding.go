package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"tidings/internal/publish"
)

// worthGzip is the size below which compression saves no packet.
const worthGzip = 1024

// namesGzip reports whether the client names gzip with a weight above 0. The
// wildcard is not enough: there are readers that send it and decode nothing.
func namesGzip(r *http.Request) bool {
	for _, field := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(field, ",") {
			coding, params, _ := strings.Cut(part, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if (coding == "gzip" || coding == "x-gzip") && weight(params) > 0 {
				return true
			}
		}
	}
	return false
}

// weight reads "q=0.5" (RFC 9110 §12.4.2); 1 if there is none, 0 if it is no
// number.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}

// gzipCache holds the compressed form of each document of the present set,
// made when it is first asked for and then once only.
type gzipCache struct {
	mu   sync.Mutex
	set  *publish.Set
	made map[string]func() []byte // by document hash
}

// get gives the compressed bytes; nil if compression does not pay.
func (c *gzipCache) get(set *publish.Set, doc *publish.Document) []byte {
	if len(doc.Bytes()) < worthGzip {
		return nil
	}
	return c.maker(set, doc)()
}

// maker gives the function that compresses doc on its first call.
func (c *gzipCache) maker(set *publish.Set, doc *publish.Document) func() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != set {
		c.set, c.made = set, kept(c.made, set)
	}
	m := c.made[doc.Hash]
	if m == nil {
		m = sync.OnceValue(func() []byte { return compress(doc.Bytes()) })
		c.made[doc.Hash] = m
	}
	return m
}

// kept is the part of made that the new set still has.
func kept(made map[string]func() []byte, set *publish.Set) map[string]func() []byte {
	still := map[string]func() []byte{}
	for _, doc := range set.Documents() {
		if m := made[doc.Hash]; m != nil {
			still[doc.Hash] = m
		}
	}
	return still
}

// compress gives nil if the result is no smaller.
func compress(b []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(b); err != nil || w.Close() != nil || out.Len() >= len(b) {
		return nil
	}
	return out.Bytes()
}
