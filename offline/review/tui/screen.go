package tui

import (
	"fmt"
	"strings"

	"coldkms/offline/review"
)

// Style says how a line may be set off. Nothing is said by it alone.
type Style uint8

// The styles.
const (
	Plain Style = iota
	Title
	Cursor
	Alert
)

// Line is one line of the screen: printable ASCII, no longer than the screen
// is wide.
type Line struct {
	Text  string
	Style Style
}

// lines around the list: two above, the columns' names, a rule, the preview,
// the message, the keys.
const (
	previewLines = 7
	aroundList   = 2 + 1 + 1 + previewLines + 2
	aroundText   = 1 + 2
)

func (d *Desk) listed() int { return max(d.height-aroundList, 1) }
func (d *Desk) body() int   { return max(d.height-aroundText, 1) }

// Screen draws: exactly as many lines as the screen has.
func (d *Desk) Screen() []Line {
	var s screen
	s.width = d.width
	if d.small {
		d.tooSmall(&s)
		return s.lines
	}
	switch d.page {
	case frontPage:
		d.drawFront(&s)
	case listPage:
		d.drawList(&s)
	case leavePage:
		s.add(Title, "Leave the session")
		s.pad(2)
		s.add(Plain, "  l    later: nothing is signed now; what you decided is kept for the next time")
		s.add(Plain, "  d    decline: none of the batch is signed, and the ledger says so")
		s.add(Plain, "  Esc  back")
		s.pad(d.height - 2)
	default:
		d.pageOfText(&s)
	}
	s.add(Alert, d.message)
	if d.typing != nil {
		s.add(Title, tail(d.typing.question+string(d.typing.typed)+"_", d.width))
	} else {
		s.add(Plain, d.keys())
	}
	return s.lines
}

// tooSmall says why nothing is shown, on whatever there is.
func (d *Desk) tooSmall(s *screen) {
	text := fmt.Sprintf("%d x %d is too small: make it %d x %d. Nothing is signed. q: later", d.width, d.height, MinWidth, MinHeight)
	for _, l := range wrap(text, d.width) {
		s.add(Alert, l)
	}
	s.pad(d.height)
}

func (d *Desk) keys() string {
	switch d.page {
	case signPage, unseenPage:
		return "Space more: the question comes at the end   Enter back"
	case listPage:
		return "? keys  Enter in full  a approve  r reject  u undo  A all ok  / find  s sign  q"
	case itemPage:
		return "a approve  r reject  u undo  n next  p previous  Space more  s sign  Enter back"
	case frontPage:
		return "? keys  1-9 in full  a approve  r reject  u undo  l list  / find  s sign  q"
	case leavePage:
		return ""
	}
	return "Space more   Enter back"
}

func (d *Desk) pageOfText(s *screen) {
	title := map[page]string{totalsPage: "Totals", itemPage: "The item", helpPage: "Keys", unseenPage: "Not opened", signPage: "The last word"}[d.page]
	if d.page == itemPage {
		title += fmt.Sprintf("%s  [%d of %d]", d.said(d.item), d.item+1, len(d.rows))
	}
	end := min(d.scroll+d.body(), len(d.text))
	if len(d.text) > d.body() {
		title += fmt.Sprintf("   lines %d to %d of %d", d.scroll+1, end, len(d.text))
	}
	s.add(Title, title)
	for _, l := range d.text[d.scroll:end] {
		s.add(Plain, l)
	}
	s.pad(d.height - 2)
}

func (d *Desk) drawList(s *screen) {
	t := d.batch.Tally()
	approved, rejected, undecided := d.Count()
	s.add(Title, fmt.Sprintf("%d items: %d refused, %d to look at, %d noted, %d ok", len(d.rows), t[review.Refused], t[review.Look], t[review.Noted], t[review.OK]))
	words := d.words
	if words == "" {
		words = "all"
	}
	s.add(Plain, fmt.Sprintf("approved %d  rejected %d  undecided %d   shown %d: %s, by %s", approved, rejected, undecided, len(d.view), words, sorts[d.sort].name))
	s.add(Plain, fmt.Sprintf("%7s %-7s %-24s %17s %-9s %s", "number", "", "payee", "pays", "coin", "codes"))
	d.top = min(max(d.top, d.at-d.listed()+1), d.at)
	for n := d.top; n < min(d.top+d.listed(), len(d.view)); n++ {
		i := d.view[n]
		cursor, style := " ", Plain
		if n == d.at {
			cursor, style = ">", Cursor
		}
		r := d.rows[i]
		s.add(style, fmt.Sprintf("%s%c%5d %-7s %-24s %17s %-9s %s", cursor, d.sign(i), i+1, r.standing, r.payee, r.paid, fit(r.coin, 9), r.codes))
	}
	if d.isEnd() && len(d.view) > 0 {
		s.add(Cursor, ">       the end of the list: k goes back, s signs")
	}
	s.pad(3 + d.listed())
	s.add(Plain, strings.Repeat("-", d.width))
	if !d.isEnd() {
		d.preview(s, d.view[d.at])
	}
	s.pad(d.height - 2)
}

// sign is an item's mark in the list: what policy refused has none.
func (d *Desk) sign(i int) Mark {
	if d.rows[i].standing == review.Refused && !d.out[i] {
		return 'x'
	}
	return d.marks[i]
}

// preview shows of an item what has to be seen of it. What belongs together is
// shown together or not at all, so that no address is cut.
func (d *Desk) preview(s *screen, i int) {
	lines, _ := d.previewed(i)
	for _, l := range lines {
		s.add(Plain, l)
	}
}

// previewed are the lines of the preview, and whether nothing that has to be
// seen is missing.
func (d *Desk) previewed(i int) (lines []string, complete bool) {
	var b strings.Builder
	_ = d.batch.Decisive(&b, i)
	blocks := blocksOf(strings.TrimSpace(b.String()), d.width)
	lines = append(lines, blocks[0][0]+d.said(i))
	left := previewLines - 1
	for n, block := range blocks[1:] {
		if last := n == len(blocks)-2; len(block) > left || !last && len(block) == left {
			return append(lines, "  ...      Enter: all of it"), false
		}
		lines = append(lines, block...)
		left -= len(block)
	}
	return lines, true
}

// said is what the person decided about an item, if that matters.
func (d *Desk) said(i int) string {
	if d.rows[i].standing == review.Refused && !d.out[i] {
		return ""
	}
	return ", " + d.marks[i].String()
}

// blocksOf wraps a text whose lines belong to the last one before them that is
// indented less than the amounts are.
func blocksOf(text string, width int) (blocks [][]string) {
	const deep = "             "
	for l := range strings.Lines(text) {
		wrapped := wrap(l, width)
		if len(blocks) > 0 && strings.HasPrefix(l, deep) {
			last := len(blocks) - 1
			blocks[last] = append(blocks[last], wrapped...)
			continue
		}
		blocks = append(blocks, wrapped)
	}
	return blocks
}
