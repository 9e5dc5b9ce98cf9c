package publish

import (
	"bytes"
	"fmt"
	"sync"
)

// every has all codings.
var every = sync.OnceValues(func() (codecs, error) { return newCodecs(codingNames) })

// Compress gives b in the coding "gzip", "br" or "zstd", as small as its
// siblings on disk. It is safe for concurrent use.
func Compress(name string, b []byte) ([]byte, error) {
	c, err := every()
	if err != nil {
		return nil, err
	}
	if c.writers[name] == nil {
		return nil, fmt.Errorf("unknown compression %q; use gzip, br or zstd", name)
	}
	return c.compress(name, bytes.NewReader(b))
}
