package harden_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/creack/pty"

	"coldkms/offline/harden"
)

const roleVar = "COLDKMS_TEST_GUARD"

// TestMain makes this binary the process that is looked at: with the role
// "open" as it is, with "hardened" after Harden.
func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(m.Run())
	}
	if role == "int80" {
		tryInt80()
		return
	}
	other := make(chan func())
	go func() { // a thread that was there before the filter
		runtime.LockOSThread()
		for f := range other {
			f()
		}
	}()
	on := func(f func()) {
		done := make(chan bool)
		other <- func() { f(); close(done) }
		<-done
	}
	on(func() {})
	if role == "hardened" {
		report, err := harden.Harden()
		for _, c := range report.Checks {
			fmt.Printf("check %q %v\n", c.Name, c.InForce)
			if c.Warning {
				fmt.Printf("warning %q: %s\n", c.Name, c.Detail)
			}
		}
		fmt.Println("harden", err)
	}
	try("here ")
	on(func() { try("there ") })
	if b, err := os.ReadFile("/dev/fd/3"); err == nil {
		fmt.Printf("fd3 %s", b)
	}
}

// try does what a signer never does and prints what came of it.
func try(where string) {
	say := func(what string, err error) {
		if err == nil {
			fmt.Println(where+what, "worked")
		} else {
			fmt.Println(where+what, "failed:", err)
		}
	}
	l, err := net.Listen("unix", filepath.Join(os.TempDir(), fmt.Sprintf("guard-%d-%s", os.Getpid(), strings.TrimSpace(where))))
	if err == nil {
		_ = l.Close()
	}
	say("unix", err)
	udp, err := net.Dial("udp", "127.0.0.1:9")
	if err == nil {
		_ = udp.Close()
	}
	say("udp", err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		_ = tcp.Close()
	}
	say("tcp", err)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		_, _ = syscall.Close(pair[0]), syscall.Close(pair[1])
	}
	say("socketpair", err)
	say("sti", sti())
	say("exec", exec.Command("/bin/true").Run())
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	fmt.Println(where+"core limit", limit.Cur, limit.Max)
	dumpable, _, _ := syscall.Syscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
	fmt.Println(where+"dumpable", dumpable)
}

func run(t *testing.T, role string, change func(*exec.Cmd)) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, "GORACE=atexit_sleep_ms=0")
	if change != nil {
		change(cmd)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func actions() []string { return []string{"unix", "udp", "tcp", "socketpair", "exec"} }

// The control: without Harden everything works, so the test below means
// something.
func TestOpenProcess(t *testing.T) {
	out := run(t, "open", nil)
	for _, a := range actions() {
		for _, where := range []string{"here ", "there "} {
			if !strings.Contains(out, where+a+" worked\n") {
				t.Errorf("%s%s does not work before Harden:\n%s", where, a, out)
			}
		}
	}
	if !strings.Contains(out, "here dumpable 1") {
		t.Errorf("not dumpable before Harden:\n%s", out)
	}
}

func TestHardenedProcess(t *testing.T) {
	out := run(t, "hardened", nil)
	want := []string{"harden <nil>\n"}
	for _, name := range []string{harden.NoCore, harden.NoDump, harden.NoSockets, harden.NoInherited, harden.NoStreams, harden.NoTyping, harden.OwnFiles} {
		want = append(want, fmt.Sprintf("check %q true\n", name))
	}
	for _, where := range []string{"here ", "there "} {
		want = append(want, where+"core limit 0 0\n", where+"dumpable 0\n")
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%q is missing:\n%s", w, out)
		}
	}
	for line := range strings.Lines(out) {
		for _, a := range actions() {
			if strings.Contains(line, " "+a+" ") && !strings.Contains(line, "operation not permitted") {
				t.Errorf("not refused: %s", line)
			}
		}
	}
	if n := strings.Count(out, "operation not permitted"); n != 2*len(actions()) {
		t.Errorf("%d refusals:\n%s", n, out)
	}
}

// sti is a control program: it puts a key into its terminal.
func sti() error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	key := byte('x')
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TIOCSTI, uintptr(unsafe.Pointer(&key)))
	if errno != 0 {
		return errno
	}
	return nil
}

// Where the kernel lets a program type into its terminal, it does not after
// Harden.
func TestTypingIntoTheTerminal(t *testing.T) {
	run := func(role string) string {
		master, slave, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer master.Close()
		defer slave.Close()
		return run(t, role, func(c *exec.Cmd) {
			c.Stdin = slave
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		})
	}
	if out := run("hardened"); !strings.Contains(out, "here sti failed: operation not permitted\n") {
		t.Errorf("not refused after Harden:\n%s", out)
	}
	if out := run("open"); !strings.Contains(out, "here sti worked\n") {
		t.Skipf("this kernel refuses it to everybody (dev.tty.legacy_tiocsti):\n%s", out)
	}
}

func TestInheritedSocket(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Close(pair[1])
	given := os.NewFile(uintptr(pair[0]), "socket")
	defer given.Close()
	out := run(t, "hardened", func(c *exec.Cmd) { c.ExtraFiles = []*os.File{given} })
	if !strings.Contains(out, fmt.Sprintf("check %q false\n", harden.NoInherited)) || !strings.Contains(out, "harden harden: the program was started with an open socket") {
		t.Errorf("it is not refused:\n%s", out)
	}
	out = run(t, "hardened", func(c *exec.Cmd) { c.Stdin = given })
	if !strings.Contains(out, "harden <nil>\n") || !strings.Contains(out, fmt.Sprintf("warning %q: descriptors that are sockets: 0", harden.NoStreams)) {
		t.Errorf("stdin is a socket, and there is no warning:\n%s", out)
	}
}

// A password may come by /dev/fd/3, also to a user who is not root, from whom
// the kernel hides /proc of processes that are not dumpable.
func TestPasswordDescriptor(t *testing.T) {
	for _, uid := range []int{os.Getuid(), 65534} {
		if uid != os.Getuid() && os.Getuid() != 0 {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.WriteString("secret\n")
		_ = w.Close()
		binary := os.Args[0]
		if uid != os.Getuid() {
			binary = copyForAll(t, binary)
			_ = r.Chown(uid, uid)
		}
		out := run(t, "hardened", func(c *exec.Cmd) {
			c.Path = binary
			c.ExtraFiles = []*os.File{r}
			c.Dir = os.TempDir()
			if uid != os.Getuid() {
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
			}
		})
		if !strings.Contains(out, "fd3 secret\n") || !strings.Contains(out, "harden <nil>\n") {
			t.Errorf("as user %d:\n%s", uid, out)
		}
		_ = r.Close()
	}
}

// copyForAll puts the test binary where any user may run it.
func copyForAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	to := filepath.Join(dir, "test")
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}
