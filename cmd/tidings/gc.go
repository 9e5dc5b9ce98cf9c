package main

import "runtime/debug"

// keepGarbage has the collector run less often until the function it gives is
// called. A start fills the memory with what is to stay there: every look for
// garbage before it is over finds next to none.
func keepGarbage() (done func()) {
	before := debug.SetGCPercent(800)
	return func() { debug.SetGCPercent(before) }
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
