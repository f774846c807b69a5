package guard

import (
	"errors"
	"fmt"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
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
var needed = [...]string{"connect", "execve", "ptrace"}

// refuseCalls loads the filters and tries every call. The number of refused
// calls is given.
func refuseCalls() (int, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return 0, err
	}
	names := make([]string, 0, len(refused))
	for _, name := range refused {
		if _, have := info.SyscallNames[name]; have {
			names = append(names, name)
		}
	}
	for _, name := range needed {
		if _, have := info.SyscallNames[name]; !have {
			return 0, fmt.Errorf("system call %s is not known on %s", name, info.Name)
		}
	}
	filter := seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno, Names: names}},
		},
	}
	if err := seccomp.LoadFilter(filter); err != nil {
		return 0, err
	}
	if err := refuseOtherABI(uint32(info.ID)); err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := tried(info.SyscallNames[name]); err != nil {
			return 0, fmt.Errorf("system call %s: %w", name, err)
		}
	}
	return len(names), nil
}

// refuseOtherABI refuses every call by another calling convention, such as
// int 0x80 on amd64: the library's filter lets those through, and with them
// the old socketcall. Filters add up, the stricter answer wins.
func refuseOtherABI(auditArch uint32) error {
	const offsetOfArch = 4 // in struct seccomp_data
	filter := [...]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offsetOfArch},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: auditArch, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	if thread != 0 { // seccomp(2): the thread that could not be given the filter
		return fmt.Errorf("thread %d could not be brought under the filter", thread)
	}
	return nil
}

// tried makes a system call with arguments that no kernel would act on, and
// wants to hear EPERM from the filter. It is needed because a filter that
// could not be given to all threads is no error to the library. The number is
// all that is used: no code that could open a socket is linked for it.
func tried(number int) error {
	const invalid = ^uintptr(0)
	_, _, errno := unix.RawSyscall6(uintptr(number), invalid, 0, 0, 0, 0, 0)
	if errno == unix.EPERM {
		return nil
	}
	if errno == 0 {
		return errors.New("was not refused")
	}
	return fmt.Errorf("was not refused by the filter but by the kernel: %w", errno)
}
