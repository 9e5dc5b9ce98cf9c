package roster

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// A part is a file of subscribers: the file itself, or one of an archive.
type part struct {
	name  string // without folders
	label string // as messages call it; "" if it is the only one
	size  int64
	open  func() (io.Reader, error)
}

func (p part) fault(err error) error {
	if p.label == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p.label, err)
}

var zipMagic = []byte("PK\x03\x04")

// partsOf gives the files of subscribers in what may be an archive.
func partsOf(r io.ReaderAt, size int64, name string) ([]part, error) {
	magic := make([]byte, len(zipMagic))
	if n, _ := r.ReadAt(magic, 0); !bytes.Equal(magic[:n], zipMagic) {
		return []part{{name: path.Base(name), size: size, open: func() (io.Reader, error) { return io.NewSectionReader(r, 0, size), nil }}}, nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w; save it again, or unpack it and import the files", err)
	}
	var parts []part
	for _, f := range z.File {
		if base := path.Base(f.Name); strings.EqualFold(path.Ext(base), ".csv") && !strings.HasPrefix(f.Name, "__MACOSX/") {
			parts = append(parts, part{name: base, label: f.Name, size: int64(f.UncompressedSize64), open: entry(f)})
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("the archive holds no CSV file")
	}
	// Of an account's export, only the list of people.
	if lists := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !strings.HasPrefix(p.name, substackList) }); len(lists) > 0 {
		parts = lists
	}
	// Who left comes first, so that whoever stands twice has left.
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(leftFirst(a.name), leftFirst(b.name)) })
	return parts, nil
}

func entry(f *zip.File) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		const encrypted = 1
		if f.Flags&encrypted != 0 {
			return nil, errors.New("it is encrypted; unpack the archive and import the files")
		}
		return f.Open()
	}
}

func leftFirst(name string) int {
	if mailchimpFile(name) == "subscribed" {
		return 1
	}
	return 0
}
