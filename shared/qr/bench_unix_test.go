//go:build unix

package qr

import (
	"image"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRead reads the test frames, each by a reader that has not seen it
// (cold), and one again and again, like steady video (steady).
func BenchmarkRead(b *testing.B) {
	for _, model := range []string{"easy", "std", "hard", "small", "tilt45"} {
		for _, version := range []string{"v10", "v20", "v30", "v40"} {
			var list []*image.Gray
			for _, f := range folder(b, "testdata/frames") {
				if f.Model == model && f.Version == version {
					list = append(list, gray(b, f))
				}
			}
			b.Run("cold/"+version+"/"+model, func(b *testing.B) { readAll(b, list, false) })
			b.Run("steady/"+version+"/"+model, func(b *testing.B) { readAll(b, list, true) })
		}
	}
}

func readAll(b *testing.B, list []*image.Gray, steady bool) {
	var r Reader
	start := cpu()
	for i := range b.N {
		k := i % len(list)
		if steady {
			k = 0
		} else {
			r.count, r.misses, r.won = 0, 0, attempt{}
		}
		r.Read(list[k])
	}
	b.ReportMetric(float64(cpu()-start)/1e6/float64(b.N), "cpu-ms/op")
}

// cpu is what this process has used: on a machine that others use too, a clock
// says nothing.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
