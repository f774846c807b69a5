package algo

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"testing"

	"coldkms/offline/sign/accounttest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/algo"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"unknown-id":          "the wallet has no such entry",
	"entry-other-network": "the wallet's entry is of the other network",
	"entry-other-chain":   "the wallet's entry is of another chain",
	"entry-address-lies":  "the wallet's entry says another address than its key's",
}

func outcome(t *testing.T, v accounttest.Vector) (signed, txID string, err error) {
	e, ok := v.Entry()
	if !ok {
		return "", "", chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	}
	secret, err := ReadSecret([]byte(e.Secret + e.PrivateKey))
	if err != nil {
		return "", "", err
	}
	account, err := Account(secret)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	if e.Address != "" && e.Address != account.String() && v.Kind() != "entry-address-lies" {
		t.Errorf("%s: account %s, want %s", v.Name, account, e.Address)
	}
	r, err := algo.ReadRequest(v.Coin(), v.Pending.SerializedTransaction)
	if err != nil {
		return "", "", err
	}
	var at struct{ Round uint64 }
	v.ReadAt(t, &at)
	tx, err := r.Resolve(account, algo.Quote{Round: at.Round})
	if err != nil {
		return "", "", err
	}
	out, err := Sign(tx, v.Coin().Network, secret)
	if err != nil {
		t.Fatalf("%s: resolved, and Sign: %v", v.Name, err)
	}
	return hex.EncodeToString(out.Raw), out.TxID, nil
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, algo.Name, elsewhere, func(v accounttest.Vector) (string, string, error) { return outcome(t, v) })
}

func sample(t *testing.T) (tx algo.Tx, secret []byte) {
	t.Helper()
	secret = bytes.Repeat([]byte{7}, 32)
	account, err := Account(secret)
	if err != nil {
		t.Fatal(err)
	}
	genesis, _ := algo.GenesisOf(chain.Mainnet)
	return algo.Tx{
		Kind: algo.Pay, Sender: account, Receiver: algo.Address{1}, Amount: chain.NewAmount(5), Fee: chain.NewAmount(1000),
		First: 1000, Last: 2000, Genesis: genesis,
	}, secret
}

// What does not pass Check is not signed, whoever asks.
func TestSignChecks(t *testing.T) {
	tx, secret := sample(t)
	if _, err := Sign(tx, chain.Mainnet, secret); err != nil {
		t.Fatal(err)
	}
	if out, err := Sign(tx, chain.Testnet, secret); err == nil {
		t.Errorf("other network: signed %x", out.Raw)
	}
	for name, change := range map[string]func(){
		"other genesis": func() { tx.Genesis.Hash[0] ^= 1 },
		"zero address":  func() { tx.Receiver = algo.Address{} },
		"fee":           func() { tx.Fee = chain.NewAmount(265_000_000) },
		"window":        func() { tx.Last = 2001 },
		"no kind":       func() { tx.Kind = 0 },
		"amount":        func() { tx.Amount = chain.MaxAmount() },
		"other account": func() { tx.Sender[0] ^= 1 },
		"other key":     func() { secret[0] ^= 1 },
		"short key":     func() { secret = secret[1:] },
	} {
		tx, secret = sample(t)
		change()
		if out, err := Sign(tx, chain.Mainnet, secret); err == nil {
			t.Errorf("%s: signed %x", name, out.Raw)
		}
	}
}

func TestReadSecret(t *testing.T) {
	tx, seed := sample(t)
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	text := encoding.EncodeToString(append(bytes.Clone(seed), tx.Sender[:]...))
	if got, err := ReadSecret([]byte(text)); err != nil || !bytes.Equal(got, seed) {
		t.Fatalf("%x, %v", got, err)
	}
	other := tx.Sender
	other[31] ^= 1
	for name, text := range map[string]string{
		"nothing":         "",
		"the seed alone":  encoding.EncodeToString(seed),
		"two keys":        encoding.EncodeToString(append(bytes.Clone(seed), other[:]...)),
		"small letters":   strings.ToLower(text),
		"padding":         text + "=",
		"a blank":         text + "\n",
		"one letter less": text[:len(text)-1],
		"bits behind":     text[:len(text)-1] + string(text[len(text)-1]+1),
		"words":           strings.Repeat("abandon ", 25),
	} {
		got, err := ReadSecret([]byte(text))
		if chain.CodeOf(err) != chain.NoKeyForInput {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text[:20]) {
			t.Errorf("%s: the error has the secret", name)
		}
	}
}
