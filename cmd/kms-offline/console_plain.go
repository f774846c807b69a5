package main

import (
	"fmt"
	"io"

	"coldkms/offline/review/desk"
)

// plainSession asks line by line: no cursor is moved, nothing is drawn over.
func (t *terminal) plainSession(d *desk.Desk, keep func(string) error) (desk.Event, error) {
	out := printable{t.tty}
	for repeat := true; ; {
		if repeat {
			if _, err := io.WriteString(out, d.Before()); err != nil {
				return desk.None, err
			}
		}
		answer, err := t.line(d.Question())
		if err != nil {
			return desk.None, err
		}
		reply, ev := d.Answer(answer)
		if _, err := io.WriteString(out, reply); err != nil {
			return desk.None, err
		}
		switch repeat = ev == desk.Changed; ev {
		case desk.Changed:
			if err := keep(d.Marks()); err != nil {
				return desk.None, err
			}
		case desk.Sign, desk.Decline, desk.Later:
			return ev, nil
		}
		fmt.Fprintln(t.tty)
	}
}
