package main

import "runtime/debug"

// How much the memory may grow between two looks for garbage, in percent.
const (
	startGarbage = 800 // a start fills it with what is to stay there, and finds next to no garbage
	buildGarbage = 150 // a build is over soon, and runs where memory is counted
)

// keepGarbage has the collector run less often until the function it gives is
// called.
func keepGarbage(percent int) (done func()) {
	before := debug.SetGCPercent(percent)
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
