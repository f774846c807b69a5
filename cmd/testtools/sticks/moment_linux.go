package sticks

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Moment is something that a program does in a folder.
type Moment struct {
	Name string
	mask uint32
}

// Moments of a file that is written, in their order, and of one that is read.
func Writing() []Moment {
	return []Moment{{"created", unix.IN_CREATE}, {"written", unix.IN_MODIFY}, {"closed", unix.IN_CLOSE_WRITE},
		{"renamed", unix.IN_MOVED_TO}}
}

// Reading is when a file is opened.
func Reading() Moment { return Moment{"opened", unix.IN_OPEN} }

// Ran is how a program ended.
type Ran struct {
	Code     int
	Out, Err string
	Met      bool // the moment came
}

// At runs a program, stops it at the first moment of that kind in a folder,
// does something to the stick, and lets it go on to its end.
func At(t testing.TB, cmd *exec.Cmd, dir string, m Moment, do func()) Ran {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, m.mask); err != nil {
		t.Fatal(err)
	}
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	met := comes(fd, ended)
	if met {
		_ = cmd.Process.Signal(syscall.SIGSTOP)
		do()
		_ = cmd.Process.Signal(syscall.SIGCONT)
		<-ended
	}
	return Ran{cmd.ProcessState.ExitCode(), out.String(), words.String(), met}
}

// comes waits for an event, or for the program's end.
func comes(fd int, ended <-chan struct{}) bool {
	var buffer [4096]byte
	for {
		if n, err := unix.Read(fd, buffer[:]); err == nil && n > 0 && meant(buffer[:n]) {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Microsecond):
		}
	}
}

// meant reports whether one of some events is about anything but the file with
// which the signer tries a folder before it asks.
func meant(events []byte) bool {
	for len(events) >= unix.SizeofInotifyEvent {
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		if !bytes.HasPrefix(events[unix.SizeofInotifyEvent:size], []byte(".coldkms-probe")) {
			return true
		}
		events = events[size:]
	}
	return false
}
