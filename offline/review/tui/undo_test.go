package tui

import (
	"strings"
	"testing"
)

const pressEsc = string(rune(Escape))

// message is the line above the keys.
func message(d *Desk) string {
	lines := d.Screen()
	return lines[len(lines)-2].Text
}

// A deciding key goes to the next item whatever the mark was, so that "r a" is
// about two items: in the list, in the item, and at the end of both.
func TestDecidingKeysMoveOn(t *testing.T) {
	for _, page := range []string{"l/ok\r", "l/ok\r\r"} {
		d := New(batch(20)) // 16 are ok
		press(d, page+"r")
		d.at = 0
		press(d, "r") // rejected already
		if d.at != 1 || message(d) != "1 is rejected already" {
			t.Errorf("%q: at %d: %s", page, d.at, message(d))
		}
		press(d, "a")
		if d.marks[0] != Rejected || d.marks[1] != Approved {
			t.Errorf("%q: r a: %c %c", page, d.marks[0], d.marks[1])
		}
		press(d, pressEsc+pressEsc+"/refused\ra")
		if d.at != 1 {
			t.Errorf("a refused item: at %d", d.at)
		}
	}
	for _, page := range []string{"l/ok\rG", "l/ok\rG\r"} {
		d := New(batch(20))
		press(d, page+"ra")
		if last := d.view[len(d.view)-1]; d.marks[last] != Rejected || d.count[Approved] != 0 {
			t.Errorf("%q: r a at the end: %s", page, d.Marks())
		}
		if !strings.Contains(message(d), "end of the list") {
			t.Errorf("%q: %s", page, message(d))
		}
	}
}

// u undoes the last decision, not what is at the cursor, and says which; again,
// the one before.
func TestUndo(t *testing.T) {
	d := New(batch(100))
	press(d, "loo/look\rra") // by amount: 86 rejected, 66 approved
	if got := message(d); got != "66 approved (u undoes)" {
		t.Error(got)
	}
	press(d, "gju") // the cursor is elsewhere
	if got := message(d); d.marks[85] != Rejected || d.marks[65] != Undecided ||
		got != "undone: 66 is undecided again, not approved" ||
		d.view[d.at] != 65 {
		t.Errorf("%s, at %d", got, d.view[d.at]+1)
	}
	press(d, pressEsc+"ooooo/ok\rA")
	if got := message(d); got != "80 items approved (u undoes)" {
		t.Error(got)
	}
	press(d, "r\r") // 1 was approved; the next is shown in full
	press(d, "u")
	if got := message(d); d.marks[0] != Approved || got != "undone: 1 is approved again, not rejected" ||
		d.page != itemPage ||
		d.view[d.at] != 0 {
		t.Errorf("%s, page %d", got, d.page)
	}
	press(d, "uu")
	if got := message(d); d.count[Undecided] != 95 ||
		got != "undone: 86 is undecided again, not rejected; not in this list" {
		t.Errorf("%d undecided, %s", d.count[Undecided], got)
	}
	if ev := press(d, "u"); ev != None || !strings.Contains(message(d), "nothing to undo") {
		t.Errorf("event %d, %s", ev, message(d))
	}
	if reply, ev := d.Answer("undo"); ev != None || !strings.Contains(reply, "nothing to undo") {
		t.Errorf("event %d, %s", ev, reply)
	}
	d.Answer("reject 6-9")
	if reply, ev := d.Answer("undo"); ev != Changed || reply != "undone: 4 items not rejected any more\n" ||
		d.count[Rejected] != 0 {
		t.Errorf("event %d, %s", ev, reply)
	}
}

// An item is approved where all of it was on the screen: on the list only if it
// fits there, on the first page only if it was opened, in full only at its end.
func TestApprovedWhenSeen(t *testing.T) {
	d := New(batch(100))
	press(d, "a")
	if d.count[Approved] != 0 || d.page != itemPage || !strings.HasPrefix(message(d), "not approved") {
		t.Errorf("on the first page: %d approved, %s", d.count[Approved], message(d))
	}
	press(d, "a")
	if message(d) != "46 approved (u undoes)" {
		t.Errorf("in full: %s", message(d))
	}
	d = New(batch(100))
	d.Resize(60, 16)
	press(d, "l/look\ra")
	if d.count[Approved] != 0 || d.page != itemPage {
		t.Errorf("on a small list: %d approved", d.count[Approved])
	}
	press(d, "a") // its end is not on the screen yet
	if d.count[Approved] != 0 {
		t.Errorf("half of it: %d approved", d.count[Approved])
	}
	press(d, "  a")
	if d.count[Approved] != 1 {
		t.Errorf("at its end: %d approved: %s", d.count[Approved], message(d))
	}
}
