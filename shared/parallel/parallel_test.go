package parallel

import (
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	var sum atomic.Int64
	Each(1000, func(i int) { sum.Add(int64(i)) })
	Each(0, func(int) { t.Error("called for nothing") })
	if sum.Load() != 499_500 {
		t.Errorf("sum %d", sum.Load())
	}
}

// A panic in one piece of work reaches the caller, who may contain it; in a
// goroutine of its own it would end the program.
func TestPanicIsTheCallers(t *testing.T) {
	defer func() {
		if r := recover(); r != "fault" {
			t.Errorf("recovered %v", r)
		}
	}()
	Each(100, func(i int) {
		if i == 37 {
			panic("fault")
		}
	})
	t.Error("Each returned")
}
