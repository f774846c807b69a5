package policy

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// The small worlds of TestProperties: two coins, a handful of destinations,
// and amounts around the limits.

func coins() [2]chain.ID { return [2]chain.ID{chain.BTC, chain.LTC} }

// places are some destinations of a coin, two of which look alike.
var places = sync.OnceValue(func() map[chain.ID][]string {
	return map[chain.ID][]string{chain.BTC: placesOf(chain.BTC), chain.LTC: placesOf(chain.LTC)}
})

func placesOf(id chain.ID) []string {
	p, _ := utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet})
	var list []string
	for i := range 5 {
		list = append(list, p.Address(append([]byte{0, 20}, []byte(strings.Repeat(string(rune('a'+i)), 20))...)))
	}
	like := list[0][:len(p.HRP)+6] + "zzzz" + list[0][len(list[0])-4:]
	return append(list, like)
}

func (w *world) amount() int64 {
	switch w.IntN(40) {
	case 0:
		return math.MaxInt64 - w.Int64N(3)
	case 1:
		return 1 << 60
	}
	return 1 + w.Int64N(20)
}

// subjects is a batch: new payments, old ones again, old ids and outpoints
// with something else.
func (w *world) subjects(batch int) []Subject {
	list := make([]Subject, w.IntN(6))
	for i := range list {
		list[i] = w.subject()
		if n := len(w.history.entries); n > 0 && w.pick(5) {
			before := w.history.entries[w.IntN(n)].Subject
			switch w.IntN(4) {
			case 0, 1:
				list[i] = before
			case 2:
				list[i].ID = before.ID
			case 3:
				list[i].Facts.Exclusive = before.Facts.Exclusive
			}
		}
	}
	return distinct(list)
}

// distinct keeps the first of those that spend the same: a session refuses
// the others before they are judged.
func distinct(list []Subject) []Subject {
	seen := map[string]bool{}
	var kept []Subject
	for _, s := range list {
		if !seen[s.Facts.Exclusive[0]] {
			seen[s.Facts.Exclusive[0]] = true
			kept = append(kept, s)
		}
	}
	return kept
}

func (w *world) subject() Subject {
	w.next++
	id := coins()[w.IntN(2)]
	s := Subject{ID: fmt.Sprint("id", w.next), Content: [32]byte{byte(w.next), byte(w.next >> 8), 1}}
	s.Facts = chain.Facts{Exclusive: []string{fmt.Sprint("op", w.next)}, Coin: chain.Coin{Chain: id, Network: chain.Testnet}, Fee: chain.NewAmount(uint64(w.Int64N(4))), Size: 1 + w.Int64N(2)}
	if w.pick(20) {
		s.found(chain.FlagLockTime, chain.Whole)
	}
	if w.pick(20) {
		s.found(chain.FlagReplaceable, chain.Whole)
	}
	s.Facts.Sources = []chain.Source{{ID: s.Facts.Exclusive[0], Kind: "P2WPKH", Amount: chain.NewAmount(1000), Proven: true, Own: !w.pick(40)}}
	if w.pick(20) {
		s.Facts.Sources[0].Proven = false
		s.found(chain.UnprovenAmount, chain.OfSource)
	}
	if w.pick(20) {
		s.Facts.Network = chain.Mainnet
	}
	for range w.IntN(3) {
		all := places()[id]
		to, value := all[w.IntN(len(all))], w.amount()
		out := chain.Movement{To: to, Address: to, Kind: "P2WPKH", Amount: chain.NewAmount(uint64(value))}
		if w.pick(40) {
			s.found(chain.Dust, chain.OfMovement)
		}
		if w.pick(4) { // an own key, of whose output all, a part or nothing is change
			out.Own, out.Change = ownKey(), chain.NewAmount(uint64([]int64{0, value / 2, value, value}[w.IntN(4)]))
		}
		s.Facts.Movements = append(s.Facts.Movements, out)
	}
	if w.pick(10) {
		s.Facts.Movements = append(s.Facts.Movements, chain.Movement{To: "data", IsData: true, Lock: []byte{0x6a}})
	}
	for i := range w.IntN(3) {
		s.Vouched = append(s.Vouched, identity.Public{byte(i + 2)})
	}
	return s
}

// file is a random policy, most of whose rules are often absent.
func (w *world) file() file {
	f := file{Version: version, Chains: []coinRules{}}
	for _, id := range coins() {
		if !w.pick(6) {
			f.Chains = append(f.Chains, w.coinRules(id))
		}
		for _, to := range places()[id][:5] {
			e := entry{Chain: id, Network: "testnet", Address: to}
			switch w.IntN(8) {
			case 0:
				f.Deny = append(f.Deny, e)
			case 1, 2:
				f.Allow = append(f.Allow, e)
			}
		}
	}
	f.fill(utxoCoins{})
	for _, m := range f.modes() {
		if w.pick(3) {
			*m.mode = []mode{modeFlag, modeFlag, modeRefuse}[w.IntN(3)]
		}
	}
	if w.pick(6) {
		f.MaxRequestAge = one64(1 + w.Int64N(200))
	}
	f.RequireOffline = w.pick(8)
	if w.pick(6) {
		f.Approvers = &approvers{Needed: 1, Keys: []approver{{Key: publicKey{2}}, {Key: publicKey{3}}}}
	}
	return f
}

func (w *world) coinRules(id chain.ID) coinRules {
	c := coinRules{Chain: id, Network: "testnet", MaxFeeRate: sumOf(1 + w.Int64N(5))}
	if w.pick(4) {
		c.MaxFee = sumOf(w.Int64N(5))
	}
	if w.pick(6) {
		c.MaxFeePercent = one64(w.Int64N(200))
	}
	for _, per := range []window{perTransaction, perBatch, perDay, perWeek} {
		if w.pick(2) {
			c.Limits = append(c.Limits, w.limit(per, 60))
		}
		if w.pick(4) {
			c.DestinationLimits = append(c.DestinationLimits, w.limit(per, 40))
		}
		if w.pick(5) {
			c.Quorum = append(c.Quorum, quorum{Per: per, Above: *sumOf(w.Int64N(30)), Operators: 1 + w.IntN(3)})
		}
	}
	return c
}

func (w *world) limit(per window, most int64) limit {
	l := limit{Per: per, Sum: sumOf(w.Int64N(most))}
	if w.pick(30) {
		l.Sum = sumOf(math.MaxInt64 - 1)
	}
	if w.pick(2) {
		l.Count = one64(w.Int64N(8))
	}
	if l.Count != nil && w.pick(3) {
		l.Sum = nil
	}
	return l
}

// tighten makes one rule stricter and says which.
func (w *world) tighten(f *file) string {
	switch w.IntN(8) {
	case 0:
		if n := len(f.Chains); n > 0 && w.pick(3) {
			at := w.IntN(n)
			f.Chains = append(f.Chains[:at], f.Chains[at+1:]...)
			return "a chain less"
		}
	case 1:
		id := coins()[w.IntN(2)]
		e := entry{Chain: id, Network: "testnet", Address: places()[id][w.IntN(5)]}
		for _, have := range f.Deny {
			if have.Address == e.Address && have.Chain == e.Chain {
				return "nothing"
			}
		}
		f.Deny = append(f.Deny, e)
		return "denied"
	case 2:
		if n := len(f.Allow); n > 0 && f.LookAlike != modeRefuse { // a listed address warns of those that look like it
			at := w.IntN(n)
			f.Allow = append(f.Allow[:at], f.Allow[at+1:]...)
			return "not listed"
		}
	case 3:
		modes := f.modes()
		m := modes[w.IntN(len(modes))]
		*m.mode = map[mode]mode{modeAllow: modeFlag, modeFlag: modeRefuse, modeRefuse: modeRefuse}[*m.mode]
		return m.name
	case 4:
		return w.tightenRest(f)
	}
	if n := len(f.Chains); n > 0 {
		return w.tightenCoin(&f.Chains[w.IntN(n)])
	}
	return "nothing"
}

func (w *world) tightenRest(f *file) string {
	switch w.IntN(3) {
	case 0:
		f.RequireOffline = true
		return "offline"
	case 1:
		f.MaxRequestAge = lower(w, f.MaxRequestAge, 100)
		*f.MaxRequestAge = max(*f.MaxRequestAge, 1)
		return "age"
	}
	if f.Approvers == nil {
		f.Approvers = &approvers{Needed: 1, Keys: []approver{{Key: publicKey{2}}, {Key: publicKey{3}}}}
	} else {
		f.Approvers.Needed = len(f.Approvers.Keys)
	}
	return "approvers"
}

func sumOf(v int64) *chain.Amount {
	a := chain.NewAmount(uint64(v))
	return &a
}

func lowerSum(w *world, v *chain.Amount, otherwise int64) *chain.Amount {
	if v == nil {
		return sumOf(otherwise)
	}
	if most, fits := v.Int64(); fits && most < math.MaxInt64 {
		return sumOf(w.Int64N(most + 1))
	}
	return sumOf(w.Int64N(math.MaxInt64))
}

func lower(w *world, v *int64, otherwise int64) *int64 {
	if v == nil {
		return &otherwise
	}
	return one64(w.Int64N(*v + 1))
}

func (w *world) tightenCoin(c *coinRules) string {
	switch w.IntN(6) {
	case 0:
		c.MaxFeeRate = sumOf(max(1, small(*lowerSum(w, c.MaxFeeRate, 1))))
		return "fee rate"
	case 1:
		c.MaxFee = lowerSum(w, c.MaxFee, 3)
		return "fee"
	case 2:
		c.MaxFeePercent = lower(w, c.MaxFeePercent, 50)
		return "fee percent"
	case 3:
		c.Limits = w.tightenLimits(c.Limits)
		return "limit"
	case 4:
		c.DestinationLimits = w.tightenLimits(c.DestinationLimits)
		return "limit of a destination"
	}
	if n := len(c.Quorum); n > 0 {
		q := &c.Quorum[w.IntN(n)]
		q.Above, q.Operators = *sumOf(w.Int64N(small(q.Above) + 1)), q.Operators+w.IntN(2)
	} else {
		c.Quorum = []quorum{{Per: perDay, Above: *sumOf(w.Int64N(20)), Operators: 1 + w.IntN(3)}}
	}
	return "quorum"
}

func (w *world) tightenLimits(list []limit) []limit {
	if len(list) == 0 {
		return []limit{w.limit(perDay, 40)}
	}
	l := &list[w.IntN(len(list))]
	if w.pick(2) {
		l.Sum = lowerSum(w, l.Sum, 10)
	} else {
		l.Count = lower(w, l.Count, 2)
	}
	return list
}
