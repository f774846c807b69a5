// Package faulttable runs a table of faults as subtests and prints which held.
package faulttable

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// Row is a fault: the name of its subtest, and the test.
type Row struct {
	Name string
	Run  func(*testing.T)
}

// Run runs each row as a subtest, some at a time: most of them wait for programs.
// It prints a line for each that ran, named kind, and the total: what -run leaves
// out, or the machine cannot run, does not count.
func Run[T any](t *testing.T, kind string, table []T, row func(T) Row) {
	t.Helper()
	var held, tried atomic.Int64
	t.Cleanup(func() { fmt.Printf("%ss: %d/%d held\n", kind, held.Load(), tried.Load()) })
	for _, entry := range table {
		r := row(entry)
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				switch {
				case t.Failed():
					fmt.Printf("%s: %s: NOT HELD\n", kind, r.Name)
				case t.Skipped():
					return
				default:
					held.Add(1)
					fmt.Printf("%s: %s: held\n", kind, r.Name)
				}
				tried.Add(1)
			})
			r.Run(t)
		})
	}
}
