package policy

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2/base58"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// one is a file of one coin with more fields put in.
func one(fields, coin string) string {
	if fields != "" {
		fields = ", " + fields
	}
	if coin != "" {
		coin = ", " + coin
	}
	return `{"version": 1, "chains": [{"chain": "BTC", "network": "testnet"` + coin + `}]` + fields + `}`
}

func mustParse(t testing.TB, text string) Policy {
	t.Helper()
	p, err := Parse(utxoCoins{}, []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func TestParseRefuses(t *testing.T) {
	const btc = `"chain": "BTC", "network": "testnet"`
	const address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	key := strings.Repeat("ab", 32)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":             {``, "ends too early"},
		"cut":                 {one("", "")[:30], "ends too early"},
		"a list":              {`[]`, "object"},
		"null":                {`null`, "null"},
		"null field":          {one(`"name": null`, ""), "null"},
		"no version":          {`{"chains": []}`, "version 0"},
		"later version":       {`{"version": 2, "chains": []}`, "version 2"},
		"no chains":           {`{"version": 1}`, `"chains" is missing`},
		"unknown field":       {one(`"alow": []`, ""), `unknown field "alow"`},
		"field elsewhere":     {one(`"maxFee": 5`, ""), "unknown field"},
		"other case":          {one(`"Name": "x"`, ""), `unknown field "Name"`},
		"field twice":         {one(`"name": "x", "name": "y"`, ""), "stands twice"},
		"field twice, cases":  {one(`"name": "x", "NAME": "y"`, ""), "unknown field"},
		"follows":             {one("", "") + `{}`, "follows it"},
		"follows, no JSON":    {one("", "") + `x`, "follows it"},
		"byte order mark":     {"\ufeff" + one("", ""), "invalid character"},
		"not UTF-8":           {one("\"name\": \"\xff\"", ""), "UTF-8"},
		"deep":                {one(`"name": `+strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth), ""), "nests deeper than"},
		"endlessly deep":      {one(`"name": `+strings.Repeat("[", MaxSize/2), ""), "nests deeper than"},
		"large":               {one("", "") + strings.Repeat(" ", MaxSize), "more than"},
		"coins as text":       {one("", `"maxFee": "0.005 BTC"`), "smallest unit"},
		"coins as number":     {one("", `"maxFee": 0.005`), "smallest unit"},
		"whole with a point":  {one("", `"maxFee": 5.0`), "smallest unit"},
		"exponent":            {one("", `"maxFee": 5e3`), "smallest unit"},
		"beyond 64 bits":      {one("", `"maxFee": 9223372036854775808`), "out of range"},
		"last of 64 bits":     {one("", `"maxFee": 9223372036854775807`), "out of range"},
		"below zero":          {one("", `"maxFee": -1`), "smallest unit"},
		"percent":             {one("", `"maxFeePercent": 10001`), "maxFeePercent"},
		"rate of zero":        {one("", `"maxFeeRate": 0`), "maxFeeRate"},
		"rate below zero":     {one("", `"maxFeeRate": -1`), "maxFeeRate"},
		"unknown chain":       {`{"version": 1, "chains": [{"chain": "ETH", "network": "mainnet"}]}`, "ETH"},
		"unknown network":     {`{"version": 1, "chains": [{"chain": "BTC", "network": "regtest"}]}`, "regtest"},
		"chain twice":         {`{"version": 1, "chains": [{` + btc + `}, {` + btc + `}]}`, "twice"},
		"window":              {one("", `"limits": [{"per": "month", "sum": 1}]`), "month"},
		"empty limit":         {one("", `"limits": [{"per": "day"}]`), "neither"},
		"limit twice":         {one("", `"limits": [{"per": "day", "sum": 1}, {"per": "day", "count": 1}]`), "twice"},
		"negative limit":      {one("", `"limits": [{"per": "day", "sum": -1}]`), "smallest unit"},
		"negative count":      {one("", `"destinationLimits": [{"per": "day", "count": -1}]`), "out of range"},
		"quorum window":       {one("", `"quorum": [{"per": "", "above": 1, "operators": 2}]`), "quorum"},
		"quorum of none":      {one("", `"quorum": [{"per": "day", "above": 1, "operators": 0}]`), "operators"},
		"quorum of many":      {one("", `"quorum": [{"per": "day", "above": 1, "operators": 17}]`), "operators"},
		"quorum below zero":   {one("", `"quorum": [{"per": "day", "above": -1, "operators": 2}]`), "smallest unit"},
		"quorum twice":        {one("", `"quorum": [{"per": "day", "above": 1, "operators": 2}, {"per": "day", "above": 1, "operators": 3}]`), "twice"},
		"mode":                {one(`"unlisted": "deny"`, ""), "none of"},
		"empty mode":          {one(`"unlisted": ""`, ""), "none of"},
		"unproven allowed":    {one(`"unproven": "allow"`, ""), "unproven"},
		"replacement allowed": {one(`"replacement": "allow"`, ""), "replacement"},
		"age of zero":         {one(`"maxRequestAgeHours": 0`, ""), "maxRequestAgeHours"},
		"age of centuries":    {one(`"maxRequestAgeHours": 1000000`, ""), "maxRequestAgeHours"},
		"control character":   {one(`"name": "a\u001bb"`, ""), "U+001B"},
		"bidirectional mark":  {one(`"name": "a\u202eb"`, ""), "U+202E"},
		"lone surrogate":      {one(`"name": "\ud800"`, ""), "U+FFFD"},
		"long name":           {one(`"name": "`+strings.Repeat("a", maxName+1)+`"`, ""), "at most"},
		"wrong address":       {one(`"allow": [{`+btc+`, "address": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsy"}]`, ""), "entry 1"},
		"other network's":     {one(`"allow": [{`+btc+`, "address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}]`, ""), "entry 1"},
		"neither":             {one(`"deny": [{`+btc+`}]`, ""), "either"},
		"address and script":  {one(`"deny": [{`+btc+`, "address": "`+address+`", "script": "51"}]`, ""), "either"},
		"script":              {one(`"deny": [{`+btc+`, "script": "5"}]`, ""), "hexadecimal"},
		"entry twice":         {one(`"allow": [{`+btc+`, "address": "`+address+`"}, {`+btc+`, "address": "`+strings.ToUpper(address)+`"}]`, ""), "twice"},
		"approvers of none":   {one(`"approvers": {"needed": 1, "keys": []}`, ""), "approvers"},
		"too many needed":     {one(`"approvers": {"needed": 2, "keys": [{"key": "`+key+`"}]}`, ""), "approvers"},
		"none needed":         {one(`"approvers": {"needed": 0, "keys": [{"key": "`+key+`"}]}`, ""), "approvers"},
		"approver twice":      {one(`"approvers": {"needed": 1, "keys": [{"key": "`+key+`"}, {"key": "`+strings.ToUpper(key)+`"}]}`, ""), "twice"},
		"short key":           {one(`"approvers": {"needed": 1, "keys": [{"key": "abcd"}]}`, ""), "64 hexadecimal"},
	} {
		p, err := Parse(utxoCoins{}, []byte(c.text))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want something about %q", name, err, c.says)
		}
		if v := judge(p, sound(), &memory{}); !v.Refused() {
			t.Errorf("%s: what cannot be read admits something", name)
		}
	}
}

// All ways to write a policy are one policy: order, space, spelled out or not.
func TestOneEncoding(t *testing.T) {
	a := mustParse(t, `{"chains": [
		{"network": "testnet", "chain": "LTC"},
		{"chain": "BTC", "network": "testnet", "limits": [{"per": "week", "sum": 9}, {"per": "transaction", "sum": 1}]}
	], "version": 1}`)
	b := mustParse(t, `{"version":1,"unlisted":"allow","chains":[{"chain":"BTC","maxFeeRate":1000,"network":"testnet",
		"limits":[{"sum":1,"per":"transaction"},{"per":"week","sum":9}]},{"chain":"LTC","network":"testnet"}]}`)
	if !bytes.Equal(a.Hash(), b.Hash()) || len(a.Hash()) != 32 {
		t.Errorf("hashes %x and %x", a.Hash(), b.Hash())
	}
	canonical, err := a.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(utxoCoins{}, canonical); err != nil {
		t.Errorf("the canonical file does not load: %v", err)
	}
	for name, other := range map[string][]byte{
		"a space more": append(bytes.Clone(canonical), ' '), "a line less": canonical[:len(canonical)-1],
		"compact": []byte(one("", "")), "nothing": nil,
	} {
		if p, err := Load(utxoCoins{}, other); err == nil || !judge(p, sound(), &memory{}).Refused() {
			t.Errorf("%s: loaded", name)
		}
	}
}

// The built-in policy can be written down, and is the same once it is set.
func TestDefaultIsAFile(t *testing.T) {
	if len(Default(utxoCoins{}).Hash()) != 0 {
		t.Error("the built-in policy has a hash")
	}
	canonical, err := Default(utxoCoins{}).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(utxoCoins{}, canonical)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Hash()) != 32 || len(p.Compare(Default(utxoCoins{}))) != 0 || len(p.Warnings()) != 0 {
		t.Errorf("%v %v", p.Compare(Default(utxoCoins{})), p.Warnings())
	}
	if n := len(p.coins); n != 8 {
		t.Errorf("%d coins", n)
	}
}

// Every form of one destination is the same entry, and matches what pays it.
func TestAddressesAreCompared(t *testing.T) {
	hash := bytes.Repeat([]byte{0x5a}, 20)
	for _, c := range []struct {
		id     chain.ID
		script string
		old    []byte // versions of the base58 forms
	}{
		{chain.BTC, "0014%x", nil},
		{chain.BCH, "76a914%x88ac", []byte{0x00}},
		{chain.BCH, "a914%x87", []byte{0x05}},
		{chain.LTC, "a914%x87", []byte{0x32, 0x05}},
	} {
		params, err := utxo.ParamsOf(chain.Coin{Chain: c.id, Network: chain.Mainnet})
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(c.script, hash)
		script, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		address := params.Address(script)
		fields := []string{`"script": "` + text + `"`, `"script": "` + strings.ToUpper(text) + `"`, `"address": "` + address + `"`}
		if _, bare, ok := strings.Cut(address, ":"); ok {
			fields = append(fields, `"address": "`+bare+`"`)
		}
		if len(c.old) == 0 || c.id == chain.BCH {
			fields = append(fields, `"address": "`+strings.ToUpper(address)+`"`)
		}
		for _, version := range c.old {
			fields = append(fields, `"address": "`+base58.CheckEncode(hash, version)+`"`)
		}
		paying := sound()
		paying.Facts.Chain, paying.Facts.Network = c.id, chain.Mainnet
		paying.Facts.Movements[0] = chain.Movement{To: address, Address: address, Lock: script, Amount: chain.NewAmount(60_000)}
		first := ""
		for _, field := range fields {
			of := `"chain": "` + string(c.id) + `", "network": "mainnet"`
			p := mustParse(t, `{"version": 1, "chains": [{`+of+`}], "deny": [{`+of+`, `+field+`}]}`)
			if first == "" {
				first = string(p.Hash())
			}
			if string(p.Hash()) != first {
				t.Errorf("%s: %s makes another policy", c.id, field)
			}
			if v := judge(p, paying, &memory{}); !slices.Contains(v.Codes(), chain.Denied) || !v.Refused() {
				t.Errorf("%s: %s is not recognised: %v", c.id, field, v.Codes())
			}
		}
	}
}

// A flipped bit in the canonical file is found: it does not load, or it is
// another policy, whose hash the ledger does not have.
func TestEveryFlippedBitIsFound(t *testing.T) {
	canonical, err := mustParse(t, Example()).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(utxoCoins{}, canonical)
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for bit := range len(canonical) * 8 {
		bad := bytes.Clone(canonical)
		bad[bit/8] ^= 1 << (bit % 8)
		other, err := Load(utxoCoins{}, bad)
		if err != nil {
			continue
		}
		if loaded++; bytes.Equal(other.Hash(), p.Hash()) {
			t.Errorf("bit %d of byte %d changes nothing", bit%8, bit/8)
		}
	}
	if loaded == 0 {
		t.Error("no flip gave another policy: this test does not look at hashes")
	}
	for n := range canonical {
		if _, err := Load(utxoCoins{}, canonical[:n]); err == nil {
			t.Errorf("the first %d bytes load", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte(one("", "")))
	canonical, err := Default(utxoCoins{}).Canonical()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(canonical)
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Parse(utxoCoins{}, raw)
		if err != nil {
			if !judge(p, sound(), &memory{}).Refused() {
				t.Error("what cannot be read admits something")
			}
			return
		}
		canonical, err := p.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(utxoCoins{}, canonical)
		if err != nil {
			t.Fatalf("%v\n%s", err, canonical)
		}
		if !bytes.Equal(again.Hash(), p.Hash()) || len(again.Compare(p)) != 0 {
			t.Error("the canonical file is another policy")
		}
	})
}
