package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// ended are the signals that end the program. The exit status is 128 and the
// signal's number, as a shell gives it.
func ended() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

func exitStatus(s os.Signal) int {
	const killed = 128
	if n, ok := s.(syscall.Signal); ok {
		return killed + int(n)
	}
	return killed
}

// restoring calls f, which changes how the terminal behaves. Afterwards the
// terminal is as it was, also where a signal ends the program meanwhile.
func (t *terminal) restoring(f func()) { t.restoringAfter("", f) }

// restoringAfter is restoring of a terminal that has to be sent something.
func (t *terminal) restoringAfter(last string, f func()) {
	fd := int(t.tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		f() // is no terminal: there is nothing to put back
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ended()...)
	done, watched := make(chan struct{}), make(chan struct{})
	restore := func() {
		_, _ = io.WriteString(t.tty, last)
		_ = term.Restore(fd, before)
	}
	end := func(s os.Signal) {
		restore()
		fmt.Fprintln(t.tty)
		os.Exit(exitStatus(s))
	}
	go func() {
		defer close(watched)
		select {
		case s := <-signals:
			end(s)
		case <-done:
		}
	}()
	defer func() {
		restore()
		close(done)
		<-watched
		signal.Stop(signals)
		select {
		case s := <-signals: // came as f ended
			end(s)
		default:
		}
	}()
	f()
}
