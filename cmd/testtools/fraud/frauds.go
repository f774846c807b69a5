package fraud

import (
	"slices"
	"strings"
)

// Fraud is one way to steal. Plant puts it into the batch that is to be
// reviewed, and into the past where it needs one.
type Fraud struct {
	Name  string
	Plant func(c *Company)
}

// Frauds lists the ways.
func Frauds() []Fraud {
	return []Fraud{
		{"×4 to a known payee", func(c *Company) { c.multiply(4) }},
		{"×10 to a known payee", func(c *Company) { c.multiply(10) }},
		{"×100 to a known payee", func(c *Company) { c.multiply(100) }},
		{"redirected to a new address", (*Company).redirectNew},
		{"redirected to a seasoned mule", (*Company).redirectMule},
		{"redirected to a known payee", (*Company).redirectKnown},
		{"address seasoned with dust", (*Company).dusted},
		{"new payee, like the largest", func(c *Company) { c.newPayee(1) }},
		{"new payee, five times the largest", func(c *Company) { c.newPayee(5) }},
		{"twelve small ones to a new payee", (*Company).splitNew},
		{"twelve small ones to a known payee", (*Company).splitKnown},
		{"the same twice", func(c *Company) { c.double(0) }},
		{"the same twice, one unit less", func(c *Company) { c.double(1) }},
		{"the same twice, half a percent less", func(c *Company) { c.double(-1) }},
		{"payee of long ago, ×6", (*Company).dormant},
		{"look-alike 4+4", func(c *Company) { c.lookAlike(4, 4) }},
		{"look-alike 8+3", func(c *Company) { c.lookAlike(8, 3) }},
		{"look-alike 3+4", func(c *Company) { c.lookAlike(3, 4) }},
		{"fee a tenth of a large payment", (*Company).feeShare},
		{"fee rate ×30", func(c *Company) { c.feeRate(30) }},
		{"fee rate ×8", func(c *Company) { c.feeRate(8) }},
		{"change skimmed", func(c *Company) { c.skim(0.5) }},
		{"change taken whole", func(c *Company) { c.skim(1) }},
		{"own key drained", (*Company).drain},
		{"new payee under 200 junk items", (*Company).junk},
	}
}

// known picks a transaction that pays somebody who was paid before.
func (c *Company) known() *Tx {
	was := make(map[string]bool)
	for _, b := range c.Past {
		for _, t := range b.Txs {
			for _, o := range t.Outs {
				was[o.At] = true
			}
		}
	}
	for {
		t := &c.Now.Txs[c.r.IntN(len(c.Now.Txs))]
		if was[t.Outs[0].At] && !t.Fraud && t.Outs[0].Amount > 5000 {
			return t
		}
	}
}

// add puts a fraudulent transaction into the batch, somewhere.
func (c *Company) add(t Tx) {
	t.Fraud = true
	c.insert(t)
}

func (c *Company) insert(t Tx) {
	c.Now.Txs = slices.Insert(c.Now.Txs, c.r.IntN(len(c.Now.Txs)+1), t)
}

func (c *Company) multiply(n uint64) {
	t := c.known()
	t.Outs[0].Amount *= n
	t.Fraud = true
}

func (c *Company) redirectNew() {
	t := c.known()
	t.Outs = []Out{{At: c.Address(t.Coin), Amount: t.Outs[0].Amount}}
	t.Fraud = true
}

// season pays an address in each past batch.
func (c *Company) season(coin int, at string, amount uint64) {
	for i := range c.Past {
		c.Past[i].Txs = append(c.Past[i].Txs, c.tx(coin, Out{At: at, Amount: amount + uint64(c.r.IntN(int(amount/10+1)))}))
	}
}

func (c *Company) redirectMule() {
	t := c.large()
	mule := c.Address(t.Coin)
	c.season(t.Coin, mule, c.quantile(t.Coin, 0.1))
	t.Outs = []Out{{At: mule, Amount: t.Outs[0].Amount}}
	t.Fraud = true
}

func (c *Company) redirectKnown() {
	t := c.large()
	for {
		if other := c.known(); other.Coin == t.Coin && other.Outs[0].At != t.Outs[0].At &&
			other.Outs[0].Amount < t.Outs[0].Amount {
			t.Outs = []Out{other.Outs[0]}
			break
		}
	}
	t.Outs[0].Amount = c.quantile(t.Coin, 0.8)
	t.Fraud = true
}

// large picks a known payee's payment of the upper quarter.
func (c *Company) large() *Tx {
	for {
		if t := c.known(); t.Outs[0].Amount >= c.quantile(t.Coin, 0.75) {
			return t
		}
	}
}

// quantile is of the payments of the batch in a coin.
func (c *Company) quantile(coin int, q float64) uint64 {
	var list []uint64
	for _, t := range c.Now.Txs {
		if t.Coin == coin {
			list = append(list, t.Outs[0].Amount)
		}
	}
	slices.Sort(list)
	return list[int(q*float64(len(list)-1))]
}

func (c *Company) dusted() {
	coin := c.coin()
	at := c.Address(coin)
	c.Past[0].Txs = append(c.Past[0].Txs, c.tx(coin, Out{At: at, Amount: 600 * [...]uint64{1, 10, 2000, 10}[coin]}))
	c.add(c.tx(coin, Out{At: at, Amount: c.quantile(coin, 0.97)}))
}

func (c *Company) newPayee(times uint64) {
	coin := c.coin()
	c.add(c.tx(coin, Out{At: c.Address(coin), Amount: c.quantile(coin, 1) * times}))
}

func (c *Company) splitNew() {
	coin := c.coin()
	at := c.Address(coin)
	for range 12 {
		c.add(c.tx(coin, Out{At: at, Amount: c.quantile(coin, 0.2+c.r.Float64()*0.2)}))
	}
}

func (c *Company) splitKnown() {
	o := c.known()
	to, coin := o.Outs[0], o.Coin
	for range 12 {
		part := to
		part.Amount = uint64(float64(to.Amount) * (0.25 + 0.3*c.r.Float64()))
		c.add(c.tx(coin, part))
	}
}

func (c *Company) double(less int) {
	o := *c.known()
	to := o.Outs[0]
	switch {
	case less < 0:
		to.Amount -= to.Amount / 200
	default:
		to.Amount -= uint64(less)
	}
	c.add(c.tx(o.Coin, to))
}

func (c *Company) dormant() {
	for _, b := range c.Past[:1] {
		for {
			t := b.Txs[c.r.IntN(len(b.Txs))]
			if paidIn(c.Past[1], t.Outs[0].At) || paidIn(c.Past[2], t.Outs[0].At) || paidIn(c.Now, t.Outs[0].At) {
				if c.r.IntN(2000) > 0 {
					continue
				}
			}
			to := t.Outs[0]
			to.Amount *= 6
			c.add(c.tx(t.Coin, to))
			return
		}
	}
}

func paidIn(b Batch, at string) bool {
	return slices.ContainsFunc(b.Txs, func(t Tx) bool { return t.Outs[0].At == at })
}

// lookAlike pays an address that begins and ends like a payee's. Nobody looks
// for one whose checksum is right here: what is judged is text.
func (c *Company) lookAlike(head, tail int) {
	t := c.known()
	to := t.Outs[0].At
	skip := 1
	if i := strings.IndexByte(to, ':'); i > 0 {
		skip = i + 2 // after the type
	} else if t.Coin < 2 {
		skip = strings.IndexByte(to, '1') + 2 // after the version
	}
	other := c.Address(t.Coin)
	t.Outs = []Out{{At: to[:skip+head] + other[skip+head:len(to)-tail] + to[len(to)-tail:], Amount: t.Outs[0].Amount}}
	t.Fraud = true
}

func (c *Company) feeShare() {
	coin := c.coin()
	var largest *Tx
	for i := range c.Now.Txs {
		if t := &c.Now.Txs[i]; t.Coin == coin && (largest == nil || t.Outs[0].Amount > largest.Outs[0].Amount) {
			largest = t
		}
	}
	largest.Fee = max(largest.Outs[0].Amount/10, largest.Fee*10)
	largest.Fraud = true
}

func (c *Company) feeRate(times uint64) {
	t := c.known()
	t.Fee *= times
	t.Fraud = true
}

// skim sends a part of the change elsewhere.
func (c *Company) skim(part float64) {
	for {
		t := c.known()
		if t.Change < 20_000 {
			continue
		}
		taken := uint64(float64(t.Change) * part)
		t.Change -= taken
		t.Outs = append(slices.Clone(t.Outs), Out{At: c.Address(t.Coin), Amount: taken})
		t.Fraud = true
		return
	}
}

func (c *Company) drain() {
	t := c.known()
	t.Own, t.Change = t.Change+10_000, 0
	t.Fraud = true
}

func (c *Company) junk() {
	c.newPayee(2)
	for range 200 {
		coin := c.coin()
		t := c.tx(coin, Out{At: c.Address(coin), Amount: c.quantile(coin, 0.3)})
		t.Junk = c.r.IntN(2) == 0
		c.insert(t)
	}
}
