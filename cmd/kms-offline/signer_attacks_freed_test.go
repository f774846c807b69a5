//go:build linux

package main

import (
	"encoding/binary"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// freedAttacks are about a rejection that frees another item, which spends the same.
func freedAttacks() []attack {
	return []attack{
		{"78-rejection-that-frees-is-lost-by-a-kill", freeingSurvives},
		{"78-rejection-that-frees-is-undone-and-counted", freeingIsUndone},
		{"78-rejection-that-frees-is-written-twice", freeingIsWrittenTwice},
	}
}

// desk is a session about a request, at its first question.
func (p purse) desk(request string, first string, args ...string) *person {
	p.t.Helper()
	at := sit(p.t, p.command(append([]string{"sign", request, "--out", p.path("out"), "--json"}, args...)...))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees(first)
	return at
}

// However a session ends after a rejection, it is on the disk: the next one takes
// it up, and a digest signs nothing meanwhile.
func freeingSurvives(t *testing.T) {
	for _, screen := range []bool{false, true} {
		for _, by := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGKILL} {
			p := newPurse(t)
			request, _ := p.conflicting("conflict.kmsreq")
			digest := p.review(request, 3).Digest
			if screen {
				at := p.desk(request, "The batch", "--session")
				at.types("ljjr") // what is refused stands last
				at.sees("item 3 is left out")
				p.ends(at, by)
			} else {
				at := p.desk(request, "Sign 1 transaction?", "--plain")
				at.types("reject 3\r")
				at.sees("Sign 2 transactions?")
				p.ends(at, by)
			}
			office{p.place}.says(20, "1 rejected item", "sign", request, "--out", p.path("none"), "--approve", digest)
			at := p.desk(request, "Take it up?", "--plain")
			if shown := at.sees("Take it up?"); !strings.Contains(shown, "0 approved, 1 rejected, 2 undecided") ||
				!strings.Contains(shown, "3: rejected, refused, ") {
				t.Errorf("screen %v, %s: %s", screen, by, shown)
			}
			for _, step := range [][2]string{{"y", "Sign 2"}, {"undo 3", "Sign 1"}, {"reject 3", "Sign 2"}} {
				at.types(step[0] + "\r")
				at.asks(step[1] + " transaction")
			}
			at.agrees()
			again := p.review(request, 3)
			if p.signedIDs(at.stdout.String()) != "01 02" || again.Items[2].Verdict != "refused" {
				t.Errorf("screen %v, %s: %+v", screen, by, again.Items[2])
			}
		}
	}
}

// asks waits until the last line of the screen is this question: the same one may
// stand above it.
func (p *person) asks(question string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		shown := strings.TrimRight(p.sees(question), " \r\n")
		if strings.HasPrefix(shown[strings.LastIndex(shown, "\n")+1:], question) {
			return
		}
	}
	p.t.Fatalf("it never asks %q", question)
}

// agrees answers the last question with yes, and returns the exit code. What is
// typed while the rejections are written to the disk is discarded, so it is typed
// again.
func (p *person) agrees() int {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	for range 20 {
		p.types("y\r")
		select {
		case <-done:
			p.settles()
			return p.cmd.ProcessState.ExitCode()
		case <-time.After(5 * time.Second):
		}
	}
	p.t.Fatalf("it does not end; the screen shows:\n%s", p.screen.String())
	return 0
}

// ends ends a session by a signal. Where hang-ups are ignored (nohup) they are by
// the program, too.
func (p purse) ends(at *person, by syscall.Signal) {
	p.t.Helper()
	if by == syscall.SIGHUP && signal.Ignored(by) {
		by = syscall.SIGTERM
	}
	if err := at.cmd.Process.Signal(by); err != nil {
		p.t.Fatal(err)
	}
	at.waits()
}

// What was rejected so counts as rejected wherever that is said, and can be undone.
func freeingIsUndone(t *testing.T) {
	p := newPurse(t)
	request, _ := p.conflicting("conflict.kmsreq")
	at := p.desk(request, "Sign 1 transaction?", "--plain")
	for _, step := range [][]string{
		{"reject 3", "to sign            2 of 3 items, 0 refused, 1 rejected by you", "Sign 2 transactions?"},
		{"approve 3", "Now 0 approved, 1 rejected, 2 undecided."},
		{"list rejected", "1 to 1 of 1: the last."},
		{"undo", "to sign            1 of 3 items, 2 refused", "Sign 1 transaction?"},
		{"reject 1 3", "to sign            1 of 3 items, 0 refused, 2 rejected by you"},
		{"undo", "to sign            1 of 3 items, 2 refused"},
		{"reject 2", "Sign 2 transactions?"},
	} {
		at.types(step[0] + "\r")
		for _, want := range step[1:] {
			at.sees(want)
		}
	}
	if code := at.agrees(); code != 3 || p.signedIDs(at.stdout.String()) != "01 03" {
		t.Errorf("line by line: exit %d: %s", code, at.stdout.String())
	}
	other := newPurse(t)
	request, _ = other.conflicting("conflict.kmsreq")
	s := other.desk(request, "The batch", "--session")
	for _, step := range [][]string{
		{"ljjr", "item 3 is left out"},
		{"l", "rejected 1  undecided 2"},
		{"/rejected\r", "shown 1: rejected"},
		{"a", "3 was rejected by you: u, or undo 3"},
		{"u", "item 3 is in the batch again"},
		{"l", "rejected 0  undecided 1"},
	} {
		s.types(step[0])
		s.sees(step[1])
	}
	s.types("\x03")
	if code := s.waits(); code != 21 {
		t.Errorf("on the screen: exit %d: %s", code, s.page())
	}
}

// A rejection that frees is on the disk before the batch is judged again, and once
// more as it is judged then: a large batch takes a while. Each time the file is
// moved into its place, which the kernel counts.
func freeingIsWrittenTwice(t *testing.T) {
	for _, screen := range []bool{false, true} {
		p := newPurse(t)
		request, _ := p.conflicting("conflict.kmsreq")
		moves := movesInto(t, p.dir)
		var at *person
		if screen {
			at = p.desk(request, "The batch", "--session")
			at.types("ljjr")
			at.sees("item 3 is left out")
		} else {
			at = p.desk(request, "Sign 1 transaction?", "--plain")
			at.types("reject 3\r")
			at.sees("Sign 2 transactions?")
		}
		n := moves(".session-")
		for end := time.Now().Add(time.Minute); n < 2 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			n += moves(".session-")
		}
		if n != 2 {
			t.Errorf("screen %v: the decisions were written %d times, want before and after they are judged", screen, n)
		}
		p.ends(at, syscall.SIGKILL)
	}
}

// movesInto returns a function that counts the files with something in their names
// that were moved into a folder since it was called last.
func movesInto(t *testing.T, dir string) (count func(name string) int) {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err == nil { // with what comes between two moves: the kernel makes one event of two that are the same
		_, err = syscall.InotifyAddWatch(fd, dir, syscall.IN_MOVED_TO|syscall.IN_CREATE)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return func(name string) (moves int) {
		events := make([]byte, 1<<16)
		n, err := syscall.Read(fd, events)
		if err != nil && err != syscall.EAGAIN {
			t.Fatal(err)
		}
		for events = events[:max(n, 0)]; len(events) > syscall.SizeofInotifyEvent; {
			mask, size := binary.NativeEndian.Uint32(events[4:]), binary.NativeEndian.Uint32(events[12:])
			end := syscall.SizeofInotifyEvent + int(size)
			if mask&syscall.IN_MOVED_TO != 0 && strings.Contains(string(events[:end]), name) {
				moves++
			}
			events = events[end:]
		}
		return moves
	}
}
