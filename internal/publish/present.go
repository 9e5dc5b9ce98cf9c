package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// chunk is how much of a file is read at a time.
const chunk = 64 << 10

// look reports whether a file has the hash; d is the document that has it, nil
// where it is not at hand. Without a file info is nil. A file that is still the
// one of the entry need not be read: its hash is known.
func look(dir *os.Root, base string, was manifestEntry, hash string, d *Document) (info fs.FileInfo, same bool, err error) {
	info, err = dir.Lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case info.IsDir():
		return info, false, fmt.Errorf("a folder is in the way of the file %s; move it away", base)
	case !info.Mode().IsRegular(), d != nil && info.Size() != int64(d.Size):
		return info, false, nil
	case was.describes(info):
		return info, was.SHA256 == hash, nil
	}
	f, err := dir.Open(base)
	if err != nil {
		return info, false, nil // what cannot be read is not as it should be
	}
	defer f.Close()
	if d != nil {
		_, err = d.WriteTo(&comparison{file: f})
		return info, err == nil, nil
	}
	is, err := hashOf(f)
	return info, err == nil && is == hash, nil
}

// describes reports whether a file is the one that the entry was made for, by
// identity, size and time.
func (e manifestEntry) describes(info fs.FileInfo) bool {
	return e.info != nil && os.SameFile(e.info, info) && e.info.Size() == info.Size() && e.info.ModTime().Equal(info.ModTime())
}

// A comparison is a writer that takes only what a file of the same length
// holds.
type comparison struct {
	file io.Reader
	buf  []byte
}

var errOther = errors.New("the file holds something else")

func (c *comparison) Write(p []byte) (int, error) {
	if c.buf == nil {
		c.buf = make([]byte, chunk)
	}
	for done := 0; done < len(p); {
		part := c.buf[:min(chunk, len(p)-done)]
		if _, err := io.ReadFull(c.file, part); err != nil {
			return done, err
		}
		if !bytes.Equal(part, p[done:done+len(part)]) {
			return done, errOther
		}
		done += len(part)
	}
	return len(p), nil
}

// hashOf is the SHA-256 in hexadecimal digits.
func hashOf(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{r}, make([]byte, chunk)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// untouched reports whether a file of the last manifest still holds what it
// says.
func (p *pass) untouched(name string) bool {
	dir, err := p.root.OpenRoot(filepath.FromSlash(path.Dir(name)))
	if err != nil {
		return false
	}
	defer dir.Close()
	was := p.last.Files[name]
	_, same, err := look(dir, path.Base(name), was, was.SHA256, nil)
	return err == nil && same
}
