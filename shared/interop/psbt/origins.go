package psbt

import (
	"errors"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// ErrNoSuchKey is returned for a master fingerprint that belongs to no
// mnemonic of the watch file.
var ErrNoSuchKey = errors.New("signature id is no mnemonic of the paired signer")

// origins knows where the keys of the watch file are from.
type origins struct {
	entries  map[string]bundle.WatchEntry
	accounts map[string]*psbt.Account // opened when first asked for
	masters  map[string]psbt.Fingerprint
}

func originsOf(entries []bundle.WatchEntry, masters map[string]psbt.Fingerprint) (*origins, error) {
	o := &origins{entries: make(map[string]bundle.WatchEntry, len(entries)), accounts: make(map[string]*psbt.Account), masters: masters}
	for _, e := range entries {
		o.entries[e.SignatureID] = e
	}
	for id := range masters {
		if o.entries[id].XPub == "" {
			return nil, fmt.Errorf("%w: %.80q", ErrNoSuchKey, id)
		}
	}
	return o, nil
}

// of returns the keys that an item names, as far as the watch file has them, and
// of each mnemonic also index 0, where Tatum sends change. A key that is
// missing is no error: then the PSBT has no origin for it.
func (o *origins) of(named []chain.Key) ([]psbt.Key, error) {
	var keys []psbt.Key
	for _, k := range named {
		e := o.entries[k.SignatureID]
		if len(e.PubKey) > 0 {
			keys = append(keys, psbt.SingleKey(e.PubKey))
		}
		if e.XPub == "" {
			continue
		}
		account, err := o.account(e)
		if err != nil {
			return nil, err
		}
		for _, index := range []int64{0, k.Index} { // the named one last: it wins
			if index < 0 {
				continue
			}
			child, err := account.Child(uint32(index))
			if err != nil {
				return nil, err
			}
			keys = append(keys, child)
		}
	}
	return keys, nil
}

func (o *origins) account(e bundle.WatchEntry) (*psbt.Account, error) {
	if a := o.accounts[e.SignatureID]; a != nil {
		return a, nil
	}
	a, err := psbt.OpenAccount(e.XPub)
	if err != nil {
		return nil, fmt.Errorf("watch file, %s: %w", e.SignatureID, err)
	}
	if master, known := o.masters[e.SignatureID]; known {
		p, err := utxo.ParamsOf(e.Coin)
		if err != nil {
			return nil, err
		}
		a.Under(master, psbt.TatumPath(p))
	}
	o.accounts[e.SignatureID] = a
	return a, nil
}
