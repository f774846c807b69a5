package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"coldkms/offline/review"
	"coldkms/shared/chain"
)

// row is what the list needs of an item, made once.
type row struct {
	standing review.Standing
	payee    string // label or address, short
	coin     string // such as "BTC test"
	paid     string // coins
	codes    string
	fresh    bool
	search   string // in lower case: id, addresses, amounts, codes

	amount chain.Amount
	rate   chain.Amount
	to     string // first destination
	label  string // of that
	place  int    // in the order of attention
	rarity int    // items with the rarest of the codes
}

func rows(b review.Batch) []row {
	list := make([]row, len(b.Items))
	seen := make(map[string]int)
	for i, it := range b.Items {
		list[i] = rowOf(b, it)
		for _, code := range strings.Fields(list[i].codes) {
			seen[code]++
		}
	}
	for i := range list {
		list[i].rarity = len(list) + 1
		for _, code := range strings.Fields(list[i].codes) {
			list[i].rarity = min(list[i].rarity, seen[code])
		}
	}
	for n, i := range b.Order() {
		list[i].place = n
	}
	return list
}

func rowOf(b review.Batch, it review.Item) row {
	r := row{standing: it.Standing(), coin: string(it.Chain) + " " + strings.TrimSuffix(it.Network.String(), "net"), paid: "-", fresh: it.IsNew()}
	words := []string{it.ID, string(it.Chain), it.Network.String()}
	var codes []string
	look, notes := it.Sorted()
	for _, reason := range slices.Concat(it.Refusals, look, notes) {
		if !slices.Contains(codes, string(reason.Code)) {
			codes = append(codes, string(reason.Code))
		}
	}
	r.codes = strings.Join(codes, " ")
	words = append(words, codes...)
	if f := it.Facts; f != nil {
		r.amount, r.rate = f.Paid(), f.FeeRate()
		r.paid = f.Asset.Units(r.amount)
		words = append(words, r.paid, r.amount.String(), f.Asset.Units(f.Fee), f.Fee.String())
		r.setPayee(b, it)
		words = append(words, r.label)
		for _, out := range f.Movements {
			if out.Own != nil {
				words = append(words, review.OwnNames(out))
			}
			words = append(words, out.To, out.Memo, out.Asset.Units(out.Amount), out.Amount.String())
		}
	}
	r.search = strings.ToLower(strings.Join(words, "\n"))
	return r
}

// payeeWidth is how wide the names of payees are in a list.
const payeeWidth = 24

// setPayee names the first payee, and how many more there are.
func (r *row) setPayee(b review.Batch, it review.Item) {
	others := -1
	var first chain.Movement
	for _, out := range it.Facts.Movements {
		if out.IsChange() || out.IsData && out.Amount.IsZero() {
			continue
		}
		if others++; others == 0 {
			first = out
		}
	}
	if others < 0 {
		return
	}
	r.to, r.label = first.To, b.LabelOf(it.Coin, first.To)
	more := ""
	if others > 0 {
		more = fmt.Sprintf(" +%d", others)
	}
	r.payee = shortPayee(review.Unusual{To: &first, Label: r.label}, payeeWidth-len(more)) + more
}

// shortened is an address in at most n columns: its beginning and its end. The
// whole one stands elsewhere on the screen.
func shortened(address string, n int) string {
	const end, dots = 8, "..."
	if address = ascii(address); len(address) > n {
		address = address[strings.IndexByte(address, ':')+1:] // the prefix that cashaddr has
	}
	if len(address) <= n {
		return address
	}
	return address[:n-end-len(dots)] + dots + address[len(address)-end:]
}

// sorts are the orders of the list; the first is the one that it starts with.
var sorts = [...]struct {
	name string
	less func(x, y row) int
}{
	{"attention", func(x, y row) int { return cmp.Compare(x.place, y.place) }},
	{"number", func(row, row) int { return 0 }},
	{"amount", func(x, y row) int { return cmp.Or(cmp.Compare(x.coin, y.coin), y.amount.Cmp(x.amount)) }},
	{"fee rate", func(x, y row) int { return cmp.Or(cmp.Compare(x.coin, y.coin), y.rate.Cmp(x.rate)) }},
	{"payee", func(x, y row) int {
		return cmp.Or(cmp.Compare(unnamedLast(x), unnamedLast(y)), cmp.Compare(x.to, y.to))
	}},
	{"rarity", func(x, y row) int { return cmp.Or(cmp.Compare(x.rarity, y.rarity), cmp.Compare(x.place, y.place)) }},
}

// unnamedLast is what payees are sorted by: those that have a label first.
func unnamedLast(r row) string {
	if r.label == "" {
		return "\xff"
	}
	return r.label
}

// list shows the list of the items that all words fit.
func (d *Desk) list(words string) {
	d.show(words)
	d.home = listPage
	d.back()
}

// show finds the items that all words fit, and goes to the first.
func (d *Desk) show(words string) {
	d.words = strings.Join(strings.Fields(words), " ")
	fits := d.fits()
	d.view = d.view[:0]
	for i := range d.rows {
		if fits(i) {
			d.view = append(d.view, i)
		}
	}
	slices.SortStableFunc(d.view, func(x, y int) int { return sorts[d.sort].less(d.rows[x], d.rows[y]) })
	d.at, d.top = 0, 0
}

// fits turns the words into a question about an item. A word names a class or
// a mark, or is text that the item has. All together may also be an address as
// it is shown, in groups.
func (d *Desk) fits() func(i int) bool {
	words := strings.Fields(strings.ToLower(d.words))
	joined := strings.Join(words, "")
	var tests []func(i int) bool
	for _, word := range words {
		tests = append(tests, d.test(word))
	}
	return func(i int) bool {
		if len(words) > 1 && strings.Contains(d.rows[i].search, joined) {
			return true
		}
		for _, test := range tests {
			if !test(i) {
				return false
			}
		}
		return true
	}
}

func (d *Desk) test(word string) func(i int) bool {
	standing := func(s ...review.Standing) func(i int) bool {
		return func(i int) bool { return slices.Contains(s, d.rows[i].standing) }
	}
	marked := func(m Mark) func(i int) bool {
		return func(i int) bool { return d.marks[i] == m && (d.rows[i].standing != review.Refused || d.out[i]) }
	}
	switch word {
	case "all":
		return func(int) bool { return true }
	case "refused":
		return standing(review.Refused)
	case "look":
		return standing(review.Look)
	case "flagged":
		return standing(review.Look, review.Noted)
	case "noted":
		return standing(review.Noted)
	case "ok":
		return standing(review.OK)
	case "new":
		return func(i int) bool { return d.rows[i].fresh }
	case "unopened":
		return func(i int) bool { return !d.seen[i] && d.batch.Items[i].Insists() }
	case "undecided":
		return marked(Undecided)
	case "approved":
		return marked(Approved)
	case "rejected":
		return marked(Rejected)
	}
	if coin := chain.ID(strings.ToUpper(word)); slices.ContainsFunc(d.batch.Items, func(it review.Item) bool { return it.Chain == coin }) {
		return func(i int) bool { return d.batch.Items[i].Chain == coin }
	}
	return func(i int) bool { return strings.Contains(d.rows[i].search, word) }
}
