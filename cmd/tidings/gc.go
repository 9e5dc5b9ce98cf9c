package main

import "runtime/debug"

// keepGarbage has the collector run less often until the function it gives is
// called. A start fills the memory with what is to stay there: every look for
// garbage before it is over finds next to none.
func keepGarbage() (done func()) {
	before := debug.SetGCPercent(800)
	return func() { debug.SetGCPercent(before) }
}
