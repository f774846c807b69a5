//go:build unix

// Prove runs the long counts, one after the other, and writes what came out
// to docs/EVIDENCE.md: figure, command, date, commit, machine. A proof that was
// not run yet is on the page as not measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	only := flag.String("only", "", "run only the proofs whose name contains this; the others stay as they are on the page")
	out := flag.String("out", filepath.Join("docs", "EVIDENCE.md"), "file to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, out string) error {
	where, err := here(ctx)
	if err != nil {
		return err
	}
	if err := save(out, where, nil); err != nil { // a proof that is new is on the page from now on
		return err
	}
	var results []result
	failed := 0
	for _, p := range proofs {
		if !p.named(only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s …", p.name)
		r := p.run(ctx)
		fmt.Fprintf(os.Stderr, " %s\n", r.took.Round(time.Second))
		if r.err != nil {
			failed++
			fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", p.name, r.err, tail(r.output))
		}
		for _, f := range r.figures {
			fmt.Fprintf(os.Stderr, "  %s\n", f)
		}
		results = append(results, r)
		// after each one: it takes long, and what is done is done
		if err := save(out, where, results); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d proofs failed", failed, len(results))
	}
	return nil
}

// save writes results into the page.
func save(out string, where place, results []result) error {
	old, err := os.ReadFile(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(out, page(old, where, results), 0o644)
}
