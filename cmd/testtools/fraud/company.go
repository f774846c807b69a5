// Package fraud makes batches of payments as three kinds of company have them,
// plants one fraud in each, and measures what a review says about it. It knows
// nothing of how policy judges: what is found there was not fitted to it by
// construction.
package fraud

import (
	"fmt"
	"math"
	"math/rand/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Kind is what a company pays.
type Kind string

// The companies.
const (
	Payroll   Kind = "payroll"   // salaries each month, mostly the same ones
	Exchange  Kind = "exchange"  // withdrawals each day, mostly to addresses never paid before
	Suppliers Kind = "suppliers" // invoices every two weeks, some of them fixed
)

// Kinds lists the companies.
func Kinds() []Kind { return []Kind{Payroll, Exchange, Suppliers} }

// coins are the four that each company pays in.
var coins = [...]chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH}

// scale is what one unit of a company's own money is in a coin's smallest unit,
// and usualRate what a fee costs.
var scale, usualRate = [...]float64{1_000, 1_000_000, 600_000_000, 200_000}, [...]float64{12, 8, 400_000, 3}

// Payee is somebody who is paid.
type Payee struct {
	Name    string
	Coin    int
	Address string
	usual   float64 // in the company's own money
	spread  float64 // of single payments around it, in doublings
	often   float64 // how likely a batch pays it
	twice   bool    // a second, other payment in each batch, such as an allowance
	since   int     // first batch
	gone    bool
}

// Out is one payment of a transaction.
type Out struct {
	To     *Payee // nil: a stranger
	At     string
	Amount uint64
}

// Tx is one transaction of a batch.
type Tx struct {
	ID     string
	Coin   int
	Outs   []Out
	Change uint64
	Own    uint64 // to another own key
	Fee    uint64
	Size   int64
	Junk   bool // refused: no key for it
	Fraud  bool
}

// Batch is what is asked to be signed at once.
type Batch struct {
	Unix int64
	Txs  []Tx
}

// Company is one synthetic company.
type Company struct {
	Kind   Kind
	Payees []*Payee
	Past   []Batch // what was signed
	Now    Batch

	r      *rand.Rand
	n      int
	rates  [len(coins)]float64 // fee rates of the batch
	prices [len(coins)]float64
	moving bool // what is owed is in the company's own money: amounts follow the price
	size   int
}

// NewCompany makes a company with three batches in its past and one to review.
func NewCompany(kind Kind, seed uint64) *Company {
	c := &Company{Kind: kind, r: rand.New(rand.NewPCG(seed, uint64(len(kind))*7919+uint64(kind[0])))}
	c.size = 300 + c.r.IntN(500)
	c.moving = c.r.IntN(2) == 0
	for i := range c.prices {
		c.prices[i] = 1
		c.rates[i] = usualRate[i]
	}
	if kind != Exchange {
		for range c.size {
			c.hire(0)
		}
	}
	unix := int64(1_780_000_000) + int64(c.r.IntN(1000))*3600
	for n := range 4 {
		b := c.batch(n, unix)
		if n < 3 {
			c.Past = append(c.Past, b)
		} else {
			c.Now = b
		}
		unix += c.interval()
	}
	return c
}

func (c *Company) interval() int64 {
	const day = 24 * 3600
	jitter := int64(c.r.IntN(12*3600)) - 6*3600
	switch c.Kind {
	case Payroll:
		return 30*day + jitter*2
	case Suppliers:
		return 14*day + jitter
	}
	return day + jitter/6
}

// hire adds a payee that is paid from a batch on.
func (c *Company) hire(since int) *Payee {
	p := &Payee{Name: fmt.Sprintf("%s %d", c.Kind, len(c.Payees)+1), Coin: c.coin(), since: since, often: 1}
	p.Address = c.Address(p.Coin)
	switch c.Kind {
	case Payroll:
		p.usual = math.Exp(c.r.NormFloat64()*0.45) * 4000
		if c.r.IntN(5) == 0 {
			p.spread = 0.12 // hours
		}
		p.twice = c.r.IntN(30) == 0
		p.usual = math.Round(p.usual/50) * 50
	case Suppliers:
		p.usual = math.Exp(c.r.NormFloat64()*1.1) * 2500
		p.often = 0.8
		if c.r.IntN(5) > 1 {
			p.spread = 0.35
		} else {
			p.often = 1
		}
		p.twice = c.r.IntN(25) == 0
	default:
		p.usual = math.Exp(c.r.NormFloat64()*1.3) * 600
		p.spread, p.often = 0.7, 0.45
	}
	c.Payees = append(c.Payees, p)
	return p
}

func (c *Company) coin() int { return [...]int{0, 0, 0, 0, 1, 1, 1, 2, 2, 3}[c.r.IntN(10)] }

// Address makes an address of a coin that nobody else has.
func (c *Company) Address(coin int) string {
	p, _ := utxo.ParamsOf(chain.Coin{Chain: coins[coin], Network: chain.Mainnet})
	hash := make([]byte, 20)
	for i := range hash {
		hash[i] = byte(c.r.Uint32())
	}
	if p.Segwit {
		return p.Address(append([]byte{0, 20}, hash...))
	}
	return p.Address(append(append([]byte{0x76, 0xa9, 20}, hash...), 0x88, 0xac))
}

// batch makes the n-th batch of the company: it grows, prices and fees move,
// somebody comes, somebody leaves, somebody gets a rise.
func (c *Company) batch(n int, unix int64) Batch {
	for i := range c.rates {
		c.rates[i] = usualRate[i] * math.Exp2(c.r.NormFloat64()*0.5)
		c.prices[i] *= math.Exp2(c.r.NormFloat64() * 0.06)
	}
	b := Batch{Unix: unix}
	c.change(n)
	for _, p := range c.Payees {
		if p.gone || p.since > n || c.r.Float64() >= p.often {
			continue
		}
		b.Txs = append(b.Txs, c.pay(p, p.usual*math.Exp2(c.r.NormFloat64()*p.spread)*c.bonus()))
		if p.twice {
			b.Txs = append(b.Txs, c.pay(p, p.usual*0.17))
		} else if c.Kind == Exchange && c.r.IntN(40) == 0 {
			b.Txs = append(b.Txs, c.pay(p, p.usual*math.Exp2(c.r.NormFloat64()*p.spread)))
		}
	}
	c.r.Shuffle(len(b.Txs), func(i, k int) { b.Txs[i], b.Txs[k] = b.Txs[k], b.Txs[i] })
	return b
}

// bonus is what is paid beyond the usual, rarely.
func (c *Company) bonus() float64 {
	if c.Kind == Payroll && c.r.IntN(400) == 0 {
		return 1 + c.r.Float64()*0.9
	}
	return 1
}

func (c *Company) change(n int) {
	if c.Kind == Exchange {
		for range int(float64(c.size) * 0.7 * math.Pow(1.1, float64(n))) {
			c.hire(n)
		}
		for _, p := range c.Payees {
			if p.since == n { // a withdrawal once; some come back
				p.often = 1
			} else if p.often == 1 {
				p.often = [...]float64{0, 0, 0.35}[c.r.IntN(3)]
			}
		}
		return
	}
	if n == 0 {
		return
	}
	for _, p := range c.Payees {
		switch c.r.IntN(100) {
		case 0:
			p.gone = true
		case 1, 2, 3:
			p.usual *= 1.03 + c.r.Float64()*0.08
		}
	}
	for range c.size/70 + c.r.IntN(5) {
		c.hire(n)
	}
}

// pay makes a transaction that pays somebody so much of the company's own money.
func (c *Company) pay(p *Payee, money float64) Tx {
	price := c.prices[p.Coin]
	if !c.moving {
		price = 1
	}
	return c.tx(p.Coin, Out{To: p, At: p.Address, Amount: c.amount(p.Coin, money*price)})
}

// amount is so much money in smallest units; people withdraw round amounts.
func (c *Company) amount(coin int, money float64) uint64 {
	v := max(money*scale[coin], 2000)
	if c.Kind == Exchange && c.r.IntN(3) == 0 {
		unit := math.Pow(10, math.Floor(math.Log10(v)))
		v = math.Round(v*2/unit) / 2 * unit
	}
	return uint64(v)
}

func (c *Company) tx(coin int, outs ...Out) Tx {
	inputs := 1 + c.r.IntN(3)
	t := Tx{ID: c.id(), Coin: coin, Outs: outs, Size: int64(68*inputs + 31*(len(outs)+1) + 11)}
	if coin >= 2 {
		t.Size = int64(148*inputs + 34*(len(outs)+1) + 10)
	}
	t.Fee = uint64(float64(t.Size) * c.rates[coin] * math.Exp2(c.r.NormFloat64()*0.15))
	sum := uint64(0)
	for _, o := range outs {
		sum += o.Amount
	}
	t.Change = uint64(float64(sum)*math.Exp2(c.r.NormFloat64()*1.5)) + 10_000
	if c.r.IntN(1000) == 0 { // the inputs fit exactly
		t.Change = 0
	}
	return t
}

func (c *Company) id() string {
	c.n++
	return fmt.Sprintf("%024x", c.n)
}
