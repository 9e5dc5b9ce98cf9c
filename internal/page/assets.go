package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/url"
	"path"
	"strings"
)

// An Asset is a file that pages refer to.
type Asset struct {
	Name      string
	MediaType string
	Bytes     []byte
	Hash      string // of Bytes; part of its address, so that it may be cached for ever
}

// Assets is the files of assets/.
type Assets struct {
	root   string
	byName map[string]*Asset
}

// loadAssets reads every file of the directory but hidden ones.
func loadAssets(fsys fs.FS, root string) (*Assets, error) {
	entries, err := fs.ReadDir(fsys, "assets")
	if err != nil {
		return nil, fmt.Errorf("load the assets: %w", err)
	}
	a := &Assets{root: root, byName: map[string]*Asset{}}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := fs.ReadFile(fsys, "assets/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("load the assets: %w", err)
		}
		sum := sha256.Sum256(b)
		a.byName[e.Name()] = &Asset{Name: e.Name(), MediaType: mediaType(e.Name()), Bytes: b, Hash: hex.EncodeToString(sum[:])}
	}
	return a, nil
}

// mediaType goes by the name alone; the machine's own tables do not matter
// for what is shipped.
func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// Lookup gives the asset of that name; nil if there is none.
func (a *Assets) Lookup(name string) *Asset { return a.byName[name] }

// URL gives the address of an asset, which changes with its bytes.
func (a *Assets) URL(name string) (string, error) {
	f := a.byName[name]
	if f == nil {
		return "", fmt.Errorf("there is no file assets/%s", name)
	}
	return a.root + "/assets/" + url.PathEscape(name) + "?v=" + f.Version(), nil
}

// Version is the part of an asset's address that changes with its bytes.
func (f *Asset) Version() string { return f.Hash[:12] }
