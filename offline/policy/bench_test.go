package policy

import (
	"encoding/binary"
	"fmt"
	"testing"

	"coldkms/shared/chain"
)

// BenchmarkJudge judges 10,000 items, with limits, against what a ledger has.
func BenchmarkJudge(b *testing.B) {
	p := mustParse(b, one("", `"limits": [{"per": "day", "sum": 1000000000000}], "destinationLimits": [{"per": "week", "count": 1000000}]`))
	var batch []Subject
	for i := range 10_000 {
		s := pay(fmt.Sprint(i), 0, fmt.Sprintf("tb1q%036x", i), int64(1000+i))
		binary.LittleEndian.PutUint64(s.Content[:], uint64(i))
		batch = append(batch, s)
	}
	for _, paid := range []int{0, 1_000_000} {
		m := knowing()
		for i := range paid {
			m.paid = append(m.paid, Payment{Clock: noon - int64(paid-i), Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, To: fmt.Sprintf("tb1q%036x", i*7919), Value: chain.NewAmount(uint64(i))})
		}
		b.Run(fmt.Sprintf("paid=%d", paid), func(b *testing.B) {
			for b.Loop() {
				p.Judge(batch, Circumstances{}, m)
			}
		})
	}
}
