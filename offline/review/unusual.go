package review

import (
	"cmp"
	"slices"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// FirstPage is how many unusual items stand on the first page of a batch.
const FirstPage = 12

// perFinding is how many items of one code the first page has while there are items
// of other codes. It keeps many items of one kind from hiding one of another.
const perFinding = 3

// Unusual is an item that stands out, and the finding that says why.
type Unusual struct {
	Item     int // its place in the batch
	Reason   policy.Reason
	Severity chain.Severity
	To       *chain.Movement // the payment that it is about; nil if it pays nobody
	Label    string          // of its payee in the policy; may be none
	AtRisk   chain.Sum       // what that payment moves, or a fee costs
}

// Unusual returns the items that a person should look at first, at most so many:
// those with the gravest and rarest findings, with different codes before more items
// of one. Refused items are left out, as they are not signed.
func (b Batch) Unusual(most int) []Unusual {
	list := b.firstPage(b.ranked(), most)
	out := make([]Unusual, len(list))
	for i, r := range list {
		it := b.Items[r.item]
		reason := it.Findings[r.finding]
		out[i] = Unusual{Item: r.item, Reason: reason, Severity: it.severity(reason), To: it.about(reason),
			AtRisk: chain.Sum{Amount: r.amount, Asset: it.assetOf(reason)}}
		if out[i].To != nil {
			out[i].Label = b.LabelOf(it.Coin, out[i].To.To)
		}
	}
	return out
}

// LabelOf returns what policy calls a destination; "" if it has no label.
func (b Batch) LabelOf(coin chain.Coin, to string) string {
	if b.Label == nil {
		return ""
	}
	return b.Label(coin, to)
}

// Order returns the places of the items in the order in which a person should
// see them: the first page of what is unusual, what else wants a second look,
// what is noted, the rest, and last what is refused. Within one of them what is
// graver, rarer and larger comes first, and equals as in the request.
func (b Batch) Order() []int {
	ranked := b.ranked()
	order := make([]int, 0, len(b.Items))
	placed := make([]bool, len(b.Items))
	place := func(i int) {
		if !placed[i] {
			placed[i] = true
			order = append(order, i)
		}
	}
	for _, r := range b.firstPage(ranked, FirstPage) {
		place(r.item)
	}
	for _, r := range ranked {
		place(r.item)
	}
	for _, refused := range []bool{false, true} {
		for i, it := range b.Items {
			if it.Refused() == refused {
				place(i)
			}
		}
	}
	return order
}

// rank is where an item stands by its gravest finding.
type rank struct {
	item, finding int
	severity      chain.Severity
	rarity        int // items with a finding of this code
	code          chain.Code
	amount        chain.Amount
	excess        int64 // of the finding
	size          int64 // of the amount against the usual one of its asset, in 1/256 doublings
}

func (r rank) compare(other rank) int {
	return cmp.Or(-cmp.Compare(r.severity, other.severity), cmp.Compare(r.rarity, other.rarity),
		cmp.Compare(r.code, other.code), -cmp.Compare(r.excess, other.excess),
		-cmp.Compare(r.size, other.size), cmp.Compare(r.item, other.item))
}

// ranked lists the items with findings that can be signed, the gravest first.
func (b Batch) ranked() []rank {
	rarity, usual := b.rarity(), b.usual()
	var list []rank
	for i, it := range b.Items {
		if it.Refused() || len(it.Findings) == 0 {
			continue
		}
		var best rank
		for k, f := range it.Findings {
			r := rank{
				item: i, finding: k, severity: it.severity(f), rarity: rarity[f.Code], code: f.Code, excess: f.Excess,
			}
			if k == 0 || r.compare(best) < 0 {
				best = r
			}
		}
		f := it.Findings[best.finding]
		best.amount = it.atRisk(f)
		best.size = best.amount.Log2() - usual[it.assetOf(f)]
		list = append(list, best)
	}
	slices.SortFunc(list, rank.compare)
	return list
}

// firstPage picks from ranked items: of each code some, in turn, as long as
// others have any, and nothing that is noted of more than one item in twenty
// before what is looked at.
func (b Batch) firstPage(ranked []rank, most int) []rank {
	var page []rank
	taken := make(map[int]bool)
	type kind struct {
		code     chain.Code
		severity chain.Severity
	}
	count := make(map[kind]int)
	pass := func(perKind int, fits func(rank) bool) {
		for _, r := range ranked {
			if len(page) < most && !taken[r.item] && count[kind{r.code, r.severity}] < perKind && fits(r) {
				taken[r.item] = true
				count[kind{r.code, r.severity}]++
				page = append(page, r)
			}
		}
	}
	grave := func(r rank) bool { return r.severity >= chain.Look }
	rare := func(r rank) bool { return grave(r) || r.rarity*20 <= len(b.Items) }
	for n := 1; n <= perFinding; n++ {
		pass(n, grave)
	}
	telling := func(r rank) bool { return rare(r) || r.excess != 0 } // also the farthest of a frequent code
	for n := 1; n <= perFinding; n++ {
		pass(n, telling)
	}
	pass(len(ranked), grave)
	for n := perFinding + 1; n <= most; n++ {
		pass(n, telling)
	}
	pass(len(ranked), func(rank) bool { return true })
	slices.SortStableFunc(page, rank.compare)
	return page
}

// rarity counts for each code how many items that can be signed have it.
func (b Batch) rarity() map[chain.Code]int {
	n := make(map[chain.Code]int)
	for _, it := range b.Items {
		if it.Refused() {
			continue
		}
		for k, f := range it.Findings {
			if !slices.ContainsFunc(it.Findings[:k], func(r policy.Reason) bool { return r.Code == f.Code }) {
				n[f.Code]++
			}
		}
	}
	return n
}

// usual returns the median payment of each asset, as a logarithm.
func (b Batch) usual() map[chain.Asset]int64 {
	of := make(map[chain.Asset][]int64)
	for _, it := range b.Items {
		if it.Refused() {
			continue
		}
		for _, m := range it.Facts.Movements {
			if m.Pays() {
				of[m.Asset] = append(of[m.Asset], m.Paid().Log2())
			}
		}
	}
	usual := make(map[chain.Asset]int64, len(of))
	for asset, list := range of {
		slices.Sort(list)
		usual[asset] = list[len(list)/2]
	}
	return usual
}

// severity is that of a finding, or of its code.
func (it Item) severity(r policy.Reason) chain.Severity {
	switch {
	case r.Severity != chain.Unrated:
		return r.Severity
	case it.grave(r):
		return chain.Look
	}
	return chain.Note
}

// about returns the payment that a finding is about: its movement, or where it
// is about all of the transaction the largest.
func (it Item) about(r policy.Reason) *chain.Movement {
	moves := it.Facts.Movements
	if r.At.Part == chain.OfMovement && r.At.Index < len(moves) {
		return &moves[r.At.Index]
	}
	var largest *chain.Movement
	for i := range moves {
		if m := &moves[i]; m.Pays() && (largest == nil || m.Paid().Cmp(largest.Paid()) > 0) {
			largest = m
		}
	}
	return largest
}

// atRisk returns what would be lost if a finding were right.
func (it Item) atRisk(r policy.Reason) chain.Amount {
	if r.At.Part == chain.OfFee {
		return it.Facts.Cost()
	}
	if m := it.about(r); m != nil && !m.Amount.IsZero() {
		return m.Amount
	}
	return it.Facts.Cost()
}

func (it Item) assetOf(r policy.Reason) chain.Asset {
	if m := it.about(r); m != nil && r.At.Part != chain.OfFee && !m.Amount.IsZero() {
		return m.Asset
	}
	return it.Facts.Asset
}
