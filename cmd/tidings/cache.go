package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// cacheFile is where something is kept that makes the next start faster: in a
// folder beside the database that may be deleted at any time.
func (a *app) cacheFile(name string) string {
	return filepath.Join(a.beside()+"-cache", name)
}

// programStamp names this program, so that another one does not take over
// what this one made of the posts.
var programStamp = sync.OnceValue(func() string {
	file, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", version(), info.Size(), info.ModTime().UnixNano())
})
