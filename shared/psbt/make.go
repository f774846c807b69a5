package psbt

import (
	"bytes"
	"fmt"

	"github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Make writes an unsigned transaction as a PSBT for any signer. Each input has
// its whole previous transaction, without witness, as the proof of its amount,
// and beside it the output itself where a segwit key signs; inputs and outputs
// of the given keys have their origins. table has been made of previous.
//
// Bitcoin Cash is refused with code UnsupportedChain.
func Make(tx *utxo.Tx, table *utxo.Table, previous [][]byte, keys []Key) (*Packet, error) {
	if tx.Params().ForkID {
		return nil, chain.Refuse(chain.UnsupportedChain, "PSBT is not for %s", tx.Params().Chain)
	}
	raw, err := psbt.NewFromUnsignedTx(tx.Unsigned())
	if err != nil {
		return nil, fmt.Errorf("psbt: make: %w", err)
	}
	m := maker{params: tx.Params(), forms: formsOf(tx.Params(), keys)}
	for i, spent := range tx.Spent() {
		at, ok := table.Find(spent.Outpoint.Hash)
		if !ok {
			return nil, chain.Refuse(chain.UnprovenAmount, "input %d: its previous transaction is missing", i)
		}
		if raw.Inputs[i], err = m.input(spent, previous[at]); err != nil {
			return nil, err
		}
	}
	for i, out := range raw.UnsignedTx.TxOut {
		raw.Outputs[i] = m.output(out.PkScript)
	}
	return &Packet{raw: raw}, nil
}

type maker struct {
	params utxo.Params
	forms  map[string]form
}

func (m maker) input(spent utxo.Spent, previous []byte) (psbt.PInput, error) {
	var in psbt.PInput
	prev := new(wire.MsgTx)
	if err := prev.DeserializeNoWitness(bytes.NewReader(previous)); err != nil {
		return in, fmt.Errorf("psbt: previous transaction: %w", err)
	}
	in.NonWitnessUtxo = prev
	f, own := m.forms[string(spent.Script)]
	switch kind := m.params.KindOf(spent.Script); {
	case kind == utxo.P2TR:
		in.WitnessUtxo = wire.NewTxOut(spent.Value, spent.Script)
		in.TaprootInternalKey, in.TaprootBip32Derivation = f.internal, f.taproot()
		return in, nil // no hash type is SIGHASH_DEFAULT, which covers everything
	case kind == utxo.P2WPKH, kind == utxo.P2SH && own:
		in.WitnessUtxo = wire.NewTxOut(spent.Value, spent.Script)
	}
	in.SighashType = txscript.SigHashAll
	in.RedeemScript, in.Bip32Derivation = f.redeem, f.derivation()
	return in, nil
}

func (m maker) output(script []byte) psbt.POutput {
	f := m.forms[string(script)]
	if f.internal != nil {
		return psbt.POutput{TaprootInternalKey: f.internal, TaprootBip32Derivation: f.taproot()}
	}
	return psbt.POutput{RedeemScript: f.redeem, Bip32Derivation: f.derivation()}
}

func (f form) derivation() []*psbt.Bip32Derivation {
	if f.key.Public == nil {
		return nil
	}
	return []*psbt.Bip32Derivation{{PubKey: f.key.Public, MasterKeyFingerprint: f.key.From.number(), Bip32Path: f.key.Path}}
}

func (f form) taproot() []*psbt.TaprootBip32Derivation {
	if f.internal == nil {
		return nil
	}
	return []*psbt.TaprootBip32Derivation{{XOnlyPubKey: f.internal, MasterKeyFingerprint: f.key.From.number(), Bip32Path: f.key.Path}}
}

// For reports whether transactions of a coin can be written as PSBT.
func For(id chain.ID) bool { return id != chain.BCH }

// Paid is the sum of the outputs that have no key origin.
func (p *Packet) Paid() int64 {
	var sum int64
	for i, out := range p.raw.Outputs {
		if len(out.Bip32Derivation)+len(out.TaprootBip32Derivation) == 0 {
			sum += p.raw.UnsignedTx.TxOut[i].Value
		}
	}
	return sum
}
