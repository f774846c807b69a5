//go:build unix

package loop

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

// rawCall matches the functions through which Go code makes a system call of
// any number: whoever calls one can do what has no symbol of its own.
var rawCall = regexp.MustCompile(`^(internal/runtime/syscall/linux\.Syscall6|(syscall|golang\.org/x/sys/unix)\.(RawSyscall|Syscall|RawSyscall6|Syscall6|rawSyscallNoError|RawSyscallNoError|SyscallNoError|rawVforkSyscall|runtime_doAllThreadsSyscall|AllThreadsSyscall6?))(\.abi0)?$`)

// rawCallers are the functions of the signer that may make raw system calls:
// Go's runtime, wrappers of one call each, and code of ours that was read for
// it. A new one has to be looked at before it is added.
var rawCallers = regexp.MustCompile(`^(runtime\..*|internal/runtime/.*|` +
	`coldkms/offline/harden\.(isRefused|load|privateFiles)|` + // tries what is refused; seccomp(2); umask(2)
	`coldkms/shared/durable\.(foreignOwner|CheckOwn)|` + // geteuid(2)
	`coldkms/shared/capture/camera\.\(\*device\)\.call|` + // ioctl(2) on a camera
	`golang\.org/x/sys/unix\.(Close|Fstat|Fstatat|Fstatfs|Statfs|Madvise|Mlock|Prctl|PrctlRetInt|Renameat2|ioctl|ioctlPtr|mmap|mremap|munmap|openat|ppoll|pread|read|Fadvise|Sysinfo)|` +
	`internal/syscall/unix\.(CopyFileRange|Fstatat|GetRandom|PidFDOpen|Waitid|Openat|Unlinkat|Mkdirat|Renameat|Linkat)|` +
	`os\.(checkClonePidfd|checkPidfd)|` + // what os does at its start, with no program started
	`syscall\.(Close|Flock|Fstat|Fstatfs|Statfs|Fsync|Ftruncate|Getcwd|Getdents|Mkdirat|Renameat|Seek|Splice|Uname|doCheckClonePidfd|fcntl|fstatat|linkat|mmap|munmap|openat|pipe2|prlimit1|read|readlinkat|sendfile|unlinkat|wait4|write|pread|pwrite|Pread|Pwrite|Fchmod|fchmodat|Fchmodat|utimensat|UtimesNanoAt)|` +
	`(syscall|golang\.org/x/sys/unix)\.(RawSyscall|Syscall|RawSyscall6|Syscall6|RawSyscallNoError)(\.abi0)?)$`) // each the next one's wrapper

// withAssembly are the modules' packages with assembly, which could hold the
// instruction itself: all of them are arithmetic, but x/sys/unix.
var withAssembly = []string{
	"github.com/decred/dcrd/crypto/blake256/internal/compress",
	"golang.org/x/crypto/argon2", "golang.org/x/crypto/blake2b", "golang.org/x/crypto/chacha20poly1305", "golang.org/x/crypto/internal/poly1305",
	"golang.org/x/sys/cpu", "golang.org/x/sys/unix",
}

// strangers lists who makes raw system calls in a program for linux/amd64 and
// may not, and who keeps such a function as a value.
func strangers(t *testing.T, binary string) []string {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	sort.Slice(symbols, func(i, j int) bool { return symbols[i].Value < symbols[j].Value })
	var list []string
	entries := map[uint64]bool{}
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && rawCall.MatchString(s.Name) {
			entries[s.Value] = true
		}
	}
	if len(entries) < 4 {
		t.Fatalf("%d functions make raw system calls: the names have changed", len(entries))
	}
	text := f.Section(".text")
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range references(code, text.Addr, entries) {
		next := sort.Search(len(symbols), func(i int) bool { return symbols[i].Value > at })
		if caller := symbols[next-1].Name; !rawCallers.MatchString(caller) {
			list = append(list, caller)
		}
	}
	for _, section := range f.Sections {
		if section.Type == elf.SHT_PROGBITS && section.Flags&elf.SHF_ALLOC != 0 && section.Flags&elf.SHF_EXECINSTR == 0 {
			list = append(list, values(t, section, entries)...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// values finds functions that are kept as values: words of data that are the
// address of one.
func values(t *testing.T, section *elf.Section, entries map[uint64]bool) (list []string) {
	t.Helper()
	data, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	for ; len(data) >= 8; data = data[8:] {
		if entries[binary.LittleEndian.Uint64(data)] {
			list = append(list, "a function value in "+section.Name)
		}
	}
	return list
}

// references finds what calls, jumps to or takes the address of one of the
// entries. Every byte is looked at as if an instruction began there, so that
// none is missed.
func references(code []byte, base uint64, entries map[uint64]bool) (found []uint64) {
	const call, jump, lea = 0xe8, 0xe9, 0x8d
	for i := 0; i+6 <= len(code); i++ {
		at := i + 1
		switch {
		case code[i] == call, code[i] == jump:
		case code[i] == lea && code[i+1]&0xc7 == 0x05: // of an address beside this code
			at++
		default:
			continue
		}
		to := base + uint64(at) + 4 + uint64(int64(int32(binary.LittleEndian.Uint32(code[at:]))))
		if entries[to] {
			found = append(found, base+uint64(i))
		}
	}
	return found
}

func buildLinux(t *testing.T, dir, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", program, pkg)
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=mod"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return program
}

// No code of the signer can make a system call that the gate on its symbols
// does not know, but functions that were looked at.
func TestSignerRawCalls(t *testing.T) {
	if list := strangers(t, buildLinux(t, "../../..", "./cmd/kms-offline")); len(list) > 0 {
		t.Errorf("these make raw system calls: look at them, then add them to rawCallers:\n%s", strings.Join(list, "\n"))
	}
	cmd := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{if or .SFiles .CgoFiles .SysoFiles}}{{.ImportPath}}{{end}}{{end}}`, "./cmd/kms-offline")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(errors.Join(err, errors.New("go list")))
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if !slices.Equal(got, withAssembly) {
		t.Errorf("packages with assembly are\n%v, want\n%v", got, withAssembly)
	}
}

// controls are programs that reach the network, another program or the
// terminal around the packages net and os/exec. Each must be caught by the
// gate on symbols or by that on raw system calls.
var controls = map[string]string{
	"unix-socket":    `import "golang.org/x/sys/unix"; func main() { fd, err := unix.Socket(2, 1, 0); println(fd, err) }`,
	"unix-connect":   `import "golang.org/x/sys/unix"; func main() { println(unix.Connect(3, &unix.SockaddrInet4{})) }`,
	"unix-raw":       `import "golang.org/x/sys/unix"; func main() { fd, _, e := unix.RawSyscall(unix.SYS_SOCKET, 2, 1, 0); println(fd, e) }`,
	"syscall-raw":    `import "syscall"; func main() { fd, _, e := syscall.Syscall(41, 2, 1, 0); println(fd, e) }`,
	"by-value":       `import ("os"; "syscall"); func main() { f := []func(a, b, c, d uintptr) (uintptr, uintptr, syscall.Errno){syscall.RawSyscall}[len(os.Args)-1]; fd, _, e := f(41, 2, 1, 0); println(fd, e) }`,
	"syscall-exec":   `import "syscall"; func main() { println(syscall.Exec("/bin/true", nil, nil)) }`,
	"unix-exec":      `import "golang.org/x/sys/unix"; func main() { println(unix.Exec("/bin/true", nil, nil)) }`,
	"unix-sendto":    `import "golang.org/x/sys/unix"; func main() { println(unix.Sendto(3, []byte{1}, 0, &unix.SockaddrInet4{})) }`,
	"unix-sendmsg":   `import "golang.org/x/sys/unix"; func main() { println(unix.Sendmsg(3, []byte{1}, nil, nil, 0)) }`,
	"unix-io_uring":  `import "golang.org/x/sys/unix"; func main() { fd, _, e := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); println(fd, e) }`,
	"all-threads":    `import "syscall"; func main() { fd, _, e := syscall.AllThreadsSyscall(41, 2, 1, 0); println(fd, e) }`,
	"unix-pidfd":     `import "golang.org/x/sys/unix"; func main() { println(unix.PidfdGetfd(3, 1, 0)) }`,
	"unix-vm-writev": `import "golang.org/x/sys/unix"; func main() { println(unix.ProcessVMWritev(1, nil, nil, 0)) }`,
}

func TestGatesCatchRawControlPrograms(t *testing.T) {
	sum, err := os.ReadFile("../../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	version, err := exec.Command("go", "list", "-m", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range controls {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{
				"go.mod":  "module control\n\ngo 1.26\n\nrequire " + string(version),
				"go.sum":  string(sum),
				"main.go": "package main\n" + body + "\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			program := buildLinux(t, dir, ".")
			if hits, list := socketSymbols(t, program), strangers(t, program); len(hits)+len(list) == 0 {
				t.Error("it passes both gates: they are blind")
			}
		})
	}
}
