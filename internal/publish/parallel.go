package publish

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls work with each number below n, on all processors, until ctx
// ends.
func parallel(ctx context.Context, n int, work func(i int)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				work(i)
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}
