package harden

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrInherited is returned by Harden where the process was started with a
// descriptor that reaches beyond this machine's files.
var ErrInherited = errors.New("the program was started with an open socket")

// maxDescriptors bounds the look where the kernel does not list descriptors.
const maxDescriptors = 1 << 16

// inherited looks for sockets, and rings that make calls of the network by
// themselves, among the descriptors that the process was started with. As a
// standard stream a socket is only warned about: some programs, such as
// Node.js, connect their children by local sockets instead of pipes.
func (r *Report) inherited() error {
	var streams, others []string
	for _, fd := range descriptors() {
		switch {
		case !isSocket(fd):
		case fd <= unix.Stderr:
			streams = append(streams, strconv.Itoa(fd))
		default:
			others = append(others, strconv.Itoa(fd))
		}
	}
	r.add(NoStreams, len(streams) == 0, "stdin, stdout and stderr")
	if len(streams) > 0 {
		last := &r.Checks[len(r.Checks)-1]
		last.Warning, last.Detail = true, "descriptors that are sockets: "+strings.Join(streams, ", ")+": what is written there may leave this machine"
	}
	if len(others) > 0 {
		detail := "descriptors that are sockets: " + strings.Join(others, ", ")
		r.add(NoInherited, false, detail)
		return fmt.Errorf("%w: %s: start it from a shell, without them", ErrInherited, detail)
	}
	r.add(NoInherited, true, "none among the open descriptors")
	return nil
}

// descriptors lists the open ones, or all that could be.
func descriptors() (list []int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		for fd := range maxDescriptors {
			list = append(list, fd)
		}
		return list
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, fd)
		}
	}
	slices.Sort(list)
	return list
}

func isSocket(fd int) bool {
	var s unix.Stat_t
	if unix.Fstat(fd, &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFSOCK {
		return true
	}
	to, err := os.Readlink(filepath.Join("/proc/self/fd", strconv.Itoa(fd)))
	return err == nil && strings.HasPrefix(to, "anon_inode:[io_uring]")
}
