package online_test

import (
	"testing"

	"coldkms/online"
)

// BenchmarkRelay takes 10,000 pending transactions, each with a previous
// transaction of its own, from Tatum into a request on disk.
func BenchmarkRelay(b *testing.B) {
	const items = 10_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for n := range items {
			w.pay(n+1, nil)
		}
		b.StartTimer()
		if got := w.fetch(); got.Prepared != items {
			b.Fatalf("%d prepared", got.Prepared)
		}
		if got := w.export(online.ExportOptions{}); got.Items != items {
			b.Fatalf("%d exported", got.Items)
		}
	}
}

// BenchmarkImport verifies and journals a result of 1,000 items.
func BenchmarkImport(b *testing.B) {
	const items = 1_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for n := range items {
			w.pay(n+1, nil)
		}
		w.fetch()
		result := w.signer.Sign(w.exported(online.ExportOptions{}), nil)
		b.StartTimer()
		if got := w.imports(result); got.Imported != items {
			b.Fatalf("%+v", got)
		}
	}
}
