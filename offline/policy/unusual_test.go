package policy

import (
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// What a payee gets is compared with what it got: in words with numbers.
func TestAboveUsual(t *testing.T) {
	past := knowing()
	for i := range 9 {
		at := Payment{
			Clock:   noon - int64(9-i)*30*aDay,
			Coin:    chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
			To:      "to",
			Value:   chain.NewAmount(410_000),
			Content: [32]byte{byte(i)},
		}
		at.Batch[0] = byte(i + 1)
		past.paid = append(past.paid, at)
	}
	for name, c := range map[string]struct {
		batch    []Subject
		severity chain.Severity // of the first item; 0: nothing is said
	}{
		"the same":       {[]Subject{pay("1", 1, "to", 410_000)}, 0},
		"a fifth more":   {[]Subject{pay("1", 1, "to", 492_000)}, 0},
		"a half more":    {[]Subject{pay("1", 1, "to", 615_000)}, 0},
		"twelve times":   {[]Subject{pay("1", 1, "to", 5_084_000)}, chain.Look},
		"in small parts": {[]Subject{pay("1", 1, "to", 900_000, 900_000), pay("2", 2, "to", 900_000, 900_000)}, chain.Look},
	} {
		var found Reason
		for _, r := range Default(utxoCoins{}).Judge(c.batch, Circumstances{}, past)[0].Findings {
			if r.Code == chain.FlagAboveUsual {
				found = r
			}
		}
		if found.Severity != c.severity && !(c.severity == 0 && found.Severity == chain.Note) {
			t.Errorf("%s: severity %d: %s", name, found.Severity, found.Message)
		}
		if name == "twelve times" &&
			!strings.Contains(found.Text(), "12.4 times what it usually gets: median 410000 of 9 payments") {
			t.Errorf("%s: %s", name, found.Text())
		}
	}
}
