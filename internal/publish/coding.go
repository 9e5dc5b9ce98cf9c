package publish

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// A coding is one way to compress files for web servers that send such
// siblings as they are. The same bytes always give the same result. It keeps
// its buffers from file to file and is not safe for concurrent use.
type coding struct {
	suffix string
	writer interface {
		io.WriteCloser
		Reset(io.Writer)
	}
}

// newCoding finds a coding by its name in HTTP (RFC 9110 §8.4.1, RFC 7932,
// RFC 8878).
func newCoding(name string) (coding, error) {
	switch name {
	case "gzip":
		w, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
		return coding{".gz", w}, err
	case "br":
		return coding{".br", brotli.NewWriterLevel(nil, brotliQuality)}, nil
	case "zstd":
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
		return coding{".zst", w}, err
	}
	return coding{}, fmt.Errorf("unknown compression %q; use gzip, br or zstd", name)
}

// brotliQuality is short of the best, 11, which takes ten times as long for a
// few per cent.
const brotliQuality = 9

func (c coding) compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	c.writer.Reset(&out)
	_, err := c.writer.Write(b)
	if err = errors.Join(err, c.writer.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
