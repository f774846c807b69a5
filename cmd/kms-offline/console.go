package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"coldkms/offline/review/tui"
)

// console is a signing session on the screen of a terminal. It knows of the
// terminal what a VT100 knows: where the cursor goes, erasing a line, bold and
// reverse, and nothing is said by those two alone.
type console struct {
	*terminal
	desk   *tui.Desk
	styled bool
	keep   func(marks string) error // what was decided, after each change

	width, height int
	drawn         []tui.Line
	keys          tui.Decoder
}

// Waits of a session.
const (
	escapeWait = 100 * time.Millisecond // until Escape is the key and not the beginning of a sequence
	sizeWait   = time.Second            // between looks at the size of the terminal
)

// What makes a terminal mark pasted text, and not any more.
const (
	marksPasted   = "\x1b[?2004h"
	ignoresPasted = "\x1b[?2004l"
)

// session runs the console until the person has signed, declined or left. The
// terminal is put back, also where a signal ends the program.
func (t *terminal) session(d *tui.Desk, keep func(string) error) (ev tui.Event, err error) {
	c := &console{terminal: t, desk: d, keep: keep, styled: os.Getenv("NO_COLOR") == ""}
	t.restoringAfter(ignoresPasted, func() {
		if _, err = term.MakeRaw(int(t.tty.Fd())); err != nil {
			return
		}
		if err = t.discard(); err != nil {
			return
		}
		if _, err = io.WriteString(t.tty, marksPasted); err != nil {
			return
		}
		ev, err = c.run()
		fmt.Fprintf(t.tty, "\x1b[%d;1H\r\n", c.height)
	})
	return ev, err
}

func (c *console) run() (tui.Event, error) {
	want, got := make(chan struct{}), make(chan typedByte)
	defer close(want)
	go readBytes(c.tty, want, got)
	if _, err := c.fit(); err != nil {
		return tui.None, err
	}
	for asked := false; ; {
		if !asked { // one byte at a time, so that none is taken from a later question
			want <- struct{}{}
			asked = true
		}
		if err := c.draw(); err != nil {
			return tui.None, err
		}
		wait := sizeWait
		if c.keys.Pending() {
			wait = escapeWait
		}
		var key tui.Key
		var pressed bool
		select {
		case b := <-got:
			if asked = false; b.err != nil {
				return tui.None, fmt.Errorf("read from the terminal: %w", b.err)
			}
			key, pressed = c.keys.Feed(b.b)
		case <-time.After(wait):
			if c.keys.Pending() {
				key, pressed = c.keys.Pause()
			} else if _, err := c.fit(); err != nil {
				return tui.None, err
			}
		}
		if !pressed {
			continue
		}
		if resized, err := c.fit(); err != nil {
			return tui.None, err
		} else if resized && key != tui.CtrlC { // pressed for another screen than is there now
			continue
		}
		if ev, err := c.press(key); ev != tui.None || err != nil {
			return ev, err
		}
	}
}

// press returns None while the session goes on.
func (c *console) press(key tui.Key) (tui.Event, error) {
	ev := c.desk.Press(key)
	switch ev {
	case tui.Changed:
		return tui.None, c.keep(c.desk.Marks())
	case tui.Rejudge:
		return ev, c.keep(c.desk.Marks())
	case tui.Redraw:
		c.drawn = nil
		_, err := c.fit()
		return tui.None, err
	case tui.Ask:
		return tui.None, c.drop()
	}
	return ev, nil
}

type typedByte struct {
	b   byte
	err error
}

// readBytes reads a byte each time one is wanted.
func readBytes(r io.Reader, want <-chan struct{}, got chan<- typedByte) {
	one := make([]byte, 1)
	for range want {
		n, err := r.Read(one)
		if n == 0 && err == nil {
			err = io.ErrUnexpectedEOF
		}
		if errors.Is(err, io.EOF) {
			err = errNoTerminal
		}
		got <- typedByte{one[0], err}
	}
}

// fit looks at the size of the terminal, and reports whether it has changed.
// Keys that were typed for another size are dropped.
func (c *console) fit() (resized bool, err error) {
	width, height, err := term.GetSize(int(c.tty.Fd()))
	if err != nil {
		return false, fmt.Errorf("size of the terminal: %w", err)
	}
	if width == c.width && height == c.height {
		return false, nil
	}
	c.width, c.height, c.drawn = width, height, nil
	c.desk.Resize(width, height)
	return true, c.drop()
}

// drop throws away what was typed and not read yet, and what may be the rest
// of it.
func (c *console) drop() error {
	c.keys.Drop()
	return c.discard()
}

// draw sends the lines that are not on the screen yet: a serial console takes
// two seconds for a whole one.
func (c *console) draw() error {
	lines := c.desk.Screen()
	var b bytes.Buffer
	if c.drawn == nil {
		b.WriteString("\x1b[0m\x1b[H\x1b[J")
	}
	for i, l := range lines {
		if i >= c.height || (c.drawn != nil && c.drawn[i] == l) {
			continue
		}
		fmt.Fprintf(&b, "\x1b[%d;1H\x1b[K", i+1)
		switch {
		case !c.styled || l.Text == "" || l.Style == tui.Plain:
			b.WriteString(l.Text)
		case l.Style == tui.Cursor:
			fmt.Fprintf(&b, "\x1b[7m%s\x1b[0m", l.Text)
		default:
			fmt.Fprintf(&b, "\x1b[1m%s\x1b[0m", l.Text)
		}
	}
	if b.Len() > 0 {
		last := min(len(lines), c.height)
		fmt.Fprintf(&b, "\x1b[%d;%dH", last, min(len(lines[last-1].Text)+1, c.width))
	}
	c.drawn = lines
	_, err := c.tty.Write(b.Bytes())
	return err
}
