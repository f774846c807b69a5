// Package psbt reads and writes partially signed Bitcoin transactions
// (BIP 174, with the taproot fields of BIP 371), so that another signer can
// stand in for kms-offline, and kms-offline for another.
//
// It is a thin layer over btcd's library, which accepts more than it should:
// values with something behind their content (btcd issue 2424), key types cut
// to one byte, and a few inputs on which it panics. Here every file is walked
// first, within limits, and what the library understood is written again and
// compared, pair by pair. What differs is refused.
//
// Not read, though BIP 174 allows it: a transaction without inputs; an
// unsigned transaction that is not the first pair; types of keys above 252;
// more than 256 pairs in one map; a witness_utxo whose script is longer than
// 252 bytes. Nothing that could be signed here needs them. PSBT version 2
// (BIP 370) is read as the version 0 that says the same.
//
// Bitcoin Cash is not for PSBT: its signatures commit to amounts by rules that
// no PSBT field announces.
package psbt

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/psbt/v2"

	"coldkms/shared/chain"
)

// MaxFile bounds a PSBT in bytes. Each input carries its whole previous
// transaction.
const MaxFile = 32 << 20

// ErrInvalid is in the chain of every error about a file that is no PSBT.
var ErrInvalid = errors.New("not a valid PSBT")

const magic = "psbt\xff"

func isBinary(file []byte) bool { return bytes.HasPrefix(file, []byte(magic)) }

// A Packet is a decoded PSBT.
type Packet struct {
	raw *psbt.Packet
	v2  *fields2 // what version 0 has no place for; nil if the file is of version 0

	mweb  bool // a previous transaction had a part that only Litecoin's have
	final bool // it has the scripts of a finished transaction, whose signatures are all SIGHASH_ALL
}

// Decode reads a PSBT in any form that Is knows. Errors have ErrInvalid in their
// chain.
func Decode(file []byte) (*Packet, error) {
	b, err := binaryOf(file)
	if err != nil {
		return nil, err
	}
	maps, v2, err := walk(b)
	if err != nil {
		return nil, err
	}
	raw, err := psbt.NewFromRawBytes(bytes.NewReader(maps.write()), false)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	p := &Packet{raw: raw, v2: v2, mweb: maps.mweb}
	again, err := p.encode0()
	if err != nil {
		return nil, err
	}
	understood, _, err := walk(again)
	if err != nil {
		return nil, err
	}
	if err := maps.equal(understood); err != nil {
		return nil, err
	}
	return p, nil
}

// UnsignedID is the txid of the transaction without any signature. It stands
// for everything but the signatures.
func (p *Packet) UnsignedID() chainhash.Hash { return p.raw.UnsignedTx.TxHash() }

// Check returns why a PSBT cannot be read, or nil.
func Check(file []byte) error {
	_, err := Decode(file)
	return err
}

// Encode writes the binary form, in the version that was read.
func (p *Packet) Encode() ([]byte, error) {
	b, err := p.encode0()
	if err != nil || p.v2 == nil {
		return b, err
	}
	m, _, err := walk(b)
	if err != nil {
		return nil, fmt.Errorf("psbt: encode: %w", err)
	}
	return p.v2.raise(m, p.cleared()).write(), nil
}

// cleared returns the flags that are not set in what is written: nothing may be
// changed once it is signed, and a finished transaction has no SIGHASH_SINGLE.
func (p *Packet) cleared() byte {
	switch {
	case p.final:
		return inputsModifiable | outputsModifiable | hasSingle
	case !p.Unsigned():
		return inputsModifiable | outputsModifiable
	}
	return 0
}

// FitsChain returns a refusal of a chain that the file cannot be for: its previous
// transactions say what the transaction itself does not.
func (p *Packet) FitsChain(id chain.ID) error {
	if p.mweb && id != chain.LTC {
		return chain.Refuse(chain.Malformed,
			"a previous transaction has an MWEB part, which only Litecoin's have, and it is signed for %s", id)
	}
	return nil
}

// encode0 writes version 0.
func (p *Packet) encode0() ([]byte, error) {
	var b bytes.Buffer
	if err := p.raw.Serialize(&b); err != nil {
		return nil, fmt.Errorf("psbt: encode: %w", err)
	}
	return b.Bytes(), nil
}
