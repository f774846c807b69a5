package offline

import (
	"testing"

	"coldkms/shared/chain"
)

// What an entry supplies is summed by what it is: the coin and its tokens are
// not one sum.
func TestSupplyIsByToken(t *testing.T) {
	key := chain.Key{SignatureID: "account", Index: chain.NoIndex}
	source := func(token string, v uint64) chain.Source {
		return chain.Source{Key: &key, Asset: chain.Asset{Token: token}, Amount: chain.NewAmount(v)}
	}
	from, _, _ := moved(
		chain.Facts{Sources: []chain.Source{source("", 5), source("tok", 7), source("tok", 1), source("", 2)}}, false)
	if len(from) != 2 || from[0].Token != "" || from[0].Value != chain.NewAmount(7) || from[1].Token != "tok" ||
		from[1].Value != chain.NewAmount(8) {
		t.Errorf("%+v", from)
	}
}
