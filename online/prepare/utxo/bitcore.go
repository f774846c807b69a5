package utxo

import (
	"encoding/hex"
	"math"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// parseBitcore reads bitcore's JSON of a transaction, which Tatum uses for
// BTC, LTC and DOGE. changeScript, changeIndex and fee are what the maker of
// the transaction says of it; the signer works them out itself, so they are
// left here, as is every unknown field.
func parseBitcore(text string) (parsed, error) {
	o, err := readObject("transaction", []byte(text))
	if err != nil {
		return parsed{}, err
	}
	p := parsed{msg: &wire.MsgTx{}}
	p.hash = o.optionalText("hash")
	p.msg.Version = int32(o.integer("version", math.MaxInt32))
	p.msg.LockTime = uint32(o.integer("nLockTime", math.MaxUint32))
	inputs, outputs := o.list("inputs"), o.list("outputs")
	if o.err != nil {
		return parsed{}, o.err
	}
	for i, raw := range inputs {
		in, claim, err := bitcoreInput(i, raw)
		if err != nil {
			return parsed{}, err
		}
		p.msg.TxIn = append(p.msg.TxIn, in)
		p.claims = append(p.claims, claim)
	}
	for i, raw := range outputs {
		out, err := bitcoreOutput(at("output", i), raw)
		if err != nil {
			return parsed{}, err
		}
		p.msg.TxOut = append(p.msg.TxOut, out)
	}
	return p, nil
}

func bitcoreInput(i int, raw []byte) (*wire.TxIn, utxo.Claim, error) {
	o, err := readObject(at("input", i), raw)
	if err != nil {
		return nil, utxo.Claim{}, err
	}
	// A script that is there already would be signed around, and even
	// rubbish kept (bitcore-lib 10.8.0): whoever wrote it, it is not ours.
	for _, name := range [...]string{"script", "scriptString", "witness", "witnesses", "scriptWitness"} {
		if !o.blank(name) {
			return nil, utxo.Claim{}, chain.Refuse(chain.ForeignScript, "input %d carries a %s already", i, name)
		}
	}
	in := &wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Hash: o.txid("prevTxId"), Index: uint32(o.integer("outputIndex", math.MaxUint32))},
		Sequence:         uint32(o.integer("sequenceNumber", math.MaxUint32)),
	}
	output := o.take("output")
	if o.err != nil {
		return nil, utxo.Claim{}, o.err
	}
	out, err := bitcoreOutput(at("input", i)+", output", output)
	if err != nil {
		return nil, utxo.Claim{}, err
	}
	return in, utxo.Claim{Value: out.Value, Script: out.PkScript}, nil
}

func bitcoreOutput(where string, raw []byte) (*wire.TxOut, error) {
	o, err := readObject(where, raw)
	if err != nil {
		return nil, err
	}
	out := &wire.TxOut{Value: o.integer("satoshis", math.MaxInt64), PkScript: o.script("script")}
	return out, o.err
}

// txid reads a transaction id: 64 hex digits, in the order in which they are
// written for people.
func (o *object) txid(name string) chainhash.Hash {
	s := o.text(name)
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != chainhash.HashSize {
		o.fail("%s: %.80q is not a transaction id", name, s)
		return chainhash.Hash{}
	}
	id, _ := chainhash.NewHashFromStr(s)
	return *id
}

// script reads a script in hex. bitcore also takes a text form of its own;
// two forms of one thing are one too many, and Tatum writes hex.
func (o *object) script(name string) []byte {
	s := o.text(name)
	b, err := hex.DecodeString(s)
	if err != nil {
		o.fail("%s: %.80q is not hex (bitcore's text form of a script is not accepted)", name, s)
		return nil
	}
	return b
}
