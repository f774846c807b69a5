package utxo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/parallel"
)

// A signature of one input, as it travels:
//
//	P2PKH, P2WPKH, P2PK  65 bytes: recovery header (27 … 34), r, s. The public
//	                     key is recovered from it, so it does not travel.
//	P2SH-P2WPKH          the same and the 33-byte public key, without which
//	                     the hash that was signed is not known.
//	P2TR key path        64 bytes (BIP 340).
//	Bitcoin Cash P2PKH   64 bytes (Schnorr of 2019) and the public key, 33 or 65 bytes.
const (
	compactLen = 65
	schnorrLen = 64
	pubKeyLen  = 33

	uncompressedLen = 65
)

// Final is a finished transaction whose every script has been run.
type Final struct {
	Raw  []byte // with witness, as it is broadcast
	TxID string
}

// Finalize puts one signature an input in place and runs every script with
// the interpreter's standard flags. A missing, foreign or wrong signature is
// a refusal with code Incomplete.
func (t *Tx) Finalize(signatures [][]byte) (Final, error) {
	return t.FinalizeWith(signatures, make([][]byte, len(signatures)))
}

// FinalizeWith is Finalize for who knows the public keys, one an input, and so
// need not recover them. They are believed no more than recovered ones: every
// script is run.
func (t *Tx) FinalizeWith(signatures, public [][]byte) (Final, error) {
	if len(signatures) != len(t.spent) || len(public) != len(t.spent) {
		return Final{}, chain.Refuse(chain.Incomplete, "%d signatures for %d inputs", len(signatures), len(t.spent))
	}
	msg := t.msg.Copy()
	digests := t.Digester()
	for i, sig := range signatures {
		if err := t.place(msg.TxIn[i], i, signature{sig, public[i], digests}); err != nil {
			return Final{}, chain.Refuse(chain.Incomplete, "input %d: %v", i, err)
		}
	}
	if err := t.run(msg); err != nil {
		return Final{}, err
	}
	var raw bytes.Buffer
	raw.Grow(msg.SerializeSize())
	if err := msg.Serialize(&raw); err != nil {
		return Final{}, fmt.Errorf("utxo: serialise: %w", err)
	}
	return Final{Raw: raw.Bytes(), TxID: msg.TxHash().String()}, nil
}

// Hex returns the finished transaction as it is sent to a node.
func (f Final) Hex() string { return hex.EncodeToString(f.Raw) }

var (
	errSigForm  = errors.New("signature is not of the form that its input needs")
	errOtherKey = errors.New("signature is by another key")
)

// signature is what is put in place: the bytes as they travel and, where it is
// known, the public key.
type signature struct {
	bytes, public []byte
	digests       *Digester
}

func (t *Tx) place(in *wire.TxIn, i int, sig signature) error {
	script := t.spent[i].Script
	kind := t.params.KindOf(script)
	switch {
	case t.params.ForkID && kind == P2PKH:
		return placeForkID(in, sig.bytes, script)
	case !t.params.Signable(kind):
		return errSigForm
	case kind == P2TR:
		if len(sig.bytes) != schnorrLen {
			return errSigForm
		}
		in.Witness = wire.TxWitness{sig.bytes}
		return nil
	case kind == P2SH:
		return placeNested(in, i, sig, script)
	}
	der, pubKey, err := sig.expand(i, nil)
	if err != nil {
		return err
	}
	switch kind {
	case P2PK:
		in.SignatureScript = push(der)
		return nil
	case P2PKH:
		if !bytes.Equal(btcaddr.Hash160(pubKey), script[3:23]) {
			return errOtherKey
		}
		in.SignatureScript = append(push(der), push(pubKey)...)
		return nil
	case P2WPKH:
		in.Witness = wire.TxWitness{der, pubKey}
		return nil
	}
	return errSigForm
}

func placeNested(in *wire.TxIn, i int, sig signature, script []byte) error {
	if len(sig.bytes) != compactLen+pubKeyLen {
		return errSigForm
	}
	pubKey := sig.bytes[compactLen:]
	sig.bytes = sig.bytes[:compactLen]
	program := witnessProgram(btcaddr.Hash160(pubKey))
	if !bytes.Equal(btcaddr.Hash160(program), script[2:22]) {
		return errOtherKey
	}
	der, recovered, err := sig.expand(i, program[2:])
	if err != nil {
		return err
	}
	if !bytes.Equal(recovered, pubKey) {
		return errOtherKey
	}
	in.SignatureScript = push(program)
	in.Witness = wire.TxWitness{der, pubKey}
	return nil
}

// expand turns a compact signature into the DER form with its hash type, and
// gives the public key, which is recovered where it is not known.
func (s signature) expand(i int, pubKeyHash []byte) (der, public []byte, err error) {
	if der, err = compactToDER(s.bytes); err != nil {
		return nil, nil, err
	}
	if s.public != nil {
		return der, s.public, nil
	}
	digest, err := s.digests.Digest(i, pubKeyHash)
	if err != nil {
		return nil, nil, err
	}
	public, err = recoverKey(s.bytes, digest)
	return der, public, err
}

// compactToDER rewrites r and s. A high s, which is the other form of the
// same signature, is refused: the encoder would quietly mend it.
func compactToDER(compact []byte) ([]byte, error) {
	var r, s btcec.ModNScalar
	if len(compact) != compactLen || r.SetByteSlice(compact[1:33]) || s.SetByteSlice(compact[33:]) || s.IsOverHalfOrder() {
		return nil, errSigForm
	}
	return append(ecdsa.NewSignature(&r, &s).Serialize(), byte(txscript.SigHashAll)), nil
}

// recoverKey finds the public key that a compact signature is by (SEC 1,
// section 4.1.6).
func recoverKey(compact, digest []byte) ([]byte, error) {
	key, compressed, err := ecdsa.RecoverCompact(compact, digest)
	if err != nil {
		return nil, fmt.Errorf("signature does not lead to a key: %w", err)
	}
	if compressed {
		return key.SerializeCompressed(), nil
	}
	return key.SerializeUncompressed(), nil
}

// push is the shortest push of up to 75 bytes.
func push(data []byte) []byte { return append([]byte{byte(len(data))}, data...) }

// run executes every input's scripts as a node with standard policy would. A
// transaction of many inputs is run on all cores.
func (t *Tx) run(msg *wire.MsgTx) error {
	check := t.checker(msg)
	failures := make([]error, len(t.spent))
	one := func(i int) { failures[i] = check(i) }
	if len(t.spent) < manyInputs {
		for i := range t.spent {
			one(i)
		}
	} else {
		parallel.Each(len(t.spent), one)
	}
	for i, err := range failures {
		if err != nil {
			return chain.Refuse(chain.Incomplete, "input %d does not verify: %v", i, err)
		}
	}
	return nil
}

// manyInputs is from where on several cores are worth their start.
const manyInputs = 16

// checker returns the function that runs the scripts of one input.
func (t *Tx) checker(msg *wire.MsgTx) func(i int) error {
	if t.params.ForkID {
		digests := t.Digester()
		return func(i int) error { return t.runForkID(i, msg.TxIn[i], digests) }
	}
	fetcher := t.prevOuts()
	hashes := txscript.NewTxSigHashes(msg, fetcher)
	return func(i int) error {
		s := t.spent[i]
		engine, err := txscript.NewEngine(s.Script, msg, i, txscript.StandardVerifyFlags, nil, hashes, s.Value, fetcher)
		if err != nil {
			return err
		}
		return engine.Execute()
	}
}
