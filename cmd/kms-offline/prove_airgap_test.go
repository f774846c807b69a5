//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The roles in which this test binary runs itself under strace.
const airgapVar = "COLDKMS_TEST_AIRGAP"

// traced are the system calls that are written down: all of the network's, and
// those by which one process becomes another.
const traced = "trace=%network,io_uring_setup,execve,execveat,clone,clone3,fork,vfork"

// The scripts of the acceptance tests are run under strace: no process of the
// signer ever has a call of the network succeed, and none is made but those by
// which the guard tries itself at the start. A test run can afford a few of the
// scripts; KMS_AIRGAP=all takes all of them:
//
//	KMS_AIRGAP=all go test ./cmd/kms-offline -run Strace -v
func TestNoSocketUnderStrace(t *testing.T) {
	if os.Getenv(airgapVar) != "" {
		t.Skip("this is the run that is traced")
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: apt-get install strace, to see the system calls of the acceptance scripts")
	}
	scripts, least := "^TestScripts$/^(sign|psbt|guide)$", 30
	if os.Getenv("KMS_AIRGAP") == "all" {
		scripts, least = "^TestScripts$", 200
	}
	seen := traceOf(t, strace, "-test.run="+scripts).of("/program/kms-offline")
	if seen.processes < least {
		t.Fatalf("%d processes of the signer were seen: the scripts are not what is traced", seen.processes)
	}
	if len(seen.succeeded) > 0 {
		t.Errorf("calls of the network that succeeded:\n%s", strings.Join(seen.succeeded, "\n"))
	}
	if len(seen.others) > 0 {
		t.Errorf("calls of the network beside the guard's own tries:\n%s", strings.Join(seen.others, "\n"))
	}
	if seen.tries < 10*seen.processes {
		t.Errorf("%d tries of the guard in %d processes: the trace does not see them", seen.tries, seen.processes)
	}
	fmt.Printf("air gap: %d processes of kms-offline under strace, 0 calls of the network succeeded (%d tries of the guard refused)\n", seen.processes, seen.tries)
}

// The trace is not blind: a process that opens a socket is found.
func TestStraceSeesSockets(t *testing.T) {
	if os.Getenv(airgapVar) != "" {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Close(fd)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	seen := traceOf(t, strace, "-test.run=^TestStraceSeesSockets$").of(filepath.Base(os.Args[0]))
	if seen.processes != 1 || len(seen.succeeded) == 0 {
		t.Errorf("%d processes, and of their sockets %d are seen", seen.processes, len(seen.succeeded))
	}
}

// traceOf runs this test binary under strace.
func traceOf(t *testing.T, strace string, args ...string) *trace {
	t.Helper()
	log := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, append([]string{"-f", "-qq", "-s", "200", "-e", traced, "-e", "signal=none", "-o", log, os.Args[0]}, args...)...)
	cmd.Env = append(os.Environ(), airgapVar+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "PTRACE") || strings.Contains(string(out), "Operation not permitted") {
			t.Skipf("strace may not trace here: %.200s", out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr := &trace{program: map[int]string{}, pending: map[int]string{}, calls: map[string]*calls{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		tr.line(lines.Text())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return tr
}

// calls are those of all processes of one program.
type calls struct {
	processes, tries  int
	succeeded, others []string
}

// trace is what strace has written, by program.
type trace struct {
	program map[int]string // thread → what it runs
	pending map[int]string // thread → a call that strace had to break off
	calls   map[string]*calls
}

// of returns the calls of the programs whose path ends so.
func (tr *trace) of(suffix string) (sum calls) {
	for path, c := range tr.calls {
		if strings.HasSuffix(path, suffix) {
			sum.processes, sum.tries = sum.processes+c.processes, sum.tries+c.tries
			sum.succeeded, sum.others = append(sum.succeeded, c.succeeded...), append(sum.others, c.others...)
		}
	}
	return sum
}

var (
	traceLine = regexp.MustCompile(`^(\d+)\s+(.*)$`)
	traceRest = regexp.MustCompile(`^<\.\.\. \w+ resumed>\s?(.*)$`)
	traceName = regexp.MustCompile(`^(\w+)\(`)
	traceExec = regexp.MustCompile(`^execve(?:at)?\("([^"]*)"`)
	traceEnd  = regexp.MustCompile(`\)\s+= (-?\d+|0x[0-9a-f]+|\?)`)
)

// line takes in one line of the log, joined with its beginning where strace
// wrote it in two.
func (tr *trace) line(text string) {
	m := traceLine.FindStringSubmatch(text)
	if m == nil {
		return
	}
	thread, _ := strconv.Atoi(m[1])
	call := m[2]
	if begun, ok := strings.CutSuffix(call, " <unfinished ...>"); ok {
		tr.pending[thread] = begun
		return
	}
	if r := traceRest.FindStringSubmatch(call); r != nil {
		call = tr.pending[thread] + r[1]
		delete(tr.pending, thread)
	}
	name, end := traceName.FindStringSubmatch(call), traceEnd.FindAllStringSubmatch(call, -1)
	if name == nil || end == nil {
		return
	}
	tr.call(thread, name[1], end[len(end)-1][1], call)
}

func (tr *trace) call(thread int, name, result, call string) {
	ok := !strings.HasPrefix(result, "-") && result != "?"
	switch name {
	case "clone", "clone3", "fork", "vfork":
		if child, err := strconv.Atoi(result); err == nil && child > 0 {
			tr.born(child, thread)
		}
		return
	case "execve", "execveat":
		if path := traceExec.FindStringSubmatch(call); path != nil && ok {
			tr.program[thread] = path[1]
			tr.at(thread).processes++
			return
		}
	}
	c := tr.at(thread)
	switch {
	case ok:
		c.succeeded = append(c.succeeded, call)
	case guardsTry(call):
		c.tries++
	default:
		c.others = append(c.others, call)
	}
}

// born says of which process a thread is a copy. Its first calls may have been
// written before its birth.
func (tr *trace) born(child, parent int) {
	early := tr.calls[unborn(child)]
	delete(tr.calls, unborn(child))
	if tr.program[child] != "" {
		return // it is another program by now
	}
	tr.program[child] = tr.program[parent]
	if early == nil {
		return
	}
	c := tr.at(child)
	c.tries += early.tries
	c.succeeded, c.others = append(c.succeeded, early.succeeded...), append(c.others, early.others...)
}

func unborn(thread int) string { return fmt.Sprint("thread ", thread) }

func (tr *trace) at(thread int) *calls {
	path := tr.program[thread]
	if path == "" {
		path = unborn(thread)
	}
	if tr.calls[path] == nil {
		tr.calls[path] = &calls{}
	}
	return tr.calls[path]
}

// guardsTry knows a call by the arguments that no kernel acts on, with which
// the guard tries whether it is refused.
func guardsTry(call string) bool {
	_, args, _ := strings.Cut(call, "(")
	first, _, _ := strings.Cut(args, ",")
	return strings.Contains(call, "EPERM") && slices.Contains([]string{"-1", "0xffffffff /* AF_??? */", "0xffffffffffffffff", "4294967295", "-1 /* AF_??? */"}, strings.TrimSpace(first))
}
