package psbt

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/psbt"
)

// Of a mnemonic the named index and index 0 have an origin: below the extended
// key, or below the master key where its fingerprint is known.
func TestOriginsOfMnemonic(t *testing.T) {
	t.Parallel()
	key, err := hdkeychain.NewMaster(bytes.Repeat([]byte{3}, 32), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	entry := bundle.WatchEntry{SignatureID: "m", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, XPub: public.String()}
	for _, masters := range []map[string]psbt.Fingerprint{nil, {"m": {1, 2, 3, 4}}} {
		o := &origins{entries: map[string]bundle.WatchEntry{"m": entry}, accounts: map[string]*psbt.Account{}, masters: masters}
		keys, err := o.of([]chain.Key{{SignatureID: "m", Index: 7}, {SignatureID: "unknown", Index: chain.NoIndex}})
		if err != nil || len(keys) != 2 {
			t.Fatalf("%v, %v", keys, err)
		}
		account, err := psbt.OpenAccount(entry.XPub)
		if err != nil {
			t.Fatal(err)
		}
		from, path := account.Fingerprint(), []uint32{}
		if masters != nil {
			from, path = masters["m"], []uint32{44 | 1<<31, 1 | 1<<31, 1 << 31, 0}
		}
		for i, index := range []uint32{0, 7} {
			want, err := account.Child(index)
			if err != nil {
				t.Fatal(err)
			}
			if got := keys[i]; !bytes.Equal(got.Public, want.Public) || got.From != from || !slices.Equal(got.Path, append(slices.Clone(path), index)) {
				t.Errorf("index %d: %+v", index, got)
			}
		}
		if keys, err := o.of([]chain.Key{{SignatureID: "m", Index: chain.NoIndex}}); err != nil || len(keys) != 1 {
			t.Errorf("without an index: %v, %v", keys, err)
		}
	}
}
