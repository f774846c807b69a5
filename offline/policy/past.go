package policy

import (
	"slices"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Spans of the ledger's clock, in seconds. Limits are over a day or a week.
const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day
)

// past is what a batch has to be compared with: the ledger's payments, gone
// through once, and the batch itself.
type past struct {
	policy  Policy
	unusual unusualRules
	outputs map[asset]int
	of      map[asset]*ofAsset
	// anew are the contents of the batch that the ledger has and that are judged
	// like new ones: they count once.
	anew      map[[32]byte]bool
	payees    map[asset]*payees
	rates     map[chain.Coin]*rates
	shapes    shapes // of the ledger
	shapesNow shapes // of the batch
}

// asset is a coin, or a token of one.
type asset struct {
	chain.Coin
	token string
}

func (s *Subject) asset(m chain.Movement) asset { return asset{s.coin(), m.Asset.Token} }

// ofAsset is the past of one coin or token.
type ofAsset struct {
	sums
	signed sums             // of the ledger alone, with what was signed of the batch before
	dests  map[string]place // of the batch
	looks  likes
}

// sums are what was paid in each window, the batch included.
type sums struct{ batch, day, week tally }

// place is a destination of the batch.
type place struct {
	*sums      // nil where no limit is for one destination: they would take much room
	known bool // was paid before
}

// look goes through the batch, then through the ledger.
func look(p Policy, subjects []Subject, again []bool, batch bundle.Digest, h History) past {
	past := past{
		policy:    p,
		unusual:   p.file.unusual(),
		outputs:   make(map[asset]int),
		of:        make(map[asset]*ofAsset),
		anew:      make(map[[32]byte]bool),
		payees:    make(map[asset]*payees),
		rates:     make(map[chain.Coin]*rates),
		shapes:    newShapes(),
		shapesNow: newShapes(),
	}
	for i := range subjects {
		for m := range subjects[i].Facts.Movements {
			past.outputs[subjects[i].asset(subjects[i].Facts.Movements[m])]++
		}
	}
	for i := range subjects {
		if again[i] {
			continue
		}
		s := &subjects[i]
		past.expect(s)
		if as, signed := SignedAs(s, h); signed {
			if r, ok := h.Record(as); ok && r.Released != 0 {
				past.anew[as] = true
			}
		}
	}
	if len(past.of) == 0 {
		return past
	}
	for _, of := range past.of {
		for to := range of.dests {
			of.looks.seenInBatch(to)
		}
	}
	for to := range p.allow {
		past.seen(to)
	}
	for i := range subjects {
		past.own(&subjects[i])
	}
	past.remember(h, moment{h.Now(), batch})
	return past
}

// remember goes through the ledger, newest first.
func (p *past) remember(h History, at moment) {
	n := 0
	tx := struct { // the transaction that payments are of
		content [32]byte
		paying  int
		changed bool
	}{}
	flush := func() {
		if tx.paying > 0 {
			p.shapes.add(tx.paying, tx.changed)
		}
	}
	for payment := range h.Payments(0) {
		n++
		recent := n <= recentPayments
		of := p.of[asset{payment.Coin, payment.Token}]
		if of != nil && !payment.Value.IsZero() {
			of.remember(payment, at, p.anew[payment.Content])
		}
		if recent && tx.content != payment.Content {
			flush()
			tx.content, tx.paying, tx.changed = payment.Content, 0, !payment.Fee
		}
		switch {
		case payment.Fee && recent:
			tx.changed = payment.Changed
			p.rateBefore(payment)
		case !payment.Fee && !payment.Value.IsZero():
			tx.paying++
			if all := p.payees[asset{payment.Coin, payment.Token}]; all != nil && !p.anew[payment.Content] {
				name, _ := p.policy.payee(destination{payment.Coin, payment.To})
				all.remember(name, payment, at, recent)
			}
		}
	}
	flush()
	fresh := int64(0)
	for _, all := range p.payees {
		all.learn(at, p.unusual)
		fresh += all.fresh
	}
	for _, all := range p.payees {
		all.fresh = fresh
	}
	for _, of := range p.rates {
		slices.Sort(of.batch)
		slices.Sort(of.before)
	}
}

func (p *past) rateBefore(payment Payment) {
	of := p.rates[payment.Coin]
	if level, ok := rateOf(payment.Value, int64(payment.Size)); ok && of != nil && len(of.before) < recentFees {
		of.before = append(of.before, level)
	}
}

// payeesOf returns the payees of an asset, and adds them if there are none yet.
func (p *past) payeesOf(a asset, of chain.Asset) *payees {
	all := p.payees[a]
	if all == nil {
		all = newPayees(of)
		p.payees[a] = all
	}
	return all
}

// expect takes in what an item of the batch pays.
func (p *past) expect(s *Subject) {
	p.shapesNow.add(shapeOf(&s.Facts))
	limited := len(p.policy.coins[s.coin()].DestinationLimits) > 0
	fees := p.rates[s.coin()]
	if fees == nil {
		fees = new(rates)
		p.rates[s.coin()] = fees
	}
	if level, ok := rateOf(s.Facts.Cost(), s.Facts.Size); ok {
		fees.batch = append(fees.batch, level)
	}
	for i := range s.Facts.Movements {
		out := &s.Facts.Movements[i]
		if !out.Pays() {
			continue
		}
		if out.Own == nil && !out.Paid().IsZero() {
			name, label := p.policy.payee(s.to(*out))
			p.payeesOf(s.asset(*out), out.Asset).expect(name, label, ask{out.Paid(), s.ID, i})
		}
		of := p.ofAsset(s.asset(*out))
		at, have := of.dests[out.To]
		if !have {
			if limited {
				at.sums = new(sums)
			}
			of.dests[out.To] = at
			of.looks.watch(out.To)
		}
		of.all(out.Paid())
		if at.sums != nil {
			at.all(out.Paid())
		}
	}
	if cost := s.Facts.Cost(); !cost.IsZero() {
		p.ofAsset(asset{s.coin(), ""}).fee(cost)
	}
}

func (p *past) ofAsset(a asset) *ofAsset {
	of := p.of[a]
	if of == nil {
		of = &ofAsset{dests: map[string]place{}, looks: newLikes(int(*p.unusual.LikeLetters), p.outputs[a])}
		if coin, ok := p.policy.coin(a.Coin); ok {
			of.looks.prefix = coin.Prefix()
		}
		p.of[a] = of
	}
	return of
}

// fee counts the fee of an item of the batch, which is no payment.
func (s *sums) fee(value chain.Amount) {
	s.batch.fee(value)
	s.day.fee(value)
	s.week.fee(value)
}

func (s *sums) all(value chain.Amount) {
	s.batch.add(value)
	s.day.add(value)
	s.week.add(value)
}

// own takes in the addresses that are the wallet's, as far as the batch shows them.
func (p *past) own(s *Subject) {
	for i := range s.Facts.Sources {
		in := &s.Facts.Sources[i]
		if in.Own && in.Address != "" {
			p.seen(destination{s.coin(), in.Address})
		}
	}
	for i := range s.Facts.Movements {
		out := &s.Facts.Movements[i]
		if out.Own != nil && out.Address != "" {
			p.seen(destination{s.coin(), out.Address})
		}
	}
}

func (p *past) seen(to destination) {
	for a, of := range p.of {
		if a.Coin == to.Coin {
			of.looks.seen(to.to)
		}
	}
}

// moment is when a batch is judged.
type moment struct {
	clock int64
	batch bundle.Digest
}

// remember takes in a payment of the ledger; anew: it is in the batch too, and
// counted there.
func (c *ofAsset) remember(payment Payment, now moment, anew bool) {
	if !anew {
		c.since(payment, now)
		c.signed.since(payment, now)
	}
	if payment.Fee {
		return
	}
	c.looks.seen(payment.To)
	at, have := c.dests[payment.To]
	if !have {
		return
	}
	if !at.known {
		at.known = true
		c.dests[payment.To] = at
	}
	if !anew && at.sums != nil {
		at.since(payment, now)
	}
}

// since adds a payment of the ledger to each window that it is in. What was
// signed of the same batch before, of which items were left out then, is part of
// the batch.
func (s *sums) since(payment Payment, now moment) {
	add := (*tally).add
	if payment.Fee {
		add = (*tally).fee
	}
	if payment.Batch == now.batch && now.batch != (bundle.Digest{}) {
		add(&s.batch, payment.Value)
	}
	if payment.Clock > now.clock-day {
		add(&s.day, payment.Value)
	}
	if payment.Clock > now.clock-week {
		add(&s.week, payment.Value)
	}
}
