package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Names of temporary files begin and end so.
const (
	tempPrefix = ".tidings-"
	tempSuffix = ".tmp"
)

// replaceFile gives the file these bytes at once: whoever reads it gets all of
// the old ones or all of the new ones, whatever happens. After an error the
// file is as it was.
func replaceFile(root *os.Root, name string, b []byte) error {
	temp := filepath.FromSlash(path.Join(path.Dir(name), fmt.Sprintf("%s%016x%s", tempPrefix, rand.Uint64(), tempSuffix)))
	err := writeSynced(root, temp, b)
	if err == nil {
		err = root.Rename(temp, filepath.FromSlash(name))
	}
	if err != nil {
		root.Remove(temp)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// writeSynced returns when the bytes are on the disk; a rename before that may
// survive a power failure that the bytes do not.
func writeSynced(root *os.Root, name string, b []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// removeLeftovers removes the temporary files that killed processes left in
// the folders.
func removeLeftovers(root *os.Root, folders []string) error {
	for _, folder := range folders {
		files, err := fs.ReadDir(root.FS(), folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
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
