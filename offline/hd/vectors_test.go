package hd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// wallets.json was made by running Tatum's own JavaScript library.
type vectors struct {
	Wallets []struct {
		Chain    chain.ID
		Testnet  bool
		Mnemonic string
		XPub     string
		Keys     []struct {
			Index               int64
			Address, PrivateKey string
		}
	}
}

func load(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/wallets.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTatumVectors(t *testing.T) {
	keys := 0
	for _, w := range load(t).Wallets {
		network := chain.NetworkOf(w.Testnet)
		if err := hd.CheckMnemonic([]byte(w.Mnemonic)); err != nil {
			t.Errorf("%s: %v", w.Mnemonic, err)
		}
		account, err := hd.AccountOf([]byte(w.Mnemonic), nil, hdtest.Coin(chain.Coin{Chain: w.Chain, Network: network}))
		if err != nil {
			t.Fatal(err)
		}
		if xpub := account.XPub(); xpub != w.XPub {
			t.Errorf("%s %s: xpub %s, want %s", w.Chain, network, xpub, w.XPub)
		}
		for _, k := range w.Keys {
			keys++
			private, public, err := account.Key(k.Index)
			if err != nil {
				t.Fatal(err)
			}
			if wif, err := hd.EncodeWIF(private, true, hdtest.Coin(chain.Coin{Chain: w.Chain, Network: network})); err != nil || string(wif) != k.PrivateKey {
				t.Errorf("%s %s/%d: WIF differs (%v)", w.Chain, network, k.Index, err)
			}
			back, compressed, err := hd.DecodeWIF([]byte(k.PrivateKey), hdtest.Coin(chain.Coin{Chain: w.Chain, Network: network}))
			if err != nil || !compressed || !bytes.Equal(back, private) {
				t.Errorf("%s %s/%d: WIF reads as another key (%v)", w.Chain, network, k.Index, err)
			}
			if derived, err := hd.PublicKey(w.XPub, hdtest.Coin(chain.Coin{Chain: w.Chain, Network: network}), k.Index); err != nil || !bytes.Equal(derived, public) {
				t.Errorf("%s %s/%d: public key from xpub differs (%v)", w.Chain, network, k.Index, err)
			}
			if public2, err := hd.Public(private, true); err != nil || !bytes.Equal(public2, public) {
				t.Errorf("%s %s/%d: public key from private key differs (%v)", w.Chain, network, k.Index, err)
			}
			if got := address(t, w.Chain, network, public); got != k.Address && w.Chain != chain.BCH { // written as cashaddr there
				t.Errorf("%s %s/%d: address %s, want %s", w.Chain, network, k.Index, got, k.Address)
			}
		}
	}
	if keys < 100 {
		t.Errorf("only %d keys were checked", keys)
	}
}

// address of a public key as Tatum's getaddress gives it.
func address(t *testing.T, id chain.ID, network chain.Network, public []byte) string {
	t.Helper()
	p, err := utxo.ParamsOf(chain.Coin{Chain: id, Network: network})
	if err != nil {
		t.Fatal(err)
	}
	hash := btcaddr.Hash160(public)
	if id == chain.BTC {
		return p.Address(append([]byte{0x00, 20}, hash...))
	}
	return p.Address(append(append([]byte{0x76, 0xa9, 20}, hash...), 0x88, 0xac))
}
