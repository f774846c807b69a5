package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// silence is how long the program may say nothing on a terminal while it works.
const silence = 400 * time.Millisecond

// busy says on a terminal what is being done, if that takes long, and then
// that it goes on: a dot at a time, without control sequences. The function
// returned is to be called at the end.
func (a *app) busy(what string) (done func()) {
	to, ok := onTerminal(a.Err)
	if !ok {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(silence)
		defer tick.Stop()
		for said := false; ; said = true {
			select {
			case <-tick.C:
				if !said {
					fmt.Fprint(to, what+" ")
				}
				fmt.Fprint(to, ".")
			case <-stop:
				if said {
					fmt.Fprintln(to)
				}
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// progress is one line on a terminal that is drawn over; elsewhere it is
// silent.
type progress struct{ to *os.File }

func (a *app) progress() progress { return a.progressOn(os.Getenv("TERM")) }

func (a *app) progressOn(kind string) progress {
	if f, ok := onTerminal(a.Err); ok && movesCursor(kind) {
		return progress{f}
	}
	return progress{}
}

// onTerminal reports whether what is written is shown on a terminal.
func onTerminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func (p progress) show(format string, args ...any) {
	if p.to != nil {
		fmt.Fprintf(p.to, "\r\x1b[K"+format, args...)
	}
}

func (p progress) end() { p.show("") }
