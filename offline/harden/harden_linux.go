package harden

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Harden puts everything in force, for this process, for good. It is called
// first thing in main. An error means that something that Linux offers is not
// in force; the signer must not go on then.
func Harden() (Report, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var r Report
	privateFiles(&r)
	errs := []error{
		r.inherited(),
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
	r.add(NoTyping, true, "seccomp: TIOCSTI and TIOCLINUX were tried and refused")
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
