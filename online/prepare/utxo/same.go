package utxo

import (
	"fmt"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/online/prepare"
)

// Payers implements prepare.Conflicts: they are scripts.
func (c conflicts) Payers() []string {
	var list []string
	for _, spent := range c.outputs {
		list = append(list, string(spent.Script))
	}
	return list
}

// Same implements prepare.Conflicts. Another transaction may be the same payment
// if it is ours with another signature, or if it pays to a key or a script that
// ours pays to and that is none of the payer's.
func (c conflicts) Same(tx prepare.Tx, payers []string) string {
	if c.ours.UnsignedID() == tx.UnsignedID() {
		return "it IS this payment, under another signature"
	}
	own := make(map[string]bool)
	for _, script := range payers {
		own[script] = true
	}
	paid := make(map[string]bool)
	for _, out := range tx.(transaction).TxOut {
		for _, name := range payees(out.PkScript) {
			paid[name] = true
		}
	}
	for i, out := range c.ours.TxOut {
		if own[string(out.PkScript)] {
			continue
		}
		for _, name := range payees(out.PkScript) {
			if paid[name] {
				return fmt.Sprintf("it pays to the same address or key as output %d of ours, so it may be this payment", i)
			}
		}
	}
	return ""
}

// payees names whom a script pays: itself, and, where it is of one key, each
// script by which that key is paid. Two scripts that have a name in common may
// pay the same person.
func payees(script []byte) []string {
	names := []string{string(script)}
	for _, hash := range keyHashes(script) {
		program := append([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash...)
		wrapped := append(append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, btcaddr.Hash160(program)...), txscript.OP_EQUAL)
		legacy := append(append([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, hash...), txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
		names = append(names, string(program), string(wrapped), string(legacy))
	}
	return names
}

// keyHashes are the hashes of the key that a script of one key pays; of a public
// key, in both of its encodings.
func keyHashes(script []byte) [][]byte {
	switch txscript.GetScriptClass(script) {
	case txscript.PubKeyHashTy:
		return [][]byte{script[3:23]}
	case txscript.WitnessV0PubKeyHashTy:
		return [][]byte{script[2:22]}
	case txscript.PubKeyTy:
		key, err := btcec.ParsePubKey(script[1 : len(script)-1])
		if err != nil {
			return nil
		}
		return [][]byte{btcaddr.Hash160(key.SerializeCompressed()), btcaddr.Hash160(key.SerializeUncompressed())}
	}
	return nil
}
