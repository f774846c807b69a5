package policy

import (
	"strings"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Windows of limits, in seconds of the ledger's clock.
const (
	day  = 24 * 3600
	week = 7 * day
)

// past is what a batch has to be compared with: the ledger's payments, gone
// through once, and the batch itself.
type past struct {
	policy Policy
	of     map[asset]*ofAsset
	anew   map[[32]byte]bool // contents of the batch that the ledger has and that are judged like new ones: they count once
}

// asset is a coin, or a token of one.
type asset struct {
	chain.Coin
	token string
}

func (s Subject) asset(m chain.Movement) asset { return asset{s.coin(), m.Asset.Token} }

// ofAsset is the past of one coin or token.
type ofAsset struct {
	sums
	signed sums              // of the ledger alone, with what was signed of the batch before
	prefix string            // what its bech32 addresses begin with
	dests  map[string]*place // of the batch
	looks  map[likeness]*[2]string
}

// sums are what was paid in each window, the batch included.
type sums struct{ batch, day, week tally }

// place is a destination of the batch.
type place struct {
	sums
	known bool // was paid before
	times counts
}

// counts has how often each amount is paid to a destination, with the ledger. Most
// are paid one amount: a map for each would be most of what a batch takes.
type counts struct {
	first chain.Amount
	n     int                  // of first
	more  map[chain.Amount]int // of others; nil if there are none
}

func (c *counts) add(a chain.Amount) {
	switch {
	case c.n == 0 || c.first == a:
		c.first = a
		c.n++
	case c.more == nil:
		c.more = map[chain.Amount]int{a: 1}
	default:
		c.more[a]++
	}
}

func (c *counts) of(a chain.Amount) int {
	if c.n > 0 && c.first == a {
		return c.n
	}
	return c.more[a]
}

// likeness is what people compare of an address: how it begins, after what
// all addresses of its kind begin with, and how it ends. A batch's likenesses
// lead to the two first destinations, in the alphabet, that look so.
type likeness [2 * shown]byte

// shown is how many characters people compare at either end.
const shown = 4

// look goes through the batch, then through the ledger.
func look(p Policy, subjects []Subject, again []bool, batch bundle.Digest, h History) past {
	past := past{p, make(map[asset]*ofAsset), make(map[[32]byte]bool)}
	for i, s := range subjects {
		if again[i] {
			continue
		}
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
	for to := range p.allow {
		past.seen(to)
	}
	for _, s := range subjects {
		past.own(s)
	}
	at := moment{h.Now(), batch}
	for payment := range h.Payments(0) {
		if of := past.of[asset{payment.Coin, payment.Token}]; of != nil && !payment.Value.IsZero() {
			of.remember(payment, at, past.anew[payment.Content])
		}
	}
	return past
}

// expect takes in what an item of the batch pays.
func (p past) expect(s Subject) {
	for _, out := range s.Facts.Movements {
		if !out.Pays() {
			continue
		}
		to, of := s.to(out), p.ofAsset(s.asset(out))
		at := of.dests[to.to]
		if at == nil {
			at = new(place)
			of.dests[to.to] = at
			if like, ok := of.likenessOf(to.to); ok && of.looks[like] == nil {
				of.looks[like] = new([2]string)
			}
			of.seen(to.to)
		}
		of.all(out.Paid())
		at.all(out.Paid())
		at.times.add(out.Amount)
	}
	if cost := s.Facts.Cost(); !cost.IsZero() {
		p.ofAsset(asset{s.coin(), ""}).fee(cost)
	}
}

func (p past) ofAsset(a asset) *ofAsset {
	of := p.of[a]
	if of == nil {
		of = &ofAsset{dests: map[string]*place{}, looks: map[likeness]*[2]string{}}
		if coin, ok := p.policy.coin(a.Coin); ok {
			of.prefix = coin.Prefix()
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
func (p past) own(s Subject) {
	for _, in := range s.Facts.Sources {
		if in.Own && in.Address != "" {
			p.seen(destination{s.coin(), in.Address})
		}
	}
	for _, out := range s.Facts.Movements {
		if out.Own != nil && out.Address != "" {
			p.seen(destination{s.coin(), out.Address})
		}
	}
}

func (p past) seen(to destination) {
	for a, of := range p.of {
		if a.Coin == to.Coin {
			of.seen(to.to)
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
	c.seen(payment.To)
	at := c.dests[payment.To]
	if at == nil {
		return
	}
	at.known = true
	if anew {
		return
	}
	at.since(payment, now)
	if at.times.of(payment.Value) > 0 {
		at.times.add(payment.Value)
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

// seen keeps a destination where one of the batch looks like it.
func (c *ofAsset) seen(to string) {
	like, ok := c.likenessOf(to)
	if !ok {
		return
	}
	first := c.looks[like]
	switch {
	case first == nil || first[0] == to || first[1] == to:
	case first[0] == "" || to < first[0]:
		first[0], first[1] = to, first[0]
	case first[1] == "" || to < first[1]:
		first[1] = to
	}
}

// resembles returns another known destination that looks like this one.
func (c *ofAsset) resembles(to string) (other string, ok bool) {
	like, ok := c.likenessOf(to)
	if !ok || c.looks[like] == nil {
		return "", false
	}
	other = c.looks[like][0]
	if other == to {
		other = c.looks[like][1]
	}
	return other, other != ""
}

// likenessOf takes the first and last four characters of an address, without
// what every address of its kind has in common: cashaddr's prefix and type,
// bech32's prefix and version, the first character of base58.
func (c *ofAsset) likenessOf(to string) (like likeness, ok bool) {
	if _, after, ok := strings.Cut(to, ":"); ok {
		to = after
	} else if c.prefix != "" {
		to = strings.TrimPrefix(to, c.prefix)
	}
	if len(to) < 1+2*shown {
		return like, false
	}
	copy(like[:], to[1:1+shown])
	copy(like[shown:], to[len(to)-shown:])
	return like, true
}
