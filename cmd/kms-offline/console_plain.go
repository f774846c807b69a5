package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"coldkms/offline/review/tui"
)

// plainSession asks line by line: no cursor is moved, nothing is drawn over.
// Ctrl-C is Later.
func (t *terminal) plainSession(d *tui.Desk, keep func(string) error) (tui.Event, error) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)
	out := printable{t.tty}
	for repeat := true; ; {
		if repeat {
			if _, err := io.WriteString(out, d.Before()); err != nil {
				return tui.None, err
			}
		}
		answer, err := t.lineUnless(interrupted, d.Question())
		if errors.Is(err, errInterrupted) {
			fmt.Fprintln(t.tty)
			return tui.Later, nil
		}
		if err != nil {
			return tui.None, err
		}
		reply, ev := d.Answer(answer)
		if _, err := io.WriteString(out, reply); err != nil {
			return tui.None, err
		}
		switch repeat = ev == tui.Changed; ev {
		case tui.Changed:
			if err := keep(d.Marks()); err != nil {
				return tui.None, err
			}
		case tui.Rejudge:
			return ev, keep(d.Marks())
		case tui.Sign, tui.Decline, tui.Later:
			return ev, nil
		}
		fmt.Fprintln(t.tty)
	}
}

var errInterrupted = errors.New("interrupted")

// lineUnless is line, or errInterrupted after a signal, of before the answer
// too. The reading goes on after a signal: nothing can be asked any more.
func (t *terminal) lineUnless(interrupted <-chan os.Signal, question string) (string, error) {
	type reply struct {
		line string
		err  error
	}
	got := make(chan reply, 1)
	go func() {
		line, err := t.line(question)
		got <- reply{line, err}
	}()
	select {
	case <-interrupted:
		return "", errInterrupted
	case r := <-got:
		if len(interrupted) > 0 {
			return "", errInterrupted
		}
		return r.line, r.err
	}
}
