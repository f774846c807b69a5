// Lint reports lines over 120 columns, functions of a cognitive complexity over
// 25, and functions that nothing calls, unless .ci/lint.txt excuses them. That
// list can only shrink: -shrink takes off what is no longer so, and nothing
// adds to it.
//
//	go run ./cmd/testtools/lint
//	go run ./cmd/testtools/lint -shrink
//	go run ./cmd/testtools/lint -vuln     # known vulnerabilities, by govulncheck
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const listPath = ".ci/lint.txt"

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("lint", flag.ContinueOnError)
	flags.SetOutput(stderr)
	shrink := flags.Bool("shrink", false, "take off "+listPath+" what is no longer so")
	vuln := flags.Bool("vuln", false, "look for known vulnerabilities instead")
	if flags.Parse(args) != nil {
		return 2
	}
	var err error
	if *vuln {
		err = checkVulnerabilities(stdout, stderr)
	} else {
		err = check(stdout, *shrink)
	}
	if err != nil {
		fmt.Fprintln(stderr, "lint:", err)
		return 1
	}
	return 0
}

func check(stdout io.Writer, shrink bool) error {
	text, err := os.ReadFile(listPath)
	if err != nil {
		return err
	}
	list, err := parse(string(text))
	if err != nil {
		return err
	}
	found, err := findings([]string{"cmd", "offline", "online", "shared"})
	if err != nil {
		return err
	}
	bad := list.judge(found)
	for _, line := range bad {
		fmt.Fprintln(stdout, line)
	}
	smaller := list.shrunk(found)
	if stale := len(list) - len(smaller); stale > 0 {
		fmt.Fprintf(stdout, "lint: %d entries of %s are no longer needed: go run ./cmd/testtools/lint -shrink\n", stale, listPath)
	}
	if shrink {
		err = os.WriteFile(listPath, []byte(smaller.String()), 0o644)
	}
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%d findings", len(bad))
	}
	return err
}
