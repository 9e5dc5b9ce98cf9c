package publish

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// manifestFile lists what Write wrote into a directory, so that files of
// feeds that are no more can be told from everybody else's.
const manifestFile = ".tidings-manifest.json"

type manifest struct {
	Files map[string]manifestEntry `json:"files"` // by slash-separated path

	self manifestEntry // its own file
}

type manifestEntry struct {
	SHA256 string `json:"sha256"`
	Source string `json:"source,omitempty"` // of a compressed sibling: SHA-256 of the plain file

	info fs.FileInfo // the file when it last held these bytes; nil: not known
}

func readManifest(root *os.Root) (manifest, error) {
	m := manifest{Files: map[string]manifestEntry{}}
	b, err := root.ReadFile(manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%s is damaged: %w; delete it, and feeds that are no more by hand", manifestFile, err)
	}
	maps.DeleteFunc(m.Files, func(name string, _ manifestEntry) bool {
		return !filepath.IsLocal(filepath.FromSlash(name)) // not ours, whoever put it there
	})
	return m, nil
}

// encode is readable: people meet the file in their site's folder.
func (m manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}
