package egld

import (
	"strings"
	"testing"

	"coldkms/shared/chain"
)

func TestRequest(t *testing.T) {
	coin := chain.Coin{Chain: Name, Network: chain.Mainnet}
	good := `{"from":"` + alice + `","to":"` + bob + `","value":"1.5","data":"order 77","gasPrice":1000000000,"gasLimit":50000}`
	q := Quote{ChainID: "1", Nonce: 4, Gas: 62_000, Price: chain.NewAmount(1e9), Version: 1}
	r, err := ReadRequest(coin, good)
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Resolve(address(t, alice), q)
	if err != nil || x.Value != chain.NewAmount(15e17) || x.Nonce != 4 || x.Gas != 62_000 || string(x.Data) != "order 77" {
		t.Errorf("%+v, %v", x, err)
	}
	if id := x.ExclusiveID(); id != alice+":4" {
		t.Errorf("exclusive id %s", id)
	}
	if _, err := r.Resolve(address(t, bob), q); chain.CodeOf(err) != OtherAccount {
		t.Errorf("other account: %v", err)
	}
	little := chain.NewAmount(15e17)
	q.Balance = &little
	if _, err := r.Resolve(address(t, alice), q); chain.CodeOf(err) != AboveBalance {
		t.Errorf("balance without the fee: %v", err)
	}
	for name, change := range map[string][2]string{
		"value as number":  {`"1.5"`, `1.5`},
		"exponent":         {`"1.5"`, `"1e3"`},
		"19 places":        {`"1.5"`, `"1.0000000000000000001"`},
		"negative":         {`"1.5"`, `"-5"`},
		"no value":         {`"value":"1.5",`, ``},
		"empty value":      {`"1.5"`, `""`},
		"two values":       {`"value":"1.5"`, `"value":"1.5","value":"2"`},
		"no payee":         {`"to":"` + bob + `",`, ``},
		"other prefix":     {`"to":"erd1`, `"to":"addr1`},
		"a wrong letter":   {`jx","value`, `jq","value`},
		"gas as text":      {`50000}`, `"50000"}`},
		"price of 1.5":     {`1000000000,`, `1.5,`},
		"data as object":   {`"order 77"`, `{}`},
		"from as number":   {`"` + alice + `"`, `0`},
		"a nonce":          {`"gasLimit"`, `"nonce":1,"gasLimit"`},
		"a guardian":       {`"gasLimit"`, `"guardian":"` + bob + `","gasLimit"`},
		"an unknown field": {`"gasLimit"`, `"x":1,"gasLimit"`},
		"not JSON":         {`{"from"`, `"from"`},
	} {
		other := strings.Replace(good, change[0], change[1], 1)
		if other == good {
			t.Errorf("%s: nothing changed", name)
		}
		if got, err := ReadRequest(coin, other); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
	if _, err := ReadRequest(chain.Coin{Chain: "ETH", Network: chain.Mainnet}, good); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("another chain: %v", err)
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":     "",
		"capitals":    strings.ToUpper(alice),
		"mixed":       strings.Replace(alice, "q", "Q", 1),
		"a blank":     alice + " ",
		"letter less": alice[:len(alice)-1],
		"checksum":    alice[:len(alice)-1] + "q",
		"other":       "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	} {
		if a, err := ParseAddress(text); err == nil {
			t.Errorf("%s: read as %s", name, a)
		}
	}
}
