package evm

import (
	"bytes"
	"testing"

	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

func sample(tb testing.TB) (t evm.Tx, coin chain.Coin, account evm.Address, secret []byte) {
	tb.Helper()
	secret = bytes.Repeat([]byte{7}, recoverable.SecretSize)
	account, err := recoverable.Account(secret)
	if err != nil {
		tb.Fatal(err)
	}
	t = evm.Tx{ChainID: 1, Nonce: 3, Gas: 21000, Price: chain.NewAmount(20e9), To: evm.Address{1}, Value: chain.NewAmount(1e18)}
	return t, chain.Coin{Chain: "ETH", Network: chain.Mainnet}, account, secret
}

// What does not pass Check is not signed, whoever asks.
func TestSignChecks(t *testing.T) {
	tx, coin, account, secret := sample(t)
	out, err := Sign(tx, coin, account, secret)
	if err != nil || out.TxID != evm.TxID(out.Raw) {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"other chain":   func() { tx.ChainID = 56 },
		"zero address":  func() { tx.To = evm.Address{} },
		"gas":           func() { tx.Gas = 20999 },
		"other network": func() { coin.Network = chain.Testnet },
		"other account": func() { account[0] ^= 1 },
		"other key":     func() { secret[0] ^= 1 },
	} {
		tx, coin, account, secret = sample(t)
		change()
		if out, err := Sign(tx, coin, account, secret); err == nil {
			t.Errorf("%s: signed %x", name, out.Raw)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	tx, coin, account, secret := sample(b)
	for b.Loop() {
		if _, err := Sign(tx, coin, account, secret); err != nil {
			b.Fatal(err)
		}
	}
}
