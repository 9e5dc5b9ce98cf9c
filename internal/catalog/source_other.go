//go:build !linux

package catalog

import "os"

type osFile struct{ *os.File }

func openSource(name string) (source, error) {
	file, err := os.Open(name)
	return osFile{file}, err
}

func (f osFile) stamp() (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime()}, nil
}
