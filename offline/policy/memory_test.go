package policy

import (
	"iter"
	"slices"

	"coldkms/shared/chain"
)

// memory is a History that a test writes itself.
type memory struct {
	signed, spent, freed map[string][32]byte
	records              map[[32]byte]Record // one of content that is not here has bytes
	now                  int64
	paid                 []Payment // oldest first
}

func (m *memory) Signed(id string) ([32]byte, bool)  { c, ok := m.signed[id]; return c, ok }
func (m *memory) Freed(op string) ([32]byte, bool)   { c, ok := m.freed[op]; return c, ok }
func (m *memory) Spender(op string) ([32]byte, bool) { c, ok := m.spent[op]; return c, ok }
func (m *memory) Record(c [32]byte) (Record, bool) {
	r, ok := m.records[c]
	if !ok {
		r = Record{Final: [32]byte{1}, Bare: c}
	}
	return r, true
}
func (m *memory) Now() int64 { return m.now }

func (m *memory) Payments(since int64) iter.Seq[Payment] {
	return func(yield func(Payment) bool) {
		for _, p := range slices.Backward(m.paid) {
			if p.Clock < since || !yield(p) {
				return
			}
		}
	}
}

// knowing remembers that each destination was once paid 1.
func knowing(to ...string) *memory {
	m := &memory{now: noon}
	for _, to := range to {
		m.paid = append(m.paid, Payment{Clock: 1, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, To: to, Value: chain.NewAmount(1), Content: [32]byte{200}})
	}
	return m
}

// noon is when tests judge.
const noon = 1_790_000_000
