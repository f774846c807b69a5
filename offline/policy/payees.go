package policy

import (
	"cmp"
	"slices"
	"sort"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Bounds of what is remembered.
const (
	recentPayments  = 40_000 // from which what is usual of all payees is learnt
	keptOccasions   = 24     // of a payee, the latest
	keptAmounts     = 16     // of an occasion
	leastKnown      = 30     // values from which something can be learnt
	leastBatch      = 10     // the same, of the batch alone
	recentFees      = 2_000  // transactions of a coin whose fee rates are learnt from
	noInterval      = 0
	leastDifference = 64 // a quarter of a doubling: the margin above what was paid before
)

// payees is what the ledger and the batch say about whom one asset is paid to.
// Addresses with one label are one payee. Only signed lines count, and the batch
// as its own facts; nothing that a request claims.
type payees struct {
	by       map[string]*payee // label or name
	asset    chain.Asset
	firsts   []int64            // what payees got the first time, sorted
	all      []int64            // what was paid before, sorted
	jumps    [classes][]int64   // against what the payee usually got before, sorted
	limits   [classes]int64     // jumps that are out of the ordinary
	rhythm   int64              // median seconds between two occasions of a payee
	counts   map[int]int        // payments of an occasion → occasions
	doubled  int                // occasions with one amount twice
	total    int                // occasions
	batch    []int64            // what is paid now, sorted
	growth   int64              // by how much known payees get more now than usually, one with another
	fresh    int64              // payees of the batch that were never paid, of all assets
	expected map[int64][]absent // by the logarithm of what they get
}

// absent is a payee that is paid regularly, and not now.
type absent struct {
	who    string
	amount chain.Amount // the last one
}

// payee is one whom the batch or the ledger pays.
type payee struct {
	name  string
	paid  []occasion // before, newest first
	label string

	now  tally
	asks []ask // of now, all of them, by amount once everything is learnt
}

// ask is one payment that a batch asks for. What was signed of the batch before has
// no id.
type ask struct {
	amount chain.Amount
	id     string
	at     int // movement
}

// before orders payments of one amount as their ids are, and so as Tatum made them.
func (a ask) before(b ask) bool { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.at, b.at)) < 0 }

// occasion is what a payee got in one batch.
type occasion struct {
	clock   int64
	batch   bundle.Digest
	sum     chain.Amount
	count   int
	amounts []chain.Amount
}

func (o *occasion) add(amount chain.Amount) {
	o.sum = o.sum.Plus(amount)
	o.count++
	if len(o.amounts) < keptAmounts {
		o.amounts = append(o.amounts, amount)
	}
}

// pairs counts the amounts of an occasion that are there before, to a percent.
func (o occasion) pairs(percent int64) (n int) {
	for i, a := range o.amounts {
		if slices.ContainsFunc(o.amounts[:i], func(b chain.Amount) bool { return closeTo(a, b, percent) }) {
			n++
		}
	}
	return n
}

// class is how steady a payee was: those who always got the same are not compared
// with those who never did.
type class int

const (
	once class = iota // paid once, so unknown
	steady
	varying
	wild
	classes = iota
)

// classOf returns the class of a payee by what it got, oldest first.
func classOf(levels []int64) class {
	if len(levels) < 2 {
		return once
	}
	switch reach := slices.Max(levels) - slices.Min(levels); {
	case reach <= chain.Octave/8:
		return steady
	case reach <= chain.Octave:
		return varying
	}
	return wild
}

// levels are what a payee got, oldest first, as logarithms.
func (p *payee) levels() []int64 {
	list := make([]int64, 0, len(p.paid))
	for _, o := range slices.Backward(p.paid) {
		list = append(list, o.sum.Log2())
	}
	return list
}

// usual returns the median of what a payee got on an occasion. It must have been
// paid before.
func (p *payee) usual() chain.Amount {
	sums := make([]chain.Amount, 0, len(p.paid))
	for _, o := range p.paid {
		sums = append(sums, o.sum)
	}
	slices.SortFunc(sums, chain.Amount.Cmp)
	return sums[len(sums)/2]
}

// payments counts what a payee got before, as far as it is kept.
func (p *payee) payments() (n int) {
	for _, o := range p.paid {
		n += o.count
	}
	return n
}

// rhythm returns the median seconds between two occasions; noInterval if there
// were not three.
func (p *payee) rhythm() int64 {
	var list []int64
	for i := 1; i < len(p.paid); i++ {
		list = append(list, p.paid[i-1].clock-p.paid[i].clock)
	}
	if len(list) < 2 {
		return noInterval
	}
	return median(list)
}

func newPayees(asset chain.Asset) *payees {
	return &payees{by: map[string]*payee{}, asset: asset, counts: map[int]int{}, expected: map[int64][]absent{}}
}

func (all *payees) of(name string) *payee {
	p := all.by[name]
	if p == nil {
		p = &payee{name: name}
		all.by[name] = p
	}
	return p
}

// expect takes in a payment of the batch.
func (all *payees) expect(name, label string, a ask) {
	p := all.of(name)
	p.label = label
	p.now.add(a.amount)
	p.asks = append(p.asks, a)
	all.batch = append(all.batch, a.amount.Log2())
}

// remember takes in a payment of the ledger; they come newest first. Of payees
// whom the batch does not pay only recent ones are kept.
func (all *payees) remember(name string, payment Payment, now moment, recent bool) {
	if all.by[name] == nil && !recent {
		return
	}
	p := all.of(name)
	if payment.Batch == now.batch && now.batch != (bundle.Digest{}) { // a part of this batch, signed before
		p.now.add(payment.Value)
		p.asks = append(p.asks, ask{amount: payment.Value})
		return
	}
	if recent {
		all.all = append(all.all, payment.Value.Log2())
	}
	last := len(p.paid) - 1
	if last < 0 || p.paid[last].batch != payment.Batch {
		if len(p.paid) == keptOccasions {
			return
		}
		p.paid = append(p.paid, occasion{clock: payment.Clock, batch: payment.Batch})
		last++
	}
	p.paid[last].add(payment.Value)
}

// learn draws from what was remembered what is usual.
func (all *payees) learn(now moment, r unusualRules) {
	var intervals, jumps []int64
	for _, p := range all.by {
		slices.SortFunc(p.asks, func(a, b ask) int { return a.amount.Cmp(b.amount) })
		if p.now.count > 0 && len(p.paid) == 0 {
			all.fresh++
		}
		all.learnFrom(p, *r.SamePercent)
		if rhythm := p.rhythm(); rhythm != noInterval {
			intervals = append(intervals, rhythm)
		} else if len(p.paid) == 2 {
			intervals = append(intervals, p.paid[0].clock-p.paid[1].clock)
		}
		if p.now.count > 0 && len(p.paid) > 0 {
			jumps = append(jumps, p.now.sum.Log2()-p.usual().Log2())
		}
	}
	all.rhythm = median(intervals)
	if len(jumps) >= leastBatch {
		all.growth = min(max(median(jumps), 0), chain.Octave)
	}
	for i := range all.jumps {
		slices.Sort(all.jumps[i])
	}
	pooled := slices.Sorted(slices.Values(slices.Concat(all.jumps[:]...)))
	for i := range all.limits {
		all.limits[i] = jumpLimit(all.jumps[i], pooled, r)
	}
	slices.Sort(all.firsts)
	slices.Sort(all.all)
	slices.Sort(all.batch)
	all.expectRegular(now)
}

// learnFrom goes through what one payee got.
func (all *payees) learnFrom(p *payee, percent int64) {
	levels := p.levels()
	for i, level := range levels {
		if i == 0 {
			all.firsts = append(all.firsts, level)
			continue
		}
		before := slices.Clone(levels[:i])
		of := classOf(before)
		all.jumps[of] = append(all.jumps[of], level-median(before))
	}
	for _, o := range p.paid {
		all.total++
		all.counts[o.count]++
		if o.pairs(percent) > 0 {
			all.doubled++
		}
	}
}

// expectRegular finds the payees that are paid regularly, and not now though it
// is time.
func (all *payees) expectRegular(now moment) {
	paid, missing := 0, 0
	for name, p := range all.by {
		since := now.clock
		if len(p.paid) > 0 {
			since -= p.paid[0].clock
		}
		if len(p.paid) < 2 || all.rhythm == noInterval || 2*since < all.rhythm || since > 2*all.rhythm ||
			classOf(p.levels()) != steady {
			continue
		}
		if p.now.count > 0 {
			paid++
			continue
		}
		missing++
		amount := p.paid[0].sum
		level := amount.Log2()
		all.expected[level] = append(all.expected[level], absent{cmp.Or(p.label, name), amount})
	}
	if missing*8 > paid { // nobody is paid regularly here
		clear(all.expected)
	}
}

// jumpLimit is from which jump on a payment is out of the ordinary for payees of a
// class: what one in so many jumps before was above, and a margin. Where the class
// has too few jumps those of all payees count, and where there are none a factor of
// four.
func jumpLimit(jumps, pooled []int64, r unusualRules) int64 {
	least := percentLog(*r.LeastPercent)
	if len(jumps) < leastKnown {
		jumps = pooled
	}
	if len(jumps) < leastKnown {
		return max(least, 2*chain.Octave)
	}
	return min(max(above(jumps, *r.OneIn)*5/4, least), max(6*chain.Octave, least))
}

// share reports whether at most one occasion in oneIn had count payments or more.
func (all *payees) share(count int, oneIn int64) bool {
	n := 0
	for c, of := range all.counts {
		if c >= count {
			n += of
		}
	}
	return int64(n)*oneIn <= int64(all.total)
}

// twins returns the payments of the batch to a payee that are of one amount, to so
// many percent.
func (p *payee) twins(amount chain.Amount, percent int64) []ask {
	after, found := slices.BinarySearchFunc(p.asks, amount, func(a ask, v chain.Amount) int { return a.amount.Cmp(v) })
	if found {
		for after < len(p.asks) && p.asks[after].amount == amount {
			after++
		}
	}
	first := sort.Search(after, func(i int) bool { return closeTo(p.asks[i].amount, amount, percent) })
	beyond := sort.Search(len(p.asks)-after, func(i int) bool {
		return !closeTo(p.asks[after+i].amount, amount, percent)
	})
	return p.asks[first : after+beyond]
}
