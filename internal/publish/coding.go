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

// squeezers keep the buffers of each coding from one use to the next.
var squeezers = map[string]*sync.Pool{"gzip": {}, "br": {}, "zstd": {}}

type squeezer interface {
	io.WriteCloser
	Reset(io.Writer)
}

// brotliQuality is short of the best, 11, which takes ten times as long for a
// few per cent.
const brotliQuality = 9

func newSqueezer(coding string) (squeezer, error) {
	switch coding {
	case "gzip":
		return gzip.NewWriterLevel(nil, gzip.BestCompression)
	case "br":
		return brotli.NewWriterLevel(nil, brotliQuality), nil
	}
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
}

// CheckCodings tells which name is none of a coding.
func CheckCodings(names []string) error {
	for _, name := range names {
		if suffixes[name] == "" {
			return fmt.Errorf("unknown compression %q; use gzip, br or zstd", name)
		}
	}
	return nil
}

// Compress gives b in the coding "gzip", "br" or "zstd", as small as its
// siblings on disk. The same bytes always give the same result.
func Compress(coding string, b []byte) ([]byte, error) {
	return squeeze(coding, bytes.NewReader(b))
}

func squeeze(coding string, from io.WriterTo) ([]byte, error) {
	if err := CheckCodings([]string{coding}); err != nil {
		return nil, err
	}
	w, _ := squeezers[coding].Get().(squeezer)
	if w == nil {
		var err error
		if w, err = newSqueezer(coding); err != nil {
			return nil, err
		}
	}
	defer squeezers[coding].Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, err := from.WriteTo(w)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("compress with %s: %w", coding, err)
	}
	return out.Bytes(), nil
}
