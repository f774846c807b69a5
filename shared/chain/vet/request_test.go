package vet

import (
	"fmt"
	"strings"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

func TestRequest(t *testing.T) {
	coin := chain.Coin{Chain: Name, Network: chain.Mainnet}
	const payee, account = "0x765e04E74849AFc33CCB2d16C25048996C1C42b1", "0xF3DA2fC63d24Deaf968ebdE114D0608531b6c8ac"
	good := `{"from":"` + account + `","to":"` + payee + `","value":"5","data":"0x6f72646572203737","gas":"21544"}`
	from, err := evm.ParseAddress("ETH", account)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadRequest(coin, good)
	if err != nil {
		t.Fatal(err)
	}
	q := Quote{ChainTag: 0x4a, BlockRef: BlockRef{1}, Expiration: 720, Nonce: 9, Gas: 30_000}
	x, err := r.Resolve(from, q)
	if err != nil || x.Gas != 30_000 || x.Nonce != 9 || x.Value != chain.NewAmount(5) || string(x.Data) != "order 77" || x.To.String() != payee {
		t.Errorf("%+v, %v", x, err)
	}
	if _, err := r.Resolve(evm.Address{1}, q); chain.CodeOf(err) != OtherAccount {
		t.Errorf("other account: %v", err)
	}
	little := chain.NewAmount(4)
	q.Balance = &little
	if _, err := r.Resolve(from, q); chain.CodeOf(err) != AboveBalance {
		t.Errorf("balance: %v", err)
	}
	for name, change := range map[string][2]string{
		"no account":   {`"from":"` + account + `",`, ``},
		"account 0":    {`"` + account + `"`, `0`},
		"hex":          {`"value":"5"`, `"value":"0x5"`},
		"a number":     {`"value":"5"`, `"value":5`},
		"no data":      {`"data":"0x6f72646572203737",`, ``},
		"data null":    {`"0x6f72646572203737"`, `null`},
		"data of 0":    {`"0x6f72646572203737"`, `"0x"`},
		"no gas":       {`,"gas":"21544"`, ``},
		"small digits": {payee, strings.ToLower(payee)},
	} {
		other := strings.Replace(good, change[0], change[1], 1)
		if other == good {
			t.Errorf("%s: nothing changed", name)
		}
		if r, err := ReadRequest(coin, other); err != nil || r.Value != chain.NewAmount(5) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, change := range map[string][2]string{
		"no payee":          {`"to":"` + payee + `",`, ``},
		"payee null":        {`"` + payee + `"`, `null`},
		"payee of 19 bytes": {payee, payee[:40]},
		"checksum":          {"E74849", "e74849"},
		"value below 0":     {`"value":"5"`, `"value":"-5"`},
		"value 1.5":         {`"value":"5"`, `"value":"1.5"`},
		"value 05":          {`"value":"5"`, `"value":"05"`},
		"value 0x":          {`"value":"5"`, `"value":"0x"`},
		"value 2^53":        {`"value":"5"`, `"value":9007199254740992`},
		"value 1e3":         {`"value":"5"`, `"value":1e3`},
		"value 2^256":       {`"value":"5"`, `"value":"0x1` + strings.Repeat("0", 64) + `"`},
		"no value":          {`"value":"5",`, ``},
		"two values":        {`"value":"5"`, `"value":"5","value":"6"`},
		"odd data":          {`203737"`, `20373"`},
		"data without 0x":   {`"0x6f72`, `"6f72`},
		"long data":         {`"0x6f72`, `"0x` + strings.Repeat("61", MaxData)},
		"gas as object":     {`"21544"`, `{}`},
		"a nonce":           {`,"gas"`, `,"nonce":1,"gas"`},
		"a block":           {`,"gas"`, `,"blockRef":"0x01","gas"`},
		"expiration":        {`,"gas"`, `,"expiration":720,"gas"`},
		"chain tag":         {`,"gas"`, `,"chainTag":"0x4a","gas"`},
		"clauses":           {`,"gas"`, `,"clauses":[],"gas"`},
		"a dependency":      {`,"gas"`, `,"dependsOn":null,"gas"`},
		"a coefficient":     {`,"gas"`, `,"gasPriceCoef":255,"gas"`},
		"a payer":           {`,"gas"`, `,"delegation":true,"gas"`},
		"not JSON":          {`{"from"`, `"from"`},
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

func FuzzRequest(f *testing.F) {
	f.Add(`{"to":"0x765e04E74849AFc33CCB2d16C25048996C1C42b1","value":"5"}`)
	f.Add(`{"from":0,"to":"0x0000000000000000000000000000456E65726779","value":"0","data":"0x` + transferCall + `","gas":"1"}`)
	f.Add(`{"to":"0x765e04E74849AFc33CCB2d16C25048996C1C42b1","value":"0xde0b6b3a7640000","data":"0x6f72646572203737"}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRequest(chain.Coin{Chain: Name, Network: chain.Mainnet}, text)
		if err != nil {
			return
		}
		x, err := r.Resolve(evm.Address{1}, Quote{ChainTag: 0x4a, BlockRef: BlockRef{1}, Expiration: 720, Gas: maxGas})
		if err != nil {
			return
		}
		if got, err := Decode(x.Encode()); err != nil || fmt.Sprint(got.Encode()) != fmt.Sprint(x.Encode()) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", text, err, got, x)
		}
	})
}
