package tui

import (
	"fmt"
	"slices"

	"coldkms/offline/review"
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

// mark decides about items and says so. What policy refused stays as it is.
func (d *Desk) mark(to Mark, places ...int) Event {
	made := decision{to: to}
	for _, i := range places {
		if d.rows[i].standing != review.Refused && d.marks[i] != to {
			made.from = append(made.from, before{i, d.marks[i]})
			d.set(i, to)
		}
	}
	if len(made.from) == 0 {
		if len(places) == 1 {
			d.message = fmt.Sprintf("%d is %s already", places[0]+1, to)
		}
		return None
	}
	d.decided = append(d.decided, made)
	d.message = fmt.Sprintf("%s %s (u undoes)", made.what(), to)
	return Changed
}

func (d *Desk) set(i int, m Mark) {
	d.count[d.marks[i]]--
	d.count[m]++
	d.marks[i] = m
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
	for _, was := range last.from {
		d.set(was.place, was.mark)
	}
	d.message = fmt.Sprintf("undone: %s not %s any more", last.what(), last.to)
	if len(last.from) > 1 {
		return Changed
	}
	was := last.from[0]
	d.message = fmt.Sprintf("undone: %s is %s again, not %s", last.what(), was.mark, last.to)
	if at := slices.Index(d.view, was.place); at >= 0 {
		d.at = at
	} else {
		d.message += "; not in this list"
	}
	return Changed
}
