package prepare

import (
	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// ChangeKnown is how an output that comes back to the payer is told from one
// that leaves.
type ChangeKnown string

// What there is to tell them apart.
const (
	ByKeys   ChangeKnown = "by-keys"   // the public keys of the watch file
	ByInputs ChangeKnown = "by-inputs" // the scripts that Tatum says the inputs have
	NotKnown ChangeKnown = "unknown"   // nothing: all outputs count
)

// Pay is an output as a person reads it.
type Pay struct {
	Address string // "" where the script has none
	Value   int64
	Back    bool // it comes back to the payer
}

// Keys are the keys that the transaction names.
func (d Draft) Keys() []chain.Key { return d.keys }

// Pays lists what a transaction pays, as Tatum asks for it: nothing of it is
// proven. own are the public keys that may be the payer's; without any, what
// pays to the script of an input counts as coming back, if Tatum says those.
func (d Draft) Pays(own [][]byte) ([]Pay, ChangeKnown, error) {
	params, err := utxo.ParamsOf(chain.Coin{Chain: d.chain, Network: d.network})
	if err != nil {
		return nil, NotKnown, err
	}
	scripts, known := ownScripts(params, own), ByKeys
	if len(own) == 0 {
		scripts, known = d.inputScripts()
	}
	list := make([]Pay, len(d.msg.TxOut))
	for i, out := range d.msg.TxOut {
		list[i] = Pay{Address: params.Address(out.PkScript), Value: out.Value, Back: scripts[string(out.PkScript)]}
	}
	return list, known, nil
}

// inputScripts are the scripts that the inputs have, as Tatum says.
func (d Draft) inputScripts() (map[string]bool, ChangeKnown) {
	scripts := make(map[string]bool)
	for _, c := range d.claims {
		if len(c.Script) == 0 {
			return nil, NotKnown
		}
		scripts[string(c.Script)] = true
	}
	return scripts, ByInputs
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
