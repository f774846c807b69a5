// Package faulttable runs a table of faults as subtests and prints which held.
package faulttable

import (
	"fmt"
	"testing"
)

// Row is a fault: the name of its subtest, and the test.
type Row struct {
	Name string
	Run  func(*testing.T)
}

// Run runs each row as a subtest. It prints a line for each that ran, named
// kind, and the total: what -run leaves out, or the machine cannot run, does
// not count.
func Run[T any](t *testing.T, kind string, table []T, row func(T) Row) {
	t.Helper()
	held, tried := 0, 0
	for _, entry := range table {
		r := row(entry)
		ran := false
		passed := t.Run(r.Name, func(t *testing.T) {
			defer func() { ran = !t.Skipped() }()
			r.Run(t)
		})
		switch {
		case !ran:
			continue
		case passed:
			held++
			fmt.Printf("%s: %s: held\n", kind, r.Name)
		default:
			fmt.Printf("%s: %s: NOT HELD\n", kind, r.Name)
		}
		tried++
	}
	fmt.Printf("%ss: %d/%d held\n", kind, held, tried)
}
