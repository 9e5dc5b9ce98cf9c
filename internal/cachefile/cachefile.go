// Package cachefile keeps on disk what could be made again at a cost: records
// by name, in one file. The file is good for one stamp only, which names
// everything the records depend on beside their names; it is written as a
// whole, and one that is missing, damaged or of another stamp holds nothing.
// It is no database: whatever must not be lost has no place here.
package cachefile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// magic begins every file and names its format.
const magic = "tidings cache 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Read gives the records of the file, which may share memory. Only a file
// that is there but cannot be read is an error.
func Read(file, stamp string) (map[string][]byte, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the cache: %w", err)
	}
	return decode(b, stamp), nil
}

// decode gives nil for a file that is not as Write left it.
func decode(b []byte, stamp string) map[string][]byte {
	end := len(b) - crc32.Size
	if end < len(magic) || string(b[:len(magic)]) != magic ||
		crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return nil
	}
	r := reader(b[len(magic):end])
	if found, ok := r.next(); !ok || string(found) != stamp {
		return nil
	}
	records := make(map[string][]byte, r.count()/2)
	for len(r) > 0 {
		name, ok := r.next()
		value, ok2 := r.next()
		if !ok || !ok2 {
			return nil
		}
		records[string(name)] = value
	}
	return records
}

// A reader is what is left of a file.
type reader []byte

// count gives the number of fields, up to the first that is damaged.
func (r reader) count() (n int) {
	for len(r) > 0 {
		if _, ok := r.next(); !ok {
			break
		}
		n++
	}
	return n
}

// next takes one field off: its length and that many bytes.
func (r *reader) next() ([]byte, bool) {
	n, used := binary.Uvarint(*r)
	if used <= 0 || n > uint64(len(*r)-used) {
		return nil, false
	}
	end := used + int(n)
	field := (*r)[used:end:end]
	*r = (*r)[end:]
	return field, true
}

// Write replaces the file. It does not wait for the disk: after a power
// failure the file may be damaged, and then holds nothing.
func Write(file, stamp string, records iter.Seq2[string, []byte]) error {
	if err := replace(file, stamp, records); err != nil {
		return fmt.Errorf("write the cache: %w", err)
	}
	return nil
}

func replace(file, stamp string, records iter.Seq2[string, []byte]) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // in vain after the rename
	err = errors.Join(encode(temp, stamp, records), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

func encode(out io.Writer, stamp string, records iter.Seq2[string, []byte]) error {
	sum := crc32.New(castagnoli)
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<16)
	w.WriteString(magic)
	field(w, stamp)
	for name, value := range records {
		field(w, name)
		field(w, value)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := out.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// field keeps its error in w until Flush.
func field[T string | []byte](w *bufio.Writer, v T) {
	w.Write(binary.AppendUvarint(w.AvailableBuffer(), uint64(len(v))))
	switch v := any(v).(type) {
	case string:
		w.WriteString(v)
	case []byte:
		w.Write(v)
	}
}
