package harden_test

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"coldkms/offline/harden"
)

// int80 asks for a local socket by the calling convention of 32-bit programs,
// which a 64-bit program may use too, and which has other call numbers.
func int80() (int32, error) {
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	copy(page, []byte{
		0xb8, 0x67, 0x01, 0x00, 0x00, // mov eax, 359: socket
		0xbb, 0x01, 0x00, 0x00, 0x00, // mov ebx, 1: AF_UNIX
		0xb9, 0x01, 0x00, 0x00, 0x00, // mov ecx, 1: SOCK_STREAM
		0x31, 0xd2, // xor edx, edx
		0xcd, 0x80, // int 0x80
		0xc3, // ret
	})
	code := unsafe.Pointer(&page[0])
	function := unsafe.Pointer(&code) // a function value points to a pointer to its code
	return (*(*func() int32)(unsafe.Pointer(&function)))(), nil
}

// tryInt80 is what the child process does in this role.
func tryInt80() {
	fd, err := int80()
	fmt.Println(fd, err)
	_ = syscall.Close(int(fd))
	_, err = harden.Harden()
	fmt.Println(err)
	fmt.Println(int80())
}

func TestOtherABIIsRefused(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{roleVar + "=int80", "GORACE=atexit_sleep_ms=0"}
	out, err := cmd.Output()
	var fd, after int32
	_, scan := fmt.Sscanf(string(out), "%d <nil>\n<nil>\n%d <nil>\n", &fd, &after)
	var exit *exec.ExitError
	if errors.As(err, &exit) || fd < 0 {
		t.Skipf("this kernel has no 32-bit calls: %v\n%s", err, out)
	}
	if scan != nil || fd < 3 || after != -int32(syscall.EPERM) {
		t.Errorf("before %d, after %d, %v\n%s", fd, after, scan, out)
	}
}
