package publish

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// Names of temporary files begin and end so.
const (
	tempPrefix = ".tidings-"
	tempSuffix = ".tmp"
)

// A move is a new file that waits for its place in its folder.
type move struct{ temp, base string }

// writeTemp makes the new file, with the permissions of the process's umask.
// After an error there is none. The info describes the file at its place too.
func writeTemp(dir *os.Root, base string, d *Document) (move, fs.FileInfo, error) {
	m := move{temp: fmt.Sprintf("%s%016x%s", tempPrefix, rand.Uint64(), tempSuffix), base: base}
	f, err := dir.OpenFile(m.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return move{}, nil, err
	}
	buffer := buffers.Get().(*bufio.Writer)
	defer buffers.Put(buffer)
	buffer.Reset(f)
	_, err = d.WriteTo(buffer)
	err = errors.Join(err, buffer.Flush())
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return move{}, nil, errors.Join(err, dir.Remove(m.temp))
	}
	return m, info, nil
}

// buffers gather the many small parts of documents.
var buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, chunk) }}

// commit gives the file its place at once: whoever opens it gets all of the
// old bytes or all of the new ones.
func (m move) commit(dir *os.Root) error { return dir.Rename(m.temp, m.base) }

// fewFiles is how many files are brought to the disk one by one; for more it
// is cheaper to bring everything there that waits.
const fewFiles = 24

// syncAll returns when the bytes of the files are on the disk. A rename before
// that may survive a power failure that the bytes do not.
func syncAll(root *os.Root, names []string) error {
	if len(names) > fewFiles {
		if done, err := syncFileSystem(root); done {
			return err
		}
	}
	errs := make([]error, len(names))
	_ = parallel(context.Background(), len(names), func(i int) { errs[i] = syncFile(root, names[i]) })
	return errors.Join(errs...)
}

func syncFile(root *os.Root, name string) error {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeLeftovers removes the temporary files that killed processes left in
// the folders.
func removeLeftovers(root *os.Root, folders []string) error {
	for _, folder := range folders {
		files, err := fs.ReadDir(root.FS(), folder)
		if errors.Is(err, fs.ErrNotExist) || err != nil && fileInTheWay(root, folder) {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range files {
			if !strings.HasPrefix(f.Name(), tempPrefix) || !strings.HasSuffix(f.Name(), tempSuffix) {
				continue
			}
			if err := root.Remove(filepath.FromSlash(path.Join(folder, f.Name()))); err != nil {
				return err
			}
		}
	}
	return nil
}
