package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// guardAttacks give the program what it must not use, or look at what the
// kernel refuses to it. That a control program's TIOCSTI works before the guard
// and fails after it is in offline/harden, TestTypingIntoTheTerminal.
func guardAttacks() []attack {
	return []attack{
		{"07-inherited-socket", inheritedSocket},
		{"07-standard-stream-is-a-socket", streamIsSocket},
		{"07-selftest-shows-each", selftestShowsEach},
		{"07-tiocsti-under-strace", typingUnderStrace},
	}
}

// socket returns one end of a connection, which no child inherits by itself.
func socket(t *testing.T) *os.File {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return theirs
}

// runToEnd runs a command to its end and returns its exit code.
func runToEnd(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%v did not start", cmd.Args)
	}
	return cmd.ProcessState.ExitCode()
}

func inheritedSocket(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{{"selftest"}, {"export"}, {"--help"}} {
		cmd := p.command(append([]string{"--password-file", p.path("pw")}, args...)...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &stdout, &stderr, []*os.File{socket(t)}
		if code := runToEnd(t, cmd); code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "started with an open socket: descriptors that are sockets: 3") {
			t.Errorf("%v: exit %d, %q, %q", args, code, stdout.String(), stderr.String())
		}
	}
}

func streamIsSocket(t *testing.T) {
	p := newPlace(t)
	for _, give := range []func(*exec.Cmd){
		func(c *exec.Cmd) { c.Stdin = socket(t) },
		func(c *exec.Cmd) { c.Stdout = socket(t) },
	} {
		cmd := p.command("--password-file", p.path("pw"), "ledger")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		give(cmd)
		if code := runToEnd(t, cmd); code != 0 || !strings.Contains(stderr.String(), "WARNING: not so: standard streams are no sockets") {
			t.Errorf("exit %d, no warning: %q", code, stderr.String())
		}
	}
	var stdout, stderr strings.Builder
	cmd := p.command("selftest")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket(t), &stdout, &stderr
	runToEnd(t, cmd)
	if !strings.Contains(stdout.String(), "WARN    standard streams are no sockets  descriptors that are sockets: 0") {
		t.Errorf("selftest does not show it:\n%s", stdout.String())
	}
}

func selftestShowsEach(t *testing.T) {
	p := newPlace(t)
	var stdout strings.Builder
	cmd := p.command("selftest")
	cmd.Stdout = &stdout
	runToEnd(t, cmd) // 1: this program has the cheap KDF
	for _, check := range []string{
		"no core files", "memory hidden from other processes", "no sockets, no programs, no tracing",
		"nothing is typed into the terminal", "no socket was handed over", "standard streams are no sockets",
		"new files are for this user only",
	} {
		if !strings.Contains(stdout.String(), "ok      "+check+"  ") {
			t.Errorf("no %q in:\n%s", check, stdout.String())
		}
	}
}

// typingUnderStrace looks at the program from outside: the kernel answers its
// tries of TIOCSTI and TIOCLINUX with EPERM.
func typingUnderStrace(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	p := newPlace(t)
	log := p.path("trace")
	cmd := exec.Command(strace, "-f", "-qq", "-e", "trace=ioctl,seccomp", "-o", log, p.program, "selftest")
	out, _ := cmd.CombinedOutput()
	b, err := os.ReadFile(log)
	if err != nil || strings.Contains(string(out), "PTRACE") {
		t.Skipf("strace may not trace here: %v %.200s", err, out)
	}
	for _, request := range []string{"TIOCSTI", "TIOCLINUX"} {
		seen := false
		for line := range strings.Lines(string(b)) {
			seen = seen || strings.Contains(line, "ioctl(-1, "+request) && strings.Contains(line, "EPERM")
		}
		if !seen {
			t.Errorf("%s was not tried, or not refused:\n%s", request, b)
		}
	}
}
