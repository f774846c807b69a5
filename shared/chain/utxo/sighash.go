package utxo

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Digester computes what each input's signature signs, sharing between the
// inputs of one transaction whatever they have in common. It is safe for
// concurrent use.
type Digester struct {
	tx     *Tx
	spent  func() txscript.PrevOutputFetcher
	segwit func() *txscript.TxSigHashes
	legacy func() *legacyHashes
}

// Digester prepares the signature hashes of t.
func (t *Tx) Digester() *Digester {
	spent := sync.OnceValue(t.prevOuts)
	return &Digester{
		tx:     t,
		spent:  spent,
		segwit: sync.OnceValue(func() *txscript.TxSigHashes { return txscript.NewTxSigHashes(t.msg, spent()) }),
		legacy: sync.OnceValue(func() *legacyHashes { return newLegacyHashes(t.msg) }),
	}
}

// Digest is the 32-byte hash that input i signs, always for SIGHASH_ALL (for
// taproot SIGHASH_DEFAULT, which commits to the same). pubKeyHash is the key's
// hash160, needed where the scriptPubKey (P2SH) does not hold it.
func (d *Digester) Digest(i int, pubKeyHash []byte) ([]byte, error) {
	spent := d.tx.spent[i]
	if d.tx.params.ForkID {
		return txscript.CalcWitnessSigHash(spent.Script, d.segwit(), sigHashForkID, d.tx.msg, i, spent.Value)
	}
	switch kind := d.tx.params.KindOf(spent.Script); kind {
	case P2PK, P2PKH:
		return d.legacy().digest(i, spent.Script), nil
	case P2WPKH:
		return txscript.CalcWitnessSigHash(spent.Script, d.segwit(), txscript.SigHashAll, d.tx.msg, i, spent.Value)
	case P2SH:
		return txscript.CalcWitnessSigHash(witnessProgram(pubKeyHash), d.segwit(), txscript.SigHashAll, d.tx.msg, i, spent.Value)
	case P2TR:
		return txscript.CalcTaprootSignatureHash(d.segwit(), txscript.SigHashDefault, d.tx.msg, i, d.spent())
	default:
		return nil, fmt.Errorf("utxo: no signature hash for a %s input", kind)
	}
}

// witnessProgram is the P2WPKH program of a public key's hash160, which is
// also the redeem script of P2SH-P2WPKH (BIP 141).
func witnessProgram(pubKeyHash []byte) []byte {
	return append([]byte{txscript.OP_0, byte(len(pubKeyHash))}, pubKeyHash...)
}

// legacyHashes computes the original signature hash for SIGHASH_ALL. The
// message of input i is the transaction with every scriptSig empty but that
// of i, so inputs share the SHA-256 state of everything before i and the
// bytes of everything after it. The plain way serialises and hashes the whole
// transaction again for each input.
type legacyHashes struct {
	msg    *wire.MsgTx
	before []hash.Hash // SHA-256 after version, count and the inputs before i
	after  []byte      // all inputs with empty scripts, outputs, lock time, hash type
}

const emptyInput = chainhash.HashSize + 4 + 1 + 4 // outpoint, empty script, sequence

func newLegacyHashes(msg *wire.MsgTx) *legacyHashes {
	l := &legacyHashes{msg: msg, before: make([]hash.Hash, len(msg.TxIn))}
	plain := serialize(msg)
	start := 4 + wire.VarIntSerializeSize(uint64(len(msg.TxIn)))
	running := sha256.New()
	running.Write(plain[:start])
	l.after = binary.LittleEndian.AppendUint32(plain[start:], uint32(txscript.SigHashAll))
	for i := range msg.TxIn {
		l.before[i] = clone(running)
		running.Write(l.after[i*emptyInput : (i+1)*emptyInput])
	}
	return l
}

func (l *legacyHashes) digest(i int, script []byte) []byte {
	h := clone(l.before[i])
	input := l.after[i*emptyInput:]
	h.Write(input[:chainhash.HashSize+4])
	h.Write(compactSize(len(script)))
	h.Write(script)
	h.Write(input[chainhash.HashSize+4+1:])
	first := h.Sum(nil)
	second := sha256.Sum256(first)
	return second[:]
}

func clone(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic("utxo: SHA-256 state does not clone: " + err.Error())
	}
	return c
}

func compactSize(n int) []byte {
	switch {
	case n < 0xfd:
		return []byte{byte(n)}
	case n <= 0xffff:
		return binary.LittleEndian.AppendUint16([]byte{0xfd}, uint16(n))
	}
	return binary.LittleEndian.AppendUint32([]byte{0xfe}, uint32(n))
}
