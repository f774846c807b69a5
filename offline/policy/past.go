package policy

import "strings"

// Windows of limits, in seconds of the ledger's clock.
const (
	day  = 24 * 3600
	week = 7 * day
)

// past is what a batch has to be compared with: the ledger's payments, gone
// through once, and the batch itself.
type past struct {
	coins map[coin]*ofCoin
	dests map[destination]*place
	pairs map[pair]int            // a destination and an amount → how often, with the ledger
	looks map[likeness]*[2]string // the two first destinations, in the alphabet, that look like this
}

// sums are what was paid in each window, the batch included.
type sums struct{ batch, day, week tally }

// ofCoin are a coin's sums, and what its bech32 addresses begin with.
type ofCoin struct {
	sums
	prefix string
}

// place is a destination of the batch.
type place struct {
	sums
	known bool // was paid before
}

type pair struct {
	to    destination
	value int64
}

// likeness is what people compare of an address: how it begins, after what
// all addresses of its kind begin with, and how it ends.
type likeness struct {
	coin
	head, tail string
}

// look goes through the batch, then through the ledger.
func look(p Policy, subjects []Subject, again []bool, h History) *past {
	past := &past{coins: map[coin]*ofCoin{}, dests: map[destination]*place{}, pairs: map[pair]int{}, looks: map[likeness]*[2]string{}}
	for i, s := range subjects {
		if !again[i] {
			past.expect(s)
		}
	}
	if len(past.dests) == 0 {
		return past
	}
	for to := range p.allow {
		past.seen(to)
	}
	for _, s := range subjects {
		past.own(s)
	}
	now := h.Now()
	for payment := range h.Payments(0) {
		past.remember(payment, now)
	}
	return past
}

// expect takes in what an item of the batch pays.
func (p *past) expect(s Subject) {
	for _, out := range s.Facts.Outputs {
		if !pays(out) {
			continue
		}
		to := s.to(out)
		if p.coins[to.coin] == nil {
			p.coins[to.coin] = &ofCoin{prefix: bech32Prefix(to.coin)}
		}
		if p.dests[to] == nil {
			p.dests[to] = new(place)
			if like, ok := p.likenessOf(to); ok && p.looks[like] == nil {
				p.looks[like] = new([2]string)
			}
			p.seen(to)
		}
		p.coins[to.coin].all(out.Value)
		p.dests[to].all(out.Value)
		p.pairs[pair{to, out.Value}]++
	}
}

func (s *sums) all(value int64) {
	s.batch.add(value)
	s.day.add(value)
	s.week.add(value)
}

// own takes in the addresses that are the wallet's, as far as the batch shows them.
func (p *past) own(s Subject) {
	for _, in := range s.Facts.Inputs {
		if in.Own && in.Address != "" {
			p.seen(destination{s.coin(), in.Address})
		}
	}
	for _, out := range s.Facts.Outputs {
		if out.Change && out.Address != "" {
			p.seen(destination{s.coin(), out.Address})
		}
	}
}

// remember takes in a payment of the ledger.
func (p *past) remember(payment Payment, now int64) {
	to := destination{coin{payment.Chain, payment.Network}, payment.To}
	sums := p.coins[to.coin]
	if sums == nil || payment.Value == 0 {
		return
	}
	p.seen(to)
	sums.since(payment, now)
	if place := p.dests[to]; place != nil {
		place.known = true
		place.since(payment, now)
		if _, asked := p.pairs[pair{to, payment.Value}]; asked {
			p.pairs[pair{to, payment.Value}]++
		}
	}
}

func (s *sums) since(payment Payment, now int64) {
	if payment.Clock > now-day {
		s.day.add(payment.Value)
	}
	if payment.Clock > now-week {
		s.week.add(payment.Value)
	}
}

// seen keeps a destination where one of the batch looks like it.
func (p *past) seen(to destination) {
	like, ok := p.likenessOf(to)
	if !ok {
		return
	}
	first := p.looks[like]
	switch {
	case first == nil || first[0] == to.to || first[1] == to.to:
	case first[0] == "" || to.to < first[0]:
		first[0], first[1] = to.to, first[0]
	case first[1] == "" || to.to < first[1]:
		first[1] = to.to
	}
}

// resembles gives another known destination that looks like this one.
func (p *past) resembles(to destination) (other string, ok bool) {
	like, ok := p.likenessOf(to)
	if !ok || p.looks[like] == nil {
		return "", false
	}
	other = p.looks[like][0]
	if other == to.to {
		other = p.looks[like][1]
	}
	return other, other != ""
}

// likenessOf takes the first and last four characters of an address, without
// what every address of its kind has in common: cashaddr's prefix and type,
// bech32's prefix and version, the first character of base58.
func (p *past) likenessOf(to destination) (likeness, bool) {
	const shown = 4
	of, body := p.coins[to.coin], to.to
	if of == nil {
		return likeness{}, false
	}
	if _, after, ok := strings.Cut(body, ":"); ok {
		body = after
	} else if of.prefix != "" {
		body = strings.TrimPrefix(body, of.prefix)
	}
	if len(body) < 1+2*shown {
		return likeness{}, false
	}
	return likeness{to.coin, body[1 : 1+shown], body[len(body)-shown:]}, true
}

func bech32Prefix(c coin) string {
	if p, ok := paramsOf(c.chain, c.network); ok && p.HRP != "" {
		return p.HRP + "1"
	}
	return ""
}
