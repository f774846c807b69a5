package evm

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

var eth = chain.Coin{Chain: "ETH", Network: chain.Mainnet}

func wei(t testing.TB, s string) chain.Amount {
	t.Helper()
	a, err := chain.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The example of EIP-155.
func TestEIP155(t *testing.T) {
	tx := Tx{
		ChainID: 1, Nonce: 9, Gas: 21000, Price: wei(t, "20000000000"), Value: wei(t, "1000000000000000000"),
		To: Address(bytes.Repeat([]byte{0x35}, 20)),
	}
	const unsigned = "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"
	if got := hex.EncodeToString(tx.Encode()); got != unsigned {
		t.Errorf("unsigned %s", got)
	}
	if got := tx.SigningHash(); hex.EncodeToString(got[:]) != "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53" {
		t.Errorf("hash %x", got)
	}
	raw := unhex(t, "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
	read, sig, err := DecodeSigned(raw)
	if err != nil || !bytes.Equal(read.Encode(), tx.Encode()) || !bytes.Equal(read.Raw(sig), raw) {
		t.Fatalf("%+v, %v", read, err)
	}
	if from, err := read.Sender(sig); err != nil || from.Hex() != "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f" {
		t.Errorf("sender %s, %v", from, err)
	}
}

func TestSenderNeedsLowS(t *testing.T) {
	raw := unhex(t, "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
	tx, sig, err := DecodeSigned(raw)
	if err != nil {
		t.Fatal(err)
	}
	high := sig
	copy(high.S[:], unhex(t, "98341627668089e51348fccfb4c7ff31c55912f2d2e47ef09652acf665fad3be"))
	high.Recovery ^= 1
	if _, err := tx.Sender(high); err == nil {
		t.Error("a high S was taken")
	}
	high = sig
	high.Recovery = 2
	if _, err := tx.Sender(high); err == nil {
		t.Error("recovery id 2 was taken")
	}
}

const signedType2 = "02f8750182019e843b9aca008509e858358082520894ea2a4ecc4250c2830c7f6ee7ec527040f6dad7db88014b80c277042c0080c001a0e6991f5bd1e8b28d5954bfdea579a0301a166e8d3035d7381eb0540a44ce8cb5a07383d1b3e83abd98bf9bd0d4fba0cf4666dde1e52ab9721fecc13a47c02c0403"

func TestDecodeRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":                   "",
		"type 1":                    "01c0",
		"type 3":                    "03c0",
		"type 4":                    "04c0",
		"CELO's type":               "7bc0",
		"a string":                  "83646f67",
		"eight fields":              "c8" + strings.Repeat("80", 8),
		"CELO's envelope, 12":       "cc" + strings.Repeat("80", 12),
		"before EIP-155, v 27":      "f864808504a817c800825208943535353535353535353535353535353535353535808" + "01ba028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
		"access list, not empty":    strings.Replace(signedType2, "80c001a0", "80c1c001a0", 1),
		"a zero in front of nonce":  "ed820009" + "8504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
		"address of 19 bytes":       "eb098504a817c80082520893" + strings.Repeat("35", 19) + "880de0b6b3a764000080018080",
		"type 2 with odd parity 2":  strings.Replace(signedType2, "80c001a0", "80c002a0", 1),
		"type 2 unsigned and short": "02c8" + strings.Repeat("80", 8),
	} {
		if tx, err := DecodeUnsigned(unhex(t, s)); err == nil {
			t.Errorf("%s: unsigned: %+v", name, tx)
		}
		if tx, _, err := DecodeSigned(unhex(t, s)); err == nil {
			t.Errorf("%s: signed: %+v", name, tx)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	good := Tx{ChainID: 1, Gas: 21000, Price: wei(t, "1"), To: Address{1}}
	if err := good.Check(eth); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(tx *Tx)
		code   chain.Code
	}{
		"other chain":         {func(tx *Tx) { tx.ChainID = 56 }, WrongChainID},
		"test network":        {func(tx *Tx) { tx.ChainID = 11155111 }, WrongChainID},
		"type 1":              {func(tx *Tx) { tx.Type = 1 }, chain.Malformed},
		"last nonce":          {func(tx *Tx) { tx.Nonce = ^uint64(0) }, chain.ValueOutOfRange},
		"zero address":        {func(tx *Tx) { tx.To = Address{} }, ZeroAddress},
		"empty contract":      {func(tx *Tx) { tx.Creates = true }, chain.Malformed},
		"little gas":          {func(tx *Tx) { tx.Gas-- }, GasRange},
		"little gas for data": {func(tx *Tx) { tx.Data = []byte{1} }, GasRange},
		"much gas":            {func(tx *Tx) { tx.Gas = MaxGas + 1 }, GasRange},
		"no price":            {func(tx *Tx) { tx.Price = chain.Amount{} }, PriceRange},
		"absurd price":        {func(tx *Tx) { tx.Price = wei(t, "1000000000000001") }, PriceRange},
		"tip above price":     {func(tx *Tx) { tx.Type, tx.Tip = DynamicFee, wei(t, "2") }, PriceRange},
		"tip of legacy":       {func(tx *Tx) { tx.Tip = wei(t, "1") }, chain.Malformed},
		"sum of 257 bits":     {func(tx *Tx) { tx.Value = chain.MaxAmount() }, chain.ValueOutOfRange},
		"data of 129 KiB":     {func(tx *Tx) { tx.Data = make([]byte, MaxData+1); tx.Gas = MaxGas }, chain.TooLarge},
	} {
		tx := good
		c.change(&tx)
		if err := tx.Check(eth); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if err := good.Check(chain.Coin{Chain: "BTC", Network: chain.Mainnet}); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("BTC: %v", err)
	}
}

func TestMinGas(t *testing.T) {
	for _, c := range []struct {
		tx   Tx
		want uint64
	}{
		{Tx{}, 21000},
		{Tx{Data: []byte{0, 0, 0, 0, 1, 1, 1, 1, 1, 1}}, 21280},    // the floor: 10 × (4 + 4 × 6)
		{Tx{Creates: true, Data: []byte{0, 1, 2}}, 53000 + 36 + 2}, // EIP-3860: one word
	} {
		if got := c.tx.MinGas(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.tx, got, c.want)
		}
	}
}

func FuzzTx(f *testing.F) {
	for _, s := range []string{
		signedType2,
		"ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
		"f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
		"02c9018080808080808080c0", "01c0", "7bc0",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if tx, err := DecodeUnsigned(b); err == nil && !bytes.Equal(tx.Encode(), b) {
			t.Errorf("unsigned %x comes back as %x", b, tx.Encode())
		}
		tx, sig, err := DecodeSigned(b)
		if err != nil {
			return
		}
		if !bytes.Equal(tx.Raw(sig), b) {
			t.Errorf("signed %x comes back as %x", b, tx.Raw(sig))
		}
		if again, err := DecodeUnsigned(tx.Encode()); err != nil || !bytes.Equal(again.Encode(), tx.Encode()) {
			t.Errorf("signed %x has no unsigned form: %v", b, err)
		}
	})
}
