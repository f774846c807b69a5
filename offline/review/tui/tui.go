// Package tui is the signing session: a batch on a screen, the keys that a
// person presses, and what they decide about each item. It knows no terminal:
// keys go in, lines of plain text come out, so that a screen can be a golden
// file, a serial console or a screen reader.
//
// Nothing is decided when a session starts. What was rejected and what policy
// refused is not signed. What wants a second look is not signed before it was
// approved, opened, or counted on a list of such items.
package tui

import (
	"fmt"
	"slices"
	"strings"

	"coldkms/offline/review"
	"coldkms/shared/chain"
)

// Mark is what a person decided about an item.
type Mark byte

// The marks, as they are shown and kept.
const (
	Undecided Mark = '.'
	Approved  Mark = '+'
	Rejected  Mark = '-'
)

// String returns the word.
func (m Mark) String() string {
	switch m {
	case Approved:
		return "approved"
	case Rejected:
		return "rejected"
	}
	return "undecided"
}

// Event is what a key or a typed line means to the caller.
type Event uint8

// The events.
const (
	None    Event = iota
	Changed       // marks are not what they were: keep them
	Ask           // a question is asked now: what was typed ahead is no answer
	Redraw        // draw all of the screen again
	Sign          // the person confirmed: Choice is what to sign
	Decline       // the person wants none of the batch
	Later         // the person leaves; the marks are kept
	Rejudge       // a mark changed that decides whether others are refused: keep the marks, then Settle
)

type page uint8

const (
	frontPage page = iota // the batch as a whole, and what is unusual in it
	listPage
	totalsPage
	itemPage
	helpPage
	unseenPage // what wants a look and had none, before the last word
	signPage
	leavePage
)

// Desk is one batch in front of a person. It is not safe for concurrent use.
type Desk struct {
	// Quorum says that operators approve the batch: a yes to a part of it only
	// records what is left out.
	Quorum bool

	// Unasked reports whether no relay waits for an answer, as about a file of
	// another program.
	Unasked bool

	// Operator is who approves the batch; "" where it is signed.
	Operator string

	// Whole says that every item was shown in full before the first question.
	Whole bool

	batch review.Batch
	rows  []row  // by place
	marks []Mark // by place
	seen  []bool // by place: was on the screen in full
	count map[Mark]int
	can   int    // items that can be signed
	out   []bool // by place: was refused for a conflict, and is taken out of the batch as the person rejected it

	renewed string // what Settle did last

	decided []decision // that can be undone, the last one last

	words string // what is shown
	sort  int
	view  []int // places, in the order shown
	at    int   // index into view; its length: behind the last
	top   int

	page     page
	home     page                   // frontPage or listPage: where other pages lead back to
	unusual  map[int]review.Unusual // by place: what the front page lists
	item     int                    // that is shown in full, by place
	text     []string               // of the pages that scroll
	scroll   int
	read     bool // the end of the text was on the screen, and all before it
	followed bool // the item is shown because the one before it was decided: nobody opened it
	typing   *line
	message  string

	width, height int
	small         bool // below what is drawn on: nothing is shown, and nothing is decided
}

// New puts a batch on the desk. It starts with the batch as a whole.
func New(b review.Batch) *Desk {
	d := &Desk{batch: b, rows: rows(b), width: 80, height: 24,
		marks: make([]Mark, len(b.Items)), seen: make([]bool, len(b.Items)), out: make([]bool, len(b.Items))}
	for i := range d.marks {
		d.marks[i] = Undecided
	}
	d.recount()
	d.front()
	return d
}

// Settle has the batch judged anew, without what was rejected because it stands in
// the way of others, and with that of which the rejection was undone. Of what was
// decided before, rejections hold.
func (d *Desk) Settle(judge func(out, back []int) (review.Batch, error)) error {
	before := slices.Clone(d.out)
	for {
		out := d.every(func(i int) bool { return d.marks[i] == Rejected && d.standsInTheWay(i) })
		back := d.every(func(i int) bool { return d.marks[i] != Rejected && d.out[i] })
		if len(out)+len(back) == 0 {
			break
		}
		b, err := judge(out, back)
		if err != nil {
			return err
		}
		for _, i := range out {
			d.out[i] = true
		}
		for _, i := range back {
			d.out[i] = false
		}
		d.renew(b)
	}
	d.tellRenewed(before)
	return nil
}

// renew puts the batch on the desk as it was judged again.
func (d *Desk) renew(b review.Batch) {
	kept := d.Marks()
	d.batch, d.rows = b, rows(b)
	for i := range d.marks {
		d.marks[i] = Undecided
	}
	clear(d.seen)
	d.Reject(kept)
	d.keepRejections()
	d.front()
}

// tellRenewed says which items are out of the batch, or in it again, since.
func (d *Desk) tellRenewed(before []bool) {
	var said []string
	for i, out := range d.out {
		switch {
		case out && !before[i]:
			said = append(said, fmt.Sprintf("item %d is left out", i+1))
		case !out && before[i]:
			said = append(said, fmt.Sprintf("item %d is in the batch again, undecided", i+1))
		}
	}
	d.renewed = strings.Join(said, ", ")
	if d.renewed != "" {
		d.message = d.renewed + "; the rest was judged again, and nothing is approved yet"
	}
}

// Renewed returns what is to be said after Settle to a person who is asked line by line; ""
// where nothing was judged again.
func (d *Desk) Renewed() string {
	if d.renewed == "" {
		return ""
	}
	return strings.ToUpper(d.renewed[:1]) + d.renewed[1:] + ". The rest was judged again:\n"
}

// TakenOut lists the places of what Settle took out of the batch.
func (d *Desk) TakenOut() []int { return d.every(func(i int) bool { return d.out[i] }) }

// standsInTheWay reports whether an item is refused only because of another
// one, which is refused because of it.
func (d *Desk) standsInTheWay(i int) bool {
	list := d.batch.Items[i].Refusals
	return len(list) == 1 && list[0].Code == chain.BatchConflict
}

// takes reports whether an item can be marked so: what policy refused is not decided
// about, but one of several that spend the same can be rejected, and that undone.
func (d *Desk) takes(i int, to Mark) bool {
	switch {
	case d.rows[i].standing != review.Refused:
		return true
	case to == Rejected:
		return d.standsInTheWay(i) || d.out[i]
	}
	return to == Undecided && d.out[i]
}

// every lists the places that fit.
func (d *Desk) every(fits func(i int) bool) (list []int) {
	for i := range d.marks {
		if fits(i) {
			list = append(list, i)
		}
	}
	return list
}

// Resize tells the size of the screen, in columns and lines. What was typed for
// a screen of another size is no answer, and the last word is shown anew.
func (d *Desk) Resize(width, height int) {
	d.small = width < MinWidth || height < MinHeight
	d.width, d.height = max(width, 1), max(height, 1)
	d.typing = nil
	switch {
	case d.small:
		if d.asks() {
			d.back()
		}
	case d.asks():
		d.question(d.page)
	default:
		d.turn(d.page)
	}
}

// MinWidth and MinHeight are the smallest screen that is drawn on.
const (
	MinWidth  = 60
	MinHeight = 16
)

// Marks returns what was decided, one character an item.
func (d *Desk) Marks() string {
	b := make([]byte, len(d.marks))
	for i, m := range d.marks {
		b[i] = byte(m)
	}
	return string(b)
}

// SetMarks takes up what Marks gave for the same batch. It changes nothing
// and is false where they do not fit.
func (d *Desk) SetMarks(kept string) bool {
	if len(kept) != len(d.marks) {
		return false
	}
	for i := range len(kept) {
		switch m := Mark(kept[i]); {
		case m != Undecided && m != Approved && m != Rejected, m != Undecided && !d.takes(i, m):
			return false
		}
	}
	for i := range len(kept) {
		d.marks[i] = Mark(kept[i])
	}
	d.recount()
	return true
}

// Reject rejects what Marks of the same batch, perhaps judged otherwise, has as
// rejected, and returns how many items that are.
func (d *Desk) Reject(kept string) (n int) {
	if len(kept) != len(d.marks) {
		return 0
	}
	for i := range len(kept) {
		if Mark(kept[i]) == Rejected && d.takes(i, Rejected) {
			d.marks[i] = Rejected
			n++
		}
	}
	d.recount()
	return n
}

// Rejected lists the places of the items that were rejected.
func (d *Desk) Rejected() []int {
	return d.every(func(i int) bool { return d.marks[i] == Rejected })
}

// Count returns how many items are approved, rejected and undecided.
func (d *Desk) Count() (approved, rejected, undecided int) {
	return d.count[Approved], d.count[Rejected], d.count[Undecided]
}

// Without returns the places of the items that can be signed and are not in a
// choice.
func (d *Desk) Without(choice review.Choice) []int {
	var list []int
	for i, r := range d.rows {
		if r.standing != review.Refused && !choice(i) {
			list = append(list, i)
		}
	}
	return list
}

func (d *Desk) recount() {
	d.count, d.can = make(map[Mark]int), 0
	for i, m := range d.marks {
		switch {
		case d.rows[i].standing != review.Refused:
			d.count[m]++
			d.can++
		case m == Rejected:
			d.count[m]++
		}
	}
}

// shown lists the places that are shown and have this mark, of these standings.
func (d *Desk) shown(m Mark, standings ...review.Standing) []int {
	var list []int
	for _, i := range d.view {
		for _, s := range standings {
			if d.rows[i].standing == s && d.marks[i] == m {
				list = append(list, i)
			}
		}
	}
	return list
}

// turn shows a page from its top.
func (d *Desk) turn(p page) {
	d.page, d.scroll, d.text, d.read = p, 0, nil, false
	var b strings.Builder
	switch p {
	case totalsPage:
		_ = d.batch.Head(&b)
	case itemPage:
		d.item = d.view[d.at]
		_ = d.batch.Item(&b, d.item)
	case helpPage:
		b.WriteString(help)
	case unseenPage:
		d.listUnseen(&b)
	case signPage:
		d.undecided(&b)
		_ = d.batch.Closing(&b, d.kept)
	default:
		return
	}
	d.text = wrap(b.String(), d.width)
	d.reached()
}

// back goes to where a page was opened.
func (d *Desk) back() { d.turn(d.home) }

// reached notes that the end of a text is on the screen. The item of it was
// seen.
func (d *Desk) reached() {
	if d.read = d.read || d.atEnd(); d.read && d.page == itemPage && !d.followed {
		d.seen[d.item] = true
	}
}
