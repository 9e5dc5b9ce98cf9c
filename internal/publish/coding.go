package publish

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// codingNames are the codings for files, by their names in HTTP (RFC 9110
// §8.4.1, RFC 7932, RFC 8878), and suffixes what their files are called.
var (
	codingNames = []string{"gzip", "br", "zstd"}
	suffixes    = map[string]string{"gzip": ".gz", "br": ".br", "zstd": ".zst"}
)

// codecs compress files for web servers that send such siblings as they are.
// The same bytes always give the same result. It keeps its buffers from file
// to file and is safe for concurrent use.
type codecs struct {
	names   []string
	writers map[string]*sync.Pool // of resetWriter, by name
}

type resetWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

func newCodecs(names []string) (codecs, error) {
	c := codecs{names: names, writers: map[string]*sync.Pool{}}
	for _, name := range names {
		if suffixes[name] == "" {
			return c, fmt.Errorf("unknown compression %q; use gzip, br or zstd", name)
		}
		c.writers[name] = &sync.Pool{}
	}
	return c, nil
}

func newWriter(coding string) (resetWriter, error) {
	switch coding {
	case "gzip":
		return gzip.NewWriterLevel(nil, gzip.BestCompression)
	case "br":
		return brotli.NewWriterLevel(nil, brotliQuality), nil
	}
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
}

// brotliQuality is short of the best, 11, which takes ten times as long for a
// few per cent.
const brotliQuality = 9

func (c *codecs) compress(coding string, src io.WriterTo) ([]byte, error) {
	w, _ := c.writers[coding].Get().(resetWriter)
	if w == nil {
		var err error
		if w, err = newWriter(coding); err != nil {
			return nil, err
		}
	}
	defer c.writers[coding].Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, err := src.WriteTo(w)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("compress with %s: %w", coding, err)
	}
	return out.Bytes(), nil
}
