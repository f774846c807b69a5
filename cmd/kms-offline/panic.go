package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
)

// endQuietly ends the program with a word where Go would print the stacks of
// all goroutines: arguments in such a print are raw words of memory, and may be
// left over from a secret. What is written is safe at any moment (the wallet
// and the ledger expect the power to fail), so the program just ends; a
// terminal is left as it was at the start, as Ctrl-\ may come while it shows
// nothing that is typed.
func endQuietly(w io.Writer) {
	putBack := terminalAsItIs()
	c := make(chan os.Signal, 1)
	signal.Notify(c, stackSignals()...)
	go func() {
		sig := <-c
		putBack()
		fmt.Fprintf(w, "\nkms-offline: ended by a signal: %v\n", sig)
		code := cli.Failed
		if number, ok := sig.(syscall.Signal); ok {
			code = 128 + int(number)
		}
		os.Exit(code)
	}()
}

// terminalAsItIs returns what makes the terminal behave as it does now.
func terminalAsItIs() (putBack func()) {
	tty, err := openTerminal()
	if err != nil {
		return func() {}
	}
	before, err := term.GetState(int(tty.tty.Fd()))
	if err != nil {
		tty.close()
		return func() {}
	}
	return func() { _ = term.Restore(int(tty.tty.Fd()), before) }
}

// contained runs the program. A panic ends it with the place of the fault, and
// without what was in memory there: neither arguments nor, unless it is the
// runtime's own, the words of the panic.
func contained(w io.Writer, run func() int) (code int) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		what := fmt.Sprintf("a panic with a %T", r)
		var known runtime.Error
		if err, ok := r.(error); ok && errors.As(err, &known) {
			what = cli.Printable(known.Error())
		}
		fmt.Fprintf(w, "kms-offline: a fault of this program: %s\n", what)
		where(w)
		fmt.Fprintln(w, "nothing that was acknowledged is lost; report these lines, they hold no secret")
		code = cli.Failed
	}()
	return run()
}

// where prints the functions and lines that led here.
func where(w io.Writer) {
	const depth = 32
	frames := runtime.CallersFrames(callers(depth))
	for {
		frame, more := frames.Next()
		fmt.Fprintf(w, "  %s:%d\n", frame.Function, frame.Line)
		if !more {
			return
		}
	}
}

func callers(depth int) []uintptr {
	list := make([]uintptr, depth)
	return list[:runtime.Callers(5, list)] // without these and the runtime's own
}
