// Package parallel spreads independent pieces of work over all cores.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each runs f for 0 … n-1 on all cores and returns when all are done. Results
// go where their index says, so the outcome does not depend on the machine. A
// panic of f is one of the caller's, who can contain it.
func Each(n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	var fault atomic.Pointer[any]
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					fault.CompareAndSwap(nil, &r)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
	if r := fault.Load(); r != nil {
		panic(*r)
	}
}
