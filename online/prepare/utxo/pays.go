package utxo

import (
	"fmt"
	"slices"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// watched derives public keys of a watch file. It is not for several goroutines.
type watched struct {
	entries  map[string]bundle.WatchEntry
	accounts map[string]*psbt.Account // opened when first asked for
}

// Watched implements prepare.Family.
func (family) Watched(entries []bundle.WatchEntry) prepare.Watched {
	w := watched{entries: make(map[string]bundle.WatchEntry, len(entries)), accounts: make(map[string]*psbt.Account)}
	for _, e := range entries {
		w.entries[e.SignatureID] = e
	}
	return w
}

// Pays implements prepare.Watched. Where not all the keys that the transaction
// names are known, what pays to the script of an input counts as coming back, if
// the scripts of the inputs are known.
func (w watched) Pays(tx prepare.Draft) ([]prepare.Pay, prepare.ChangeKnown, error) {
	d, ok := tx.(draft)
	if p, proven := tx.(prepared); proven {
		d, ok = p.draft, true
	}
	params, err := utxo.ParamsOf(d.coin)
	if err != nil || !ok {
		return nil, prepare.NotKnown, err
	}
	own := w.keys(d.keys)
	scripts, known := ownScripts(params, own), prepare.ByKeys
	if len(own) == 0 {
		scripts, known = d.inputScripts()
	}
	list := make([]prepare.Pay, len(d.msg.TxOut))
	for i, out := range d.msg.TxOut {
		amount, ok := chain.AmountOf(out.Value)
		if !ok {
			return nil, prepare.NotKnown, fmt.Errorf("output %d has a negative value", i)
		}
		list[i] = prepare.Pay{Address: params.Address(out.PkScript), Asset: params.Asset(), Amount: amount, Back: scripts[string(out.PkScript)]}
	}
	return list, known, nil
}

// maxNamed bounds how many keys are derived to tell what comes back.
const maxNamed = 1000

// keys returns the public keys that a transaction names, and of each mnemonic
// also that of index 0, where Tatum sends change; none if not all are known.
func (w watched) keys(named []chain.Key) [][]byte {
	unknown := func(k chain.Key) bool { return w.entries[k.SignatureID].SignatureID == "" }
	if len(named) > maxNamed || slices.ContainsFunc(named, unknown) {
		return nil
	}
	var keys [][]byte
	for _, k := range named {
		e := w.entries[k.SignatureID]
		if len(e.PubKey) > 0 {
			keys = append(keys, e.PubKey)
		}
		if e.XPub == "" {
			continue
		}
		for _, index := range []int64{0, k.Index} {
			if index < 0 {
				continue
			}
			child, err := w.child(e, index)
			if err != nil {
				return nil
			}
			keys = append(keys, child)
		}
	}
	return keys
}

func (w watched) child(e bundle.WatchEntry, index int64) ([]byte, error) {
	a := w.accounts[e.SignatureID]
	if a == nil {
		var err error
		if a, err = psbt.OpenAccount(e.XPub); err != nil {
			return nil, err
		}
		w.accounts[e.SignatureID] = a
	}
	key, err := a.Child(uint32(index))
	return key.Public, err
}

// inputScripts are the scripts that the inputs have, as Tatum says.
func (d draft) inputScripts() (map[string]bool, prepare.ChangeKnown) {
	scripts := make(map[string]bool)
	for _, c := range d.claims {
		if len(c.Script) == 0 {
			return nil, prepare.NotKnown
		}
		scripts[string(c.Script)] = true
	}
	return scripts, prepare.ByInputs
}

// ownScripts are the scripts that a wallet with these public keys uses.
func ownScripts(params utxo.Params, keys [][]byte) map[string]bool {
	scripts := make(map[string]bool)
	for _, public := range keys {
		address, legacy := params.KeyAddress(public)
		for _, a := range []string{address, legacy} {
			if script, err := params.ScriptOf(a); err == nil {
				scripts[string(script)] = true
			}
		}
		if !params.Segwit || len(public) != 33 {
			continue
		}
		program := append([]byte{txscript.OP_0, txscript.OP_DATA_20}, btcaddr.Hash160(public)...)
		wrapped := append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, btcaddr.Hash160(program)...)
		scripts[string(program)] = true
		scripts[string(append(wrapped, txscript.OP_EQUAL))] = true
	}
	return scripts
}
