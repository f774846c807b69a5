package utxo

import (
	"bytes"
	"fmt"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// Unsigned returns a copy of the transaction without signatures.
func (t *Tx) Unsigned() *wire.MsgTx { return t.msg.Copy() }

// Adopt is Finalize for a transaction that another signer finished: its
// scripts and witnesses are taken if it is this transaction in everything
// else, each input is signed in the one form that its output has, for
// everything (SIGHASH_ALL, for taproot also SIGHASH_DEFAULT), and every script
// runs. Errors are refusals: UnsupportedChain for Bitcoin Cash, ContentChanged
// for another transaction, SighashNotAll, Incomplete.
func (t *Tx) Adopt(final *wire.MsgTx) (Final, error) {
	if t.params.ForkID {
		return Final{}, chain.Refuse(chain.UnsupportedChain, "%s: only transactions that kms-offline signed are taken", t.params.Chain)
	}
	bare := final.Copy()
	for _, in := range bare.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	if !bytes.Equal(serialize(bare), t.unsigned) {
		return Final{}, chain.Refuse(chain.ContentChanged, "what was signed is another transaction (%s, not %s)", bare.TxHash(), t.UnsignedID())
	}
	msg := t.msg.Copy()
	for i, in := range final.TxIn {
		if err := t.checkForm(i, in); err != nil {
			return Final{}, err
		}
		msg.TxIn[i].SignatureScript, msg.TxIn[i].Witness = in.SignatureScript, in.Witness
	}
	if err := t.run(msg); err != nil {
		return Final{}, err
	}
	var raw bytes.Buffer
	if err := msg.Serialize(&raw); err != nil {
		return Final{}, fmt.Errorf("utxo: serialise: %w", err)
	}
	return Final{Raw: raw.Bytes(), TxID: msg.TxHash().String()}, nil
}

// checkForm looks whether an input is signed as its output wants it, with
// nothing beside that, and for everything.
func (t *Tx) checkForm(i int, in *wire.TxIn) error {
	if len(in.SignatureScript) == 0 && len(in.Witness) == 0 {
		return chain.Refuse(chain.Incomplete, "input %d of %d is not signed yet", i+1, len(t.spent))
	}
	kind := t.params.KindOf(t.spent[i].Script)
	signature, ok := signatureIn(kind, in)
	switch {
	case !ok || !t.params.Signable(kind):
		return chain.Refuse(chain.Incomplete, "input %d is not signed in the form of a %s output", i, kind)
	case kind == P2TR && len(signature) == schnorrLen: // SIGHASH_DEFAULT
	case signature[len(signature)-1] != byte(txscript.SigHashAll):
		return chain.Refuse(chain.SighashNotAll, "input %d is signed with hash type %#02x, which does not cover everything", i, signature[len(signature)-1])
	}
	return nil
}

// signatureIn finds the signature of an input, which must be of its kind's
// one form. Whether it is a signature at all is for the interpreter.
func signatureIn(kind Kind, in *wire.TxIn) (signature []byte, ok bool) {
	pushes, canonical := readPushes(in.SignatureScript)
	script, witness := len(pushes), len(in.Witness)
	switch {
	case !canonical:
		return nil, false
	case kind == P2PK && script == 1 && witness == 0, kind == P2PKH && script == 2 && witness == 0:
		signature = pushes[0]
	case kind == P2WPKH && script == 0 && witness == 2, kind == P2SH && script == 1 && witness == 2:
		signature = in.Witness[0]
	case kind == P2TR && script == 0 && witness == 1:
		signature = in.Witness[0]
		return signature, len(signature) == schnorrLen || len(signature) == schnorrLen+1
	}
	return signature, len(signature) > 0
}

// readPushes splits a script of shortest pushes of 1 to 75 bytes.
func readPushes(script []byte) (pushes [][]byte, ok bool) {
	for len(script) > 0 {
		n := int(script[0])
		if n < 1 || n > txscript.OP_DATA_75 || n >= len(script) {
			return nil, false
		}
		pushes, script = append(pushes, script[1:1+n]), script[1+n:]
	}
	return pushes, true
}
