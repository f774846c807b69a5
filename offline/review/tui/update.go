package tui

import (
	"fmt"

	"coldkms/offline/review"
)

// Press is a key on the screen.
func (d *Desk) Press(k Key) Event {
	d.message = ""
	switch {
	case k == CtrlC:
		return Later
	case k == Pasted:
		d.message = "pasted text is ignored: keys are pressed here, one by one"
		return None
	case k == Unended:
		d.message = "the terminal sends a text that does not end: Ctrl-X ends it, Ctrl-C leaves"
		return None
	case k == CtrlL:
		return Redraw
	case d.small:
		if k == 'q' {
			return Later
		}
		return None
	case d.typing != nil:
		return d.typeKey(k)
	case d.page == leavePage:
		return d.leaveKey(k)
	case d.page == listPage, d.page == frontPage:
		return d.listKey(k)
	}
	return d.textKey(k)
}

// leaveKey answers whether to come back later.
func (d *Desk) leaveKey(k Key) Event {
	switch k {
	case 'l':
		return Later
	case 'd':
		return Decline
	}
	d.back()
	return None
}

// textKey is a key on a page that scrolls. An item is approved, and the last
// word asked for, when the end was reached, page by page.
func (d *Desk) textKey(k Key) Event {
	if (k == End || k == 'G') && !d.read {
		k = PageDown
	}
	ev := d.scrollKey(k)
	d.reached()
	if d.asks() {
		return d.askAtEnd()
	}
	return ev
}

// atEnd reports whether the end of a text is on the screen.
func (d *Desk) atEnd() bool { return d.scroll+d.body() >= len(d.text) }

func (d *Desk) scrollKey(k Key) Event {
	page, last := d.body(), max(len(d.text)-d.body(), 0)
	switch k {
	case Up, 'k':
		d.scroll = max(d.scroll-1, 0)
	case Down, 'j':
		d.scroll = min(d.scroll+1, last)
	case PageUp, 'b':
		d.scroll = max(d.scroll-page, 0)
	case PageDown, ' ':
		d.followed = false
		d.scroll = min(d.scroll+page, last)
	case Home, 'g':
		d.scroll = 0
	case End, 'G':
		d.scroll = last
	case Enter, Escape, 'q':
		d.back()
	case '?':
		d.turn(helpPage)
	case 'n', 'p', 'a', 'r', 'u', 's':
		if d.page == itemPage {
			return d.itemKey(k)
		}
	default:
		d.openUnusual(k)
	}
	return None
}

// itemKey decides about the item that is shown in full, or goes to another.
func (d *Desk) itemKey(k Key) Event {
	var ev Event
	switch k {
	case 'n', 'p':
		d.followed = false
		d.reached()
		d.move(map[Key]int{'n': 1, 'p': -1}[k])
	case 'u':
		ev = d.undo()
	case 's':
		return d.finish()
	default:
		ev = d.decide(k)
	}
	switch {
	case d.isEnd():
		d.back()
	case d.view[d.at] != d.item:
		d.followed = k != 'n' && k != 'p'
		d.turn(itemPage)
	}
	return ev
}

// listKey is a key on the list, or on the first page, which has a list too.
func (d *Desk) listKey(k Key) Event {
	switch k {
	case Up, 'k':
		d.move(-1)
	case Down, 'j':
		d.move(1)
	case PageUp, 'b':
		d.move(-d.listed())
	case PageDown, ' ':
		d.move(d.listed())
	case Home, 'g':
		d.move(-len(d.view))
	case End, 'G':
		d.move(len(d.view))
	case Enter:
		switch {
		case !d.isEnd():
			d.open()
		case d.page == frontPage:
			d.list("")
		}
	case 'a', 'r':
		return d.decide(k)
	case 'u':
		return d.undo()
	case 'A':
		return d.several(Approved, d.shown(Undecided, review.OK))
	case 'R':
		return d.several(Rejected, d.shown(Undecided, review.Look, review.Noted, review.OK))
	case 'V':
		d.approveShown()
	default:
		return d.pageKey(k)
	}
	return None
}

// pageKey is a key of the list that leads elsewhere.
func (d *Desk) pageKey(k Key) Event {
	switch k {
	case '/', 'f':
		d.ask("show: ", func(words string) Event { d.list(words); return None })
	case Escape, 'l':
		d.list("")
	case 'o':
		d.sort = (d.sort + 1) % len(sorts)
		d.list(d.words)
	case 't':
		d.front()
	case 'T':
		d.turn(totalsPage)
	case '?':
		d.turn(helpPage)
	case 'q':
		d.turn(leavePage)
	case 's':
		return d.finish()
	default:
		d.openUnusual(k)
	}
	return None
}

// decide marks the item at the cursor and goes to the next one, always: so the
// same key never meets an item twice, and of "r a" the second is about another
// item. Behind the last there is nothing to decide about.
func (d *Desk) decide(k Key) Event {
	if d.isEnd() {
		d.message = "this is the end of the list: nothing was decided"
		return None
	}
	i := d.view[d.at]
	switch {
	case k == 'a' && !d.isWhole(i):
		return d.showWhole()
	}
	d.at++
	switch {
	case d.out[i] && k == 'a':
		d.message = fmt.Sprintf("%d was rejected by you: u, or undo %d, takes that back first", i+1, i+1)
		return None
	case d.rows[i].standing == review.Refused && (k == 'a' || !d.takes(i, Rejected)):
		d.message = fmt.Sprintf("%d is refused: it is not signed, whatever you decide", i+1)
		return None
	}
	ev := d.mark(map[Key]Mark{'a': Approved, 'r': Rejected}[k], i)
	if k == 'r' && d.onlyRecords() {
		d.message += "; operators approve the whole batch: less is only recorded, not signed"
	}
	return ev
}

// isWhole reports whether all of an item that has to be seen is on the screen,
// or was, page by page.
func (d *Desk) isWhole(i int) bool {
	switch {
	case d.rows[i].standing == review.Refused:
		return true
	case d.page == itemPage:
		return d.read
	case d.page == frontPage:
		return d.seen[i]
	}
	_, complete := d.previewed(i)
	return complete
}

// showWhole approves nothing, and shows what was not on the screen.
func (d *Desk) showWhole() Event {
	if d.page == itemPage {
		d.scrollKey(PageDown)
		d.reached()
	} else {
		d.open()
	}
	d.message = "not approved: read it to its end first, then a"
	return None
}

func (d *Desk) several(m Mark, places []int) Event {
	ev := d.mark(m, places...)
	if ev == None {
		d.message = "nothing that is shown is undecided"
		if m == Approved {
			d.message += " and ok"
		}
	}
	return ev
}

// approveShown approves all that is shown and undecided, flagged or not, once
// their number was typed.
func (d *Desk) approveShown() {
	places := d.shown(Undecided, review.Look, review.Noted, review.OK)
	look := len(d.shown(Undecided, review.Look))
	if len(places) == 0 {
		d.message = "nothing that is shown is undecided"
		return
	}
	question := fmt.Sprintf("Approve all %d shown? Type their number: ", len(places))
	if look > 0 {
		question = fmt.Sprintf("Approve all %d shown, %d of which want a look? Type %d to approve them: ", len(places), look, len(places))
	}
	d.ask(question, func(answer string) Event {
		if trimmed(answer) != fmt.Sprint(len(places)) {
			d.message = "that is not their number: nothing was approved"
			return None
		}
		return d.mark(Approved, places...)
	})
}

// open shows the item at the cursor in full.
func (d *Desk) open() {
	d.followed = false
	d.turn(itemPage)
}

// move moves the cursor.
func (d *Desk) move(by int) {
	d.at = max(min(d.at+by, len(d.view)-1), 0)
}

// isEnd reports whether the cursor is behind the last item that is shown.
func (d *Desk) isEnd() bool { return d.at >= len(d.view) }
