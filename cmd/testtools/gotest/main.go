// Tests runs go test, shows what it prints, and ends with the slowest tests, the
// tests that were skipped and why, the totals, and the names of the tests that
// failed, so that the last lines say what happened.
//
// With KMS_NO_SKIP=1 a skipped test is a failure, unless its reason names a
// variable (KMS_…) that asks for it, or says what this kernel lacks.
//
//	go run ./cmd/testtools/gotest -timeout 20m ./...
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr, cmd.Env = stderr, files(os.Environ())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(stderr, "tests:", err)
		return 1
	}
	seen := tally{noSkip: os.Getenv("KMS_NO_SKIP") == "1"}
	readErr := seen.read(out, stdout)
	_, _ = io.Copy(io.Discard, out) // or go test would wait for ever
	err = cmd.Wait()
	fmt.Fprint(stdout, seen.summary())
	if readErr != nil {
		fmt.Fprintln(stderr, "tests:", readErr)
	}
	if err != nil || readErr != nil || len(seen.failed) > 0 {
		return 1
	}
	return 0
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string

	Elapsed float64 // seconds, at the end
}

// tally counts packages, and keeps what the tests that run have printed.
type tally struct {
	noSkip           bool
	passed, untested int      // packages
	ran              int      // tests and subtests
	failed           []string // "package", or "package TestName"
	skipped          []skip
	slow             []timed
	running          map[string][]string
}

type skip struct{ name, reason string }

type timed struct {
	name    string
	seconds float64
}

func (t *tally) read(in io.Reader, out io.Writer) error {
	t.running = make(map[string][]string)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			t.line(line, out)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) line(line []byte, out io.Writer) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		_, _ = out.Write(line) // not of go test -json, such as of a tool that it runs
		return
	}
	name := e.name()
	switch e.Action {
	case "output":
		if e.Test == "" || e.isTable() {
			t.print(out, e)
			return
		}
		t.running[name] = append(t.running[name], e.Output)
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "build-fail":
		t.failed = append(t.failed, e.ImportPath+" (does not build)")
	case "pass", "skip", "fail":
		t.end(e, out)
	}
}

// print leaves out what every package prints.
func (t *tally) print(out io.Writer, e event) {
	if e.Output != "PASS\n" && e.Output != "FAIL\n" {
		fmt.Fprint(out, e.Output)
	}
}

// isTable reports whether a line is for people although the test passes: the
// lines of a table, and what a machine cannot run.
func (e event) isTable() bool {
	for _, start := range [...]string{"relay fault", "attack", "stick: "} {
		if strings.HasPrefix(e.Output, start) {
			return true
		}
	}
	return false
}

func (e event) name() string { return strings.TrimSpace(e.Package + " " + e.Test) }

// end shows what a test that failed has printed.
func (t *tally) end(e event, out io.Writer) {
	name := e.name()
	if e.Test != "" {
		t.count(e, name)
	}
	switch {
	case e.Action == "fail":
		if e.Test == "" {
			t.unended(e.Package+" ", out)
		}
		t.show(name, out)
		if e.Test != "" || e.FailedBuild == "" && !t.has(e.Package+" ") {
			t.failed = append(t.failed, name)
		}
	case e.Test == "" && e.Action == "pass":
		t.passed++
	case e.Test == "":
		t.untested++
	}
	delete(t.running, name)
}

func (t *tally) count(e event, name string) {
	if e.Action == "skip" {
		s := skip{name, reason(t.running[name])}
		t.skipped = append(t.skipped, s)
		if t.noSkip && !s.isExcused() {
			t.failed = append(t.failed, name)
		}
		return
	}
	t.ran++
	if !strings.Contains(e.Test, "/") {
		t.slow = append(t.slow, timed{name, e.Elapsed})
	}
}

// isExcused reports whether nothing that can be installed makes a test run: it
// waits for a variable to ask for it, or for another kernel.
func (s skip) isExcused() bool {
	return strings.Contains(s.reason, "KMS_") || strings.HasPrefix(s.reason, "this kernel")
}

var logLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// reason returns the last message that a skipped test has logged.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if m := logLine.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return "no reason given"
}

// unended shows the tests of a package that were cut off, by a panic or a timeout.
func (t *tally) unended(prefix string, out io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(t.running)) {
		if strings.HasPrefix(name, prefix) {
			t.show(name, out)
			t.failed = append(t.failed, name)
			delete(t.running, name)
		}
	}
}

func (t *tally) show(name string, out io.Writer) {
	for _, line := range t.running[name] {
		fmt.Fprint(out, line)
	}
}

// has reports whether a test of a package has failed.
func (t *tally) has(prefix string) bool {
	return slices.ContainsFunc(t.failed, func(f string) bool { return strings.HasPrefix(f, prefix) })
}

// summary is the last lines. A test is not named where its subtests are.
func (t *tally) summary() string {
	var worst []string
	packages := make(map[string]bool)
	for _, f := range t.failed {
		packages[strings.Fields(f)[0]] = true
		if !t.has(f + "/") {
			worst = append(worst, "FAILED: "+f+"\n")
		}
	}
	slices.Sort(worst)
	word := "ok"
	if len(t.failed) > 0 {
		word = "FAIL"
	}
	return t.slowest() + t.skips() + strings.Join(worst, "") + fmt.Sprintf(
		"%s: %d packages ok, %d without tests, %d failed; %d tests ran, %d were skipped\n",
		word, t.passed, t.untested, len(packages), t.ran, len(t.skipped))
}

// slowest returns a line for each of the tests that took longest.
func (t *tally) slowest() string {
	const most, least = 10, 1
	slices.SortStableFunc(t.slow, func(a, b timed) int { return cmp.Compare(b.seconds, a.seconds) })
	var b strings.Builder
	for _, s := range t.slow[:min(most, len(t.slow))] {
		if s.seconds >= least {
			fmt.Fprintf(&b, "slow: %6.1f s %s\n", s.seconds, s.name)
		}
	}
	return b.String()
}

func (t *tally) skips() string {
	var b strings.Builder
	for _, s := range t.skipped {
		fmt.Fprintf(&b, "skipped: %s: %s\n", s.name, s.reason)
	}
	return b.String()
}
