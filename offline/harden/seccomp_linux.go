package harden

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are the system calls that fail with EPERM from now on. Names that
// an architecture does not have are left out.
var refused = [...]string{
	"socket", "socketpair", "socketcall", "connect", "bind", "listen", "accept", "accept4",
	"send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg",
	"execve", "execveat",
	"ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
	"io_uring_setup", "io_uring_enter", "io_uring_register", // would do all of the above unseen
	"bpf", "perf_event_open", "userfaultfd",
}

// needed must be known on every architecture that is built for.
var needed = [...]string{"connect", "execve", "ptrace", "ioctl", "io_uring_setup"}

// refusedControls are the requests of ioctl(2) that fail with EPERM: they put
// keys into a terminal, whose shell runs them once this program has ended.
var refusedControls = [...]uint32{unix.TIOCSTI, tiocLinux}

const tiocLinux = 0x541c // TIOCLINUX of <asm-generic/ioctls.h>, on every architecture

// x32Bit marks calls of the x32 ABI, which has its own numbers of calls under
// the audit name of amd64. No other architecture has numbers as high.
const x32Bit = 0x4000_0000

// rules are what the filter refuses on one architecture.
type rules struct {
	arch  uint32 // as the kernel's audit names it; all others are refused
	calls []uint32
	ioctl uint32
}

func rulesOf(info *arch.Info) (rules, error) {
	for _, name := range needed {
		if _, have := info.SyscallNames[name]; !have {
			return rules{}, fmt.Errorf("system call %s is not known on %s", name, info.Name)
		}
	}
	r := rules{arch: uint32(info.ID), ioctl: uint32(info.SyscallNames["ioctl"])}
	for _, name := range refused {
		if number, have := info.SyscallNames[name]; have {
			r.calls = append(r.calls, uint32(number))
		}
	}
	return r, nil
}

// refuseCalls loads the filter and tries every call. It returns how many were
// tried.
func refuseCalls() (int, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return 0, err
	}
	r, err := rulesOf(info)
	if err != nil {
		return 0, err
	}
	if err := load(r.filter()); err != nil {
		return 0, err
	}
	return r.try()
}

// Offsets in struct seccomp_data of <linux/seccomp.h>.
const (
	offsetOfNumber  = 0
	offsetOfArch    = 4
	offsetOfRequest = 24 // second argument, of which ioctl reads 32 bits
)

// filter refuses the listed calls, every call by another convention (such as
// int 0x80 on amd64, which has the old socketcall, or x32), and the listed
// requests of ioctl. The upper half of the request is not looked at, as the
// kernel does not.
func (r rules) filter() []bpf.Instruction {
	const word = 4
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetOfArch, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: r.arch, SkipTrue: 1},
		refuse,
		bpf.LoadAbsolute{Off: offsetOfNumber, Size: word},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1},
		refuse,
	}
	for _, number := range r.calls {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1}, refuse)
	}
	program = append(program,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: r.ioctl, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
		bpf.LoadAbsolute{Off: offsetOfRequest + lowHalf(), Size: word})
	for _, request := range refusedControls {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: request, SkipTrue: 1}, refuse)
	}
	return append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
}

var refuse = bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}

// lowHalf returns where the lower 32 bits of 64 are.
func lowHalf() uint32 {
	one := uint64(1)
	if *(*byte)(unsafe.Pointer(&one)) == 1 {
		return 0
	}
	return 4
}

// load puts a filter in force for all threads.
func load(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	list := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&list)))
	if errno != 0 {
		return errno
	}
	if thread != 0 { // seccomp(2): the thread that could not be given the filter
		return fmt.Errorf("thread %d could not be brought under the filter", thread)
	}
	return nil
}

// try makes every refused call and wants to see it refused.
func (r rules) try() (tried int, err error) {
	const invalid = ^uintptr(0)
	calls := make([][2]uintptr, 0, len(r.calls)+2*len(refusedControls))
	for _, number := range r.calls {
		calls = append(calls, [2]uintptr{uintptr(number)})
	}
	for _, request := range refusedControls {
		calls = append(calls, [2]uintptr{uintptr(r.ioctl), uintptr(request)})
	}
	calls = append(calls, [2]uintptr{x32Bit | uintptr(r.ioctl)})
	for _, c := range calls {
		if err := isRefused(c[0], invalid, c[1]); err != nil {
			return 0, fmt.Errorf("system call %d (%#x): %w", c[0], c[1], err)
		}
	}
	return len(calls), nil
}

// isRefused makes a system call with arguments that no kernel would act on,
// and wants EPERM from the filter. The number is all that is used: no code
// that could open a socket is linked for it.
func isRefused(number, first, second uintptr) error {
	_, _, errno := unix.RawSyscall6(number, first, second, 0, 0, 0, 0)
	if errno == unix.EPERM {
		return nil
	}
	if errno == 0 {
		return errors.New("was not refused")
	}
	return fmt.Errorf("was not refused by the filter but by the kernel: %w", errno)
}
