package tui

import (
	"fmt"
	"strings"

	"coldkms/offline/review"
)

// unusualKeys open the items of the first page, one each.
const unusualKeys = "123456789cde"

// Lines of the first page.
const (
	maxTotals   = 6
	detailLines = 4
	leastRows   = 2
)

// front shows the first page: who asks, how many, how much, and what is unusual.
func (d *Desk) front() {
	d.unusual = make(map[int]review.Unusual)
	d.view, d.at, d.top = nil, 0, 0
	for _, u := range d.batch.Unusual(review.FirstPage) {
		d.unusual[u.Item] = u
		d.view = append(d.view, u.Item)
	}
	d.home = frontPage
	d.back()
}

// openUnusual shows the item of the first page that a key belongs to.
func (d *Desk) openUnusual(k Key) {
	if d.home != frontPage || d.page != frontPage && d.page != itemPage {
		return
	}
	if at := strings.IndexRune(unusualKeys, rune(k)); at >= 0 && at < len(d.view) {
		d.at = at
		d.open()
	}
}

func (d *Desk) drawFront(s *screen) {
	d.drawHead(s)
	if len(d.view) == 0 {
		s.add(Plain, "Nothing is unusual.   s signs   l lists all   T totals and destinations")
		s.pad(d.height - 2)
		return
	}
	s.add(Title, fmt.Sprintf("What is unusual   key  number %21s  payee", "at risk"))
	detail := d.detail()
	rows := max(d.height-len(s.lines)-len(detail)-2, 1)
	d.top = min(max(d.top, d.at-rows+1), d.at)
	for n := d.top; n < min(d.top+rows, len(d.view)); n++ {
		d.unusualRow(s, n)
	}
	if d.isEnd() {
		s.add(Cursor, ">       the end of what is unusual: l lists all, s signs")
	}
	s.pad(d.height - 2 - len(detail))
	for _, l := range detail {
		s.add(Plain, l)
	}
	s.pad(d.height - 2)
}

// drawHead says who asks for what, by which rules: no more lines than leave
// room for what is unusual.
func (d *Desk) drawHead(s *screen) {
	t := d.batch.Tally()
	items := plural(len(d.rows), "item")
	title := fmt.Sprintf("The batch: %s: %d refused, %d to look at, %d noted, %d ok",
		items, t[review.Refused], t[review.Look], t[review.Noted], t[review.OK])
	if a, r, u := d.Count(); a+r > 0 {
		title = fmt.Sprintf("The batch: %s: %d refused, %d approved, %d rejected, %d undecided",
			items, t[review.Refused]-len(d.TakenOut()), a, r, u)
	}
	s.add(Title, title)
	s.add(Plain, d.batch.Who())
	for _, l := range d.basis() {
		s.add(Plain, l)
	}
	if n := len(d.batch.Notices); n > 0 {
		s.add(Alert, fmt.Sprintf("NOTICE 1 of %d (T shows all): %s", n, d.batch.Notices[0]))
	}
	sums := d.batch.SumLines(d.kept)
	most := min(maxTotals, max(d.height-len(s.lines)-1-leastRows-detailLines-2, 1))
	if len(sums) > most {
		sums = append(sums[:most-1], fmt.Sprintf("and %d other coins and tokens: T", len(sums)-most+1))
	}
	for _, l := range sums {
		s.add(Plain, l)
	}
}

// basis names policy and ledger, in as few lines as they need.
func (d *Desk) basis() []string {
	basis := d.batch.Basis
	policy := "policy   " + basis.Policy.String()
	ledger := fmt.Sprintf("ledger %s, head words:", plural(int(basis.Ledger.Lines), "line"))
	lines := []string{policy, ledger}
	if line := policy + "   " + ledger; len(line) <= d.width {
		lines = []string{line}
	}
	return append(lines, wrap("          "+basis.Ledger.Words, d.width)...)
}

func (d *Desk) unusualRow(s *screen, n int) {
	i := d.view[n]
	u := d.unusual[i]
	cursor, style := " ", Plain
	if n == d.at {
		cursor, style = ">", Cursor
	}
	s.add(style, fmt.Sprintf("%s%c %c %6d %22s  %-24s %s", cursor, d.sign(i), unusualKeys[n%len(unusualKeys)], i+1,
		fit(u.Sum(), 22), shortPayee(u, payeeWidth), u.Reason.Code))
}

// detail is about the item at the cursor: whom it pays, the address whole, and
// what is unusual.
func (d *Desk) detail() []string {
	if d.isEnd() {
		return nil
	}
	i := d.view[d.at]
	u := d.unusual[i]
	lines := []string{fmt.Sprintf("[%d]  %s%s", i+1, d.batch.Items[i].ID, d.said(i))}
	lines = append(lines, wrap("  to "+u.Payee(), d.width)...)
	why := wrap(fmt.Sprintf("  %s: %s", u.Reason.Code, u.Reason.Text()), d.width)
	if most := max(detailLines-len(lines), 1); len(why) > most {
		why = append(why[:most-1:most-1], fit(why[most-1], d.width-4)+" ...")
	}
	return append(lines, why...)
}

// shortPayee names a payee in so many columns.
func shortPayee(u review.Unusual, width int) string {
	switch {
	case u.Label != "":
		return fit(u.Label, width)
	case u.To == nil:
		return "nobody"
	case u.To.Address != "":
		return shortened(u.To.Address, width)
	}
	return fit(u.To.Kind+" script", width)
}
