//go:build unix

// Bench measures what docs/PERFORMANCE.md claims and prints one table. Every
// ratio is of two figures of the same run, because machines differ and a busy
// one differs from itself.
//
// KMS_TATUM_JS=DIR, a folder in which "npm install @tatumio/tatum" was run,
// adds Tatum's own library to the table (it needs node).
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "a tenth of the batches")
	growth := flag.Bool("growth", false, "only what a relay with nothing to do costs")
	open := flag.Bool("open", false, "only what each step of a relay costs with many items open")
	items := flag.Int("items", 100_000, "how many those are")
	profile := flag.String("profile", "", "with -open, write the CPU profile of broadcast to this file; on SQLite only")
	serve := flag.Int("tatum", 0, "be a Tatum with so many pending transactions, for -open")
	flag.Parse()
	if *serve > 0 {
		serveTatum(*serve)
		return
	}
	t := &table{quick: *quick, items: *items, profile: *profile}
	parts := []func() error{t.signing, t.inputs, t.batches, t.wallet, t.relay, t.open, t.growth, t.optical}
	if *growth {
		parts = []func() error{t.growth}
	}
	if *open {
		parts = []func() error{t.open}
	}
	fmt.Printf("%s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.Version())
	for _, part := range parts {
		if err := part(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
	t.print()
}

// table collects rows: what, the figure, how it compares, and the goal.
type table struct {
	quick bool
	items int
	rows  [][4]string

	profile string // file for the CPU profile of broadcast, "" for none
}

func (t *table) add(what, figure, ratio, goal string) {
	fmt.Fprintf(os.Stderr, "  %s: %s  %s\n", what, figure, ratio)
	t.rows = append(t.rows, [4]string{what, figure, ratio, goal})
}

func (t *table) print() {
	w := tabwriter.NewWriter(os.Stdout, 2, 4, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmeasured\tcompared\tgoal")
	for _, r := range t.rows {
		fmt.Fprintln(w, strings.Join(r[:], "\t"))
	}
	_ = w.Flush()
}

// size is n, or a tenth of it with -quick.
func (t *table) size(n int) int {
	if t.quick {
		return n / 10
	}
	return n
}

func micro(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
