package review

import (
	"fmt"
	"slices"
	"testing"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// crowd is a batch of so many plain payments of one amount.
func crowd(n int) Batch {
	var b Batch
	for i := range n {
		b.Items = append(b.Items, Item{ID: fmt.Sprint(i), Facts: &chain.Facts{
			Movements: []chain.Movement{{To: fmt.Sprint("to", i), Amount: chain.NewAmount(1000)}}}})
	}
	return b
}

func (b Batch) find(i int, amount uint64, code chain.Code, severity chain.Severity) {
	b.Items[i].Facts.Movements[0].Amount = chain.NewAmount(amount)
	at := chain.At{Part: chain.OfMovement}
	b.Items[i].Findings = append(b.Items[i].Findings, policy.Reason{Code: code, At: at, Severity: severity})
}

func (b Batch) onFirstPage(i int) bool {
	return slices.ContainsFunc(b.Unusual(FirstPage), func(u Unusual) bool { return u.Item == i })
}

// Junk of one kind, or of three, moves nothing off the first page, whatever it
// pays and whether it is refused or looked at; nor does what is said of every item.
func TestJunkMovesNothingOffTheFirstPage(t *testing.T) {
	for _, junk := range []int{12, 200, 500} {
		b := crowd(junk + 20)
		for i := range junk {
			switch {
			case i%4 == 0:
				b.Items[i].Refusals = []policy.Reason{{Code: chain.UnknownKey}}
			case i%2 == 0:
				b.find(i, 100_000_000, chain.FlagLookAlike, chain.Look)
			default:
				b.find(i, 1, chain.FlagSameAgain, chain.Look)
			}
			b.find(i, 1000, chain.FlagReplaceable, chain.Note)
		}
		b.find(junk+3, 5000, chain.FarIndex, chain.Look)
		b.find(junk+7, 10, chain.FlagUnusedKey, chain.Note)
		if !b.onFirstPage(junk+3) || !b.onFirstPage(junk+7) {
			t.Errorf("%d junk items hide another: %v", junk, b.Unusual(FirstPage))
		}
		if order := b.Order(); len(order) != len(b.Items) || !slices.Contains(order[:FirstPage], junk+3) {
			t.Errorf("the order begins with %v", order[:FirstPage])
		} else if last := b.Items[order[len(order)-1]]; !last.Refused() {
			t.Errorf("the last is not refused: %v", last)
		}
	}
}

// Of one finding the larger amount comes first, measured by what its coin
// usually pays; a graver finding comes before.
func TestOrderWithinAFinding(t *testing.T) {
	b := crowd(9)
	b.find(1, 2000, chain.FlagLookAlike, chain.Look)
	b.find(5, 9000, chain.FlagLookAlike, chain.Look)
	b.find(8, 10, chain.FlagReplaces, chain.Alarm)
	var places []int
	for _, u := range b.Unusual(3) {
		places = append(places, u.Item)
	}
	if !slices.Equal(places, []int{8, 5, 1}) {
		t.Errorf("the order is %v", places)
	}
	u := b.Unusual(2)[1]
	if u.To == nil || u.To.To != "to5" || u.AtRisk.Amount != chain.NewAmount(9000) || u.Severity != chain.Look {
		t.Errorf("the second is %+v", u)
	}
	b.Label = func(_ chain.Coin, to string) string { return "payee " + to }
	if got := b.Unusual(2)[1].Label; got != "payee to5" {
		t.Errorf("its label is %q", got)
	}
}

// Of a code the findings farthest beyond the usual come first, whatever they pay.
func TestFarthestFirst(t *testing.T) {
	b := crowd(40)
	for i := range 30 { // of most items, so that the code is not rare
		b.find(i, 9000, chain.FlagAboveUsual, chain.Note)
		b.Items[i].Findings[0].Excess = int64(i + 1)
	}
	b.Items[17].Facts.Movements[0].Amount = chain.NewAmount(1)
	b.Items[17].Findings[0].Excess = 100
	if first := b.Unusual(FirstPage)[0].Item; first != 17 {
		t.Errorf("the first is %d", first)
	}
	if !b.onFirstPage(29) || b.onFirstPage(0) {
		t.Errorf("the first page is %v", b.Unusual(FirstPage))
	}
}
