package harden

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What the filter refuses, by number, from the kernel's own tables
// (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h),
// so that taking a name from the list, or a mistake in a library's table, is
// seen here.
var refusedNumbers = map[string][]uint32{
	"x86_64": {
		41,  // socket
		42,  // connect
		43,  // accept
		44,  // sendto
		45,  // recvfrom
		46,  // sendmsg
		47,  // recvmsg
		49,  // bind
		50,  // listen
		53,  // socketpair
		59,  // execve
		101, // ptrace
		288, // accept4
		298, // perf_event_open
		299, // recvmmsg
		307, // sendmmsg
		310, // process_vm_readv
		311, // process_vm_writev
		312, // kcmp
		321, // bpf
		322, // execveat
		323, // userfaultfd
		425, // io_uring_setup
		426, // io_uring_enter
		427, // io_uring_register
		438, // pidfd_getfd
		440, // process_madvise
	},
	"aarch64": {
		117, // ptrace
		198, // socket
		199, // socketpair
		200, // bind
		201, // listen
		202, // accept
		203, // connect
		206, // sendto
		207, // recvfrom
		211, // sendmsg
		212, // recvmsg
		221, // execve
		241, // perf_event_open
		242, // accept4
		243, // recvmmsg
		269, // sendmmsg
		270, // process_vm_readv
		271, // process_vm_writev
		272, // kcmp
		280, // bpf
		281, // execveat
		282, // userfaultfd
		425, // io_uring_setup
		426, // io_uring_enter
		427, // io_uring_register
		438, // pidfd_getfd
		440, // process_madvise
	},
}

// Numbers of ioctl, and names of architectures in <linux/audit.h>.
const (
	ioctlX86_64, ioctlAarch64 = 16, 29
	auditX86_64, auditAarch64 = 0xc000003e, 0xc00000b7
	auditI386, auditArm       = 0x40000003, 0x40000028
	sti, linuxControl         = 0x5412, 0x541c
)

// kernel runs a filter as the kernel would.
type kernel struct {
	t  *testing.T
	vm *bpf.VM
}

func kernelOf(t *testing.T, name string) kernel {
	t.Helper()
	info, err := arch.GetInfo(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rulesOf(info)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(r.filter())
	if err != nil {
		t.Fatal(err)
	}
	return kernel{t, vm}
}

// refuses reports whether a call fails with EPERM. The machine that is
// imitated reads words in network order, the kernel in its own.
func (k kernel) refuses(audit, number uint32, second uint64) bool {
	k.t.Helper()
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data, number)
	binary.BigEndian.PutUint32(data[4:], audit)
	binary.BigEndian.PutUint32(data[24+lowHalf():], uint32(second))
	binary.BigEndian.PutUint32(data[28-lowHalf():], uint32(second>>32))
	got, err := k.vm.Run(data)
	if err != nil {
		k.t.Fatal(err)
	}
	switch uint32(got) {
	case unix.SECCOMP_RET_ALLOW:
		return false
	case unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM):
		return true
	}
	k.t.Fatalf("call %d: the filter answers %#x", number, got)
	return false
}

func TestFilterByNumber(t *testing.T) {
	for name, m := range map[string]struct{ audit, ioctl uint32 }{
		"x86_64": {auditX86_64, ioctlX86_64}, "aarch64": {auditAarch64, ioctlAarch64},
	} {
		k := kernelOf(t, name)
		for number := range uint32(1024) {
			if got, want := k.refuses(m.audit, number, 0), slices.Contains(refusedNumbers[name], number); got != want {
				t.Errorf("%s: call %d refused: %v, want %v", name, number, got, want)
			}
			for _, other := range []uint32{auditX86_64, auditAarch64, auditI386, auditArm, 0} {
				if other != m.audit && !k.refuses(other, number, 0) {
					t.Errorf("%s: call %d of architecture %#x is let through", name, number, other)
				}
			}
			if !k.refuses(m.audit, 0x4000_0000|number, 0) {
				t.Errorf("%s: call %d of x32 is let through", name, number)
			}
		}
		if !k.refuses(m.audit, math.MaxUint32, 0) {
			t.Errorf("%s: call -1 is let through", name)
		}
		for request := range uint64(0x6000) {
			want := request == sti || request == linuxControl
			if got := k.refuses(m.audit, m.ioctl, request); got != want {
				t.Errorf("%s: ioctl %#x refused: %v", name, request, got)
			}
		}
		for _, request := range []uint64{sti, linuxControl} { // the kernel drops the upper half
			if !k.refuses(m.audit, m.ioctl, 1<<32|request) || !k.refuses(m.audit, m.ioctl, 0xffffffff<<32|request) {
				t.Errorf("%s: ioctl %#x with high bits is let through", name, request)
			}
		}
	}
}
