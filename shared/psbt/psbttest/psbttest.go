// Package psbttest is another signer: btcd's own PSBT and script code with one
// raw key and none of ours, for tests that want a PSBT signed by a stranger.
// What goes wrong in it panics.
package psbttest

import (
	"bytes"
	"encoding/hex"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Signer signs every input that spends from its key.
type Signer struct {
	Key     *btcec.PrivateKey
	Type    txscript.SigHashType // 0: SIGHASH_ALL, for taproot SIGHASH_DEFAULT
	Partial bool                 // leave it to the reader to finalise
	Only    int                  // sign so many inputs; 0: all
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Read returns the library's view of a PSBT.
func Read(file []byte) *psbt.Packet {
	return must(psbt.NewFromRawBytes(bytes.NewReader(file), false))
}

// Write serialises it.
func Write(p *psbt.Packet) []byte {
	var b bytes.Buffer
	if err := p.Serialize(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Change returns a PSBT with something changed.
func Change(file []byte, change func(*psbt.Packet)) []byte {
	p := Read(file)
	change(p)
	return Write(p)
}

// Sign returns the signed PSBT.
func (s Signer) Sign(file []byte) []byte {
	p := Read(file)
	for i := range p.Inputs {
		if s.Only == 0 || i < s.Only {
			s.input(p, i)
		}
	}
	if !s.Partial {
		if err := psbt.MaybeFinalizeAll(p); err != nil {
			panic(err)
		}
	}
	return Write(p)
}

// Extract returns the finished transaction of a finalised PSBT.
func Extract(file []byte) *wire.MsgTx { return must(psbt.Extract(Read(file))) }

// Hex serialises a transaction.
func Hex(tx *wire.MsgTx) string {
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b.Bytes())
}

func spent(p *psbt.Packet, i int) *wire.TxOut {
	if p.Inputs[i].WitnessUtxo != nil {
		return p.Inputs[i].WitnessUtxo
	}
	return p.Inputs[i].NonWitnessUtxo.TxOut[p.UnsignedTx.TxIn[i].PreviousOutPoint.Index]
}

func (s Signer) input(p *psbt.Packet, i int) {
	outs := make(map[wire.OutPoint]*wire.TxOut)
	for k, in := range p.UnsignedTx.TxIn {
		outs[in.PreviousOutPoint] = spent(p, k)
	}
	fetcher := txscript.NewMultiPrevOutFetcher(outs)
	hashes := txscript.NewTxSigHashes(p.UnsignedTx, fetcher)
	in, out := &p.Inputs[i], spent(p, i)
	kind := s.Type
	if kind == 0 && !txscript.IsPayToTaproot(out.PkScript) {
		kind = txscript.SigHashAll
	}
	public := s.Key.PubKey().SerializeCompressed()
	script := out.PkScript
	switch {
	case txscript.IsPayToTaproot(script):
		in.TaprootKeySpendSig = must(txscript.RawTxInTaprootSignature(p.UnsignedTx, hashes, i, out.Value, script, nil, kind, s.Key))
		return
	case txscript.IsPayToScriptHash(script):
		script = in.RedeemScript
		fallthrough
	case txscript.IsPayToWitnessPubKeyHash(script):
		program := must(txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(btcaddr.Hash160(public)).Script())
		if !bytes.Equal(script, program) {
			return // not ours
		}
		sig := must(txscript.RawTxInWitnessSignature(p.UnsignedTx, hashes, i, out.Value, script, kind, s.Key))
		in.PartialSigs = append(in.PartialSigs, &psbt.PartialSig{PubKey: public, Signature: sig})
	default:
		sig := must(txscript.RawTxInSignature(p.UnsignedTx, i, script, kind, s.Key))
		in.PartialSigs = append(in.PartialSigs, &psbt.PartialSig{PubKey: public, Signature: sig})
	}
	if s.Type != 0 {
		in.SighashType = kind
	}
}

// Scripts returns what a key can be paid to: P2PKH, P2WPKH, P2SH-P2WPKH, P2PK,
// P2TR.
func Scripts(key *btcec.PublicKey) [][]byte {
	public := key.SerializeCompressed()
	hash := btcaddr.Hash160(public)
	b := txscript.NewScriptBuilder
	program := must(b().AddOp(txscript.OP_0).AddData(hash).Script())
	return [][]byte{
		must(b().AddOp(txscript.OP_DUP).AddOp(txscript.OP_HASH160).AddData(hash).AddOp(txscript.OP_EQUALVERIFY).AddOp(txscript.OP_CHECKSIG).Script()),
		program,
		must(b().AddOp(txscript.OP_HASH160).AddData(btcaddr.Hash160(program)).AddOp(txscript.OP_EQUAL).Script()),
		must(b().AddData(public).AddOp(txscript.OP_CHECKSIG).Script()),
		must(txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(key))),
	}
}
