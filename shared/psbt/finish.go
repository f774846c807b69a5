package psbt

import (
	"bytes"
	"fmt"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Unsigned reports whether the packet has no signature at all.
func (p *Packet) Unsigned() bool {
	for _, in := range p.raw.Inputs {
		if signed(in) {
			return false
		}
	}
	return true
}

func signed(in psbt.PInput) bool {
	return len(in.FinalScriptSig)+len(in.FinalScriptWitness)+len(in.PartialSigs)+len(in.TaprootKeySpendSig)+len(in.TaprootScriptSpendSig) > 0
}

// Finished returns tx with the signatures of the packet and nothing else of it:
// final scripts as they are, partial signatures put together as each output of
// tx wants them. Nothing is verified here; utxo.Tx.Adopt does that. An input
// without a signature that fits is a refusal with code Incomplete.
func (p *Packet) Finished(tx *utxo.Tx) (*wire.MsgTx, error) {
	msg := tx.Unsigned()
	if p.UnsignedID() != msg.TxHash() {
		return nil, chain.Refuse(chain.ContentChanged, "the PSBT is of another transaction")
	}
	for i, in := range p.raw.Inputs {
		if err := finish(msg.TxIn[i], in, tx.Params().KindOf(tx.Spent()[i].Script), tx.Spent()[i].Script); err != nil {
			return nil, chain.Refuse(chain.Incomplete, "input %d of %d: %v", i+1, len(msg.TxIn), err)
		}
	}
	return msg, nil
}

func finish(to *wire.TxIn, in psbt.PInput, kind utxo.Kind, script []byte) error {
	if len(in.FinalScriptSig)+len(in.FinalScriptWitness) > 0 {
		to.SignatureScript = in.FinalScriptSig
		return readWitness(&to.Witness, in.FinalScriptWitness)
	}
	if kind == utxo.P2TR && len(in.TaprootKeySpendSig) > 0 {
		to.Witness = wire.TxWitness{in.TaprootKeySpendSig}
		return nil
	}
	for _, sig := range in.PartialSigs {
		if place(to, sig, kind, script) {
			return nil
		}
	}
	if signed(in) {
		return fmt.Errorf("its signatures are by other keys than a %s output wants", kind)
	}
	return fmt.Errorf("it has no signature: the PSBT is not complete")
}

// place puts a partial signature where an output of this kind wants it, if it
// is by the key that the output names.
func place(to *wire.TxIn, sig *psbt.PartialSig, kind utxo.Kind, script []byte) bool {
	hash := btcaddr.Hash160(sig.PubKey)
	program := joined([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash)
	switch {
	case kind == utxo.P2PK && bytes.Equal(script[1:len(script)-1], sig.PubKey):
		to.SignatureScript = push(sig.Signature)
	case kind == utxo.P2PKH && bytes.Equal(script[3:23], hash):
		to.SignatureScript = joined(push(sig.Signature), push(sig.PubKey))
	case kind == utxo.P2WPKH && bytes.Equal(script[2:22], hash):
		to.Witness = wire.TxWitness{sig.Signature, sig.PubKey}
	case kind == utxo.P2SH && bytes.Equal(script[2:22], btcaddr.Hash160(program)):
		to.SignatureScript = push(program)
		to.Witness = wire.TxWitness{sig.Signature, sig.PubKey}
	default:
		return false
	}
	return true
}

// push is the shortest push of up to 75 bytes. The library has checked that
// signatures and keys are such, and shorter.
func push(data []byte) []byte { return append([]byte{byte(len(data))}, data...) }

// readWitness reads the stack of a final witness.
func readWitness(to *wire.TxWitness, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	r := reader{b: b}
	var stack wire.TxWitness
	for n := r.compactSize(); n > 0 && !r.failed; n-- {
		stack = append(stack, r.take(r.compactSize()))
	}
	if r.failed || len(r.b) != 0 {
		return fmt.Errorf("its final witness is malformed")
	}
	*to = stack
	return nil
}

// Finalize puts the scripts of a finished transaction into the packet, so that
// its reader can extract and send the transaction. It must be the packet's own,
// and verified: every signature in it is SIGHASH_ALL.
func (p *Packet) Finalize(final *wire.MsgTx) error {
	bare := final.Copy()
	for _, in := range bare.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	if bare.TxHash() != p.UnsignedID() {
		return fmt.Errorf("psbt: finalize: the transaction is another one")
	}
	for i, in := range final.TxIn {
		p.raw.Inputs[i].FinalScriptSig, p.raw.Inputs[i].FinalScriptWitness = nil, nil
		if len(in.SignatureScript) > 0 {
			p.raw.Inputs[i].FinalScriptSig = in.SignatureScript
		}
		if len(in.Witness) > 0 {
			var b bytes.Buffer
			if err := psbt.WriteTxWitness(&b, in.Witness); err != nil {
				return fmt.Errorf("psbt: finalize: %w", err)
			}
			p.raw.Inputs[i].FinalScriptWitness = b.Bytes()
		}
	}
	p.final = true
	return nil
}
