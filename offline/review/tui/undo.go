package tui

import (
	"fmt"
	"slices"
)

// decision is what one key or answer decided, which is undone as a whole.
type decision struct {
	to   Mark
	from []before
}

// before is what an item was marked as.
type before struct {
	place int
	mark  Mark
}

// mark decides about items and says so. What policy refused stays as it is, unless
// it is refused for a conflict.
func (d *Desk) mark(to Mark, places ...int) Event {
	made := decision{to: to}
	ev := Changed
	for _, i := range places {
		if d.takes(i, to) && d.marks[i] != to {
			made.from = append(made.from, before{i, d.marks[i]})
			d.marks[i] = to
			ev = d.rejudged(i, ev)
		}
	}
	if len(made.from) == 0 {
		if len(places) == 1 {
			d.message = fmt.Sprintf("%d is %s already", places[0]+1, to)
		}
		return None
	}
	d.recount()
	d.decided = append(d.decided, made)
	d.message = fmt.Sprintf("%s %s (u undoes)", made.what(), to)
	return ev
}

// rejudged returns Rejudge if the mark of an item decides whether others are
// refused, or else ev.
func (d *Desk) rejudged(i int, ev Event) Event {
	if d.out[i] || d.standsInTheWay(i) {
		return Rejudge
	}
	return ev
}

// keepRejections forgets decisions that do not hold any more: all but rejections.
// Undone, what was rejected is undecided.
func (d *Desk) keepRejections() {
	known := make(map[int]bool)
	var list []decision
	for _, m := range slices.Backward(d.decided) {
		kept := decision{to: m.to}
		for _, was := range m.from {
			if m.to == Rejected && d.marks[was.place] == Rejected && !known[was.place] {
				known[was.place] = true
				kept.from = append(kept.from, before{was.place, Undecided})
			}
		}
		if len(kept.from) > 0 {
			list = append(list, kept)
		}
	}
	slices.Reverse(list)
	d.decided = list
}

// what names the items of a decision: the number of one, or how many.
func (m decision) what() string {
	if len(m.from) == 1 {
		return fmt.Sprint(m.from[0].place + 1)
	}
	return plural(len(m.from), "item")
}

// undo takes the last decision back that is not undone yet, wherever the
// cursor is, says which that was, and goes to its item.
func (d *Desk) undo() Event {
	if len(d.decided) == 0 {
		d.message = "there is nothing to undo: a and r decide anew"
		return None
	}
	last := d.decided[len(d.decided)-1]
	d.decided = d.decided[:len(d.decided)-1]
	ev := Changed
	for _, was := range last.from {
		d.marks[was.place] = was.mark
		ev = d.rejudged(was.place, ev)
	}
	d.recount()
	d.message = fmt.Sprintf("undone: %s not %s any more", last.what(), last.to)
	if len(last.from) > 1 {
		return ev
	}
	was := last.from[0]
	d.message = fmt.Sprintf("undone: %s is %s again, not %s", last.what(), was.mark, last.to)
	if at := slices.Index(d.view, was.place); at >= 0 {
		d.at = at
	} else {
		d.message += "; not in this list"
	}
	return ev
}
