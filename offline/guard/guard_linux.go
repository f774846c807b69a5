package guard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Harden puts everything in force, for this process, for good. It is called
// first thing in main. An error means that something that Linux offers is not
// in force; the signer must not go on then.
func Harden() (Report, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var r Report
	inherited(&r)
	privateFiles(&r)
	errs := []error{
		r.try(NoCore, "RLIMIT_CORE is 0", noCore),
		r.try(NoDump, "PR_SET_DUMPABLE is 0", noDump),
		r.trySeccomp(),
	}
	if err := errors.Join(errs...); err != nil {
		return r, fmt.Errorf("harden: %w", err)
	}
	return r, nil
}

func (r *Report) try(name, detail string, do func() error) error {
	err := do()
	if err != nil {
		r.add(name, false, err.Error())
		return fmt.Errorf("%s: %w", name, err)
	}
	r.add(name, true, detail)
	return nil
}

func (r *Report) trySeccomp() error {
	tried, err := refuseCalls()
	if err != nil {
		r.add(NoSockets, false, err.Error())
		return fmt.Errorf("%s: %w", NoSockets, err)
	}
	r.add(NoSockets, true, fmt.Sprintf("seccomp: %d system calls were tried and refused", tried))
	return nil
}

func noCore() error {
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

func noDump() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err == nil && dumpable != 0 {
		err = errors.New("it did not take effect")
	}
	return err
}

// inherited looks for sockets among the descriptors that the process was
// started with. Some programs, such as Node.js, connect their children by
// local sockets instead of pipes; so it is shown and not refused.
func inherited(r *Report) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.add(NoInherited, false, "cannot be seen: "+err.Error())
		return
	}
	var sockets []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			sockets = append(sockets, e.Name())
		}
	}
	if len(sockets) > 0 {
		r.add(NoInherited, false, "descriptors that are sockets: "+strings.Join(sockets, ", "))
		return
	}
	r.add(NoInherited, true, "none among the open descriptors")
}
