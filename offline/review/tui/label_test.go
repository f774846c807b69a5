package tui

import (
	"strings"
	"testing"

	"coldkms/offline/review"
	"coldkms/shared/chain"
)

// The policy's name for a payee is on the first page, on the list, on the pay
// line, among the destinations and before the question; it is found by, and
// sorted by; and the address stands beside it whole.
func TestLabels(t *testing.T) {
	b := batch(100)
	b.Label = func(_ chain.Coin, to string) string {
		if to == like {
			return "Acme Ltd"
		}
		return ""
	}
	d := New(b)
	whole := review.Groups(like)
	for _, x := range []struct {
		keys string
		want []string
	}{
		{"", []string{"BTC  Acme Ltd                 look-alike", `to "Acme Ltd", ` + whole}},
		{"1", []string{`pay      0.00040045 BTC (40045) to "Acme Ltd"`, whole}},
		{"q/acme\r", []string{"shown 5: acme", "46 look    Acme Ltd ", whole}},
		{"looooo", []string{"by rarity"}},
		{"T", []string{`0.00200225 BTC (200225) testnet in 5 payments to "Acme Ltd"`}},
		{"qs", []string{`[66] 0.00040065 BTC to "Acme Ltd", tb1q w508`}},
		{"4\r", []string{`RISK               [46] look-alike: 0.00040045 BTC to "Acme Ltd", `}},
	} {
		press(d, x.keys)
		shown := drawn(d)
		for _, want := range x.want {
			if !strings.Contains(shown, want) && !strings.Contains(strings.Join(d.text, "\n"), want) {
				t.Errorf("after %q it does not show %q:\n%s", x.keys, want, shown)
			}
		}
	}
	d = New(b)
	press(d, "loooo")
	if got := drawn(d); !strings.Contains(got, "by payee") || d.batch.Items[d.view[0]].Facts.Movements[0].Address != like {
		t.Errorf("by payee:\n%s", got)
	}
}
