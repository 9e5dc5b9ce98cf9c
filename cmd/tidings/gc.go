package main

import (
	"runtime/debug"
	"sync"
	"time"
)

// startGarbage is how much the memory may grow between two looks for garbage
// during a start, in percent: it fills with what is to stay there.
const startGarbage = 1000

// startOver is how long after a start the collector is left alone: it would look
// over everything just when the first answers are due.
const startOver = 10 * time.Second

// garbage is whoever has the collector run less often just now; a reload makes
// two of them.
var garbage struct {
	sync.Mutex
	keepers int
	usual   int // percent without them
}

// keepGarbage has the collector run less often until the function it gives is
// called.
func keepGarbage() (done func()) {
	garbage.Lock()
	defer garbage.Unlock()
	if before := debug.SetGCPercent(startGarbage); garbage.keepers == 0 {
		garbage.usual = before
	}
	garbage.keepers++
	return sync.OnceFunc(func() {
		garbage.Lock()
		defer garbage.Unlock()
		if garbage.keepers--; garbage.keepers == 0 {
			debug.SetGCPercent(garbage.usual)
		}
	})
}

// importMemory is what an import may have besides the database's cache.
const importMemory = 64 << 20

// bound has the collector run only when so many bytes are in use, until the
// function it gives is called.
func bound(bytes int64) (done func()) {
	limit, percent := debug.SetMemoryLimit(bytes), debug.SetGCPercent(400)
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}
