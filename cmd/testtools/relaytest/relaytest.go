// Package relaytest has a signer and payments in memory, for tests that need
// signed Results and no kms-offline. What goes wrong in it panics.
package relaytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/prepare"
	prepareutxo "coldkms/online/prepare/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// SignatureID names the one key of a Signer.
const SignatureID = "a2a2c281-fa8f-44fe-944f-7bb2f06f65fb"

// Families are those that the relay's main lists.
func Families() prepare.Families { return prepare.Families{prepareutxo.New()} }

// Signer stands in for kms-offline: it signs whatever it is given.
type Signer struct {
	Identity   identity.Private
	Coin       *btcec.PrivateKey
	Lines      uint64 // of its ledger
	OtherNonce bool   // signs validly, and not as RFC 6979 does
}

// NewSigner makes a signer. All have the same key of coins, and the identity
// that n says.
func NewSigner(n byte) *Signer {
	coin, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	return &Signer{Identity: must(identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))), Coin: coin}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Watch is the signer's watch file: its key on BTC testnet, and an entry of
// a chain that is not built.
func (s *Signer) Watch(created int64) []byte {
	return must(bundle.SealWatch(bundle.Watch{Created: created, Entries: []bundle.WatchEntry{
		{SignatureID: SignatureID, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
			PubKey: s.Coin.PubKey().SerializeCompressed()},
		{SignatureID: "eth-entry", Coin: chain.Coin{Chain: "ETH", Network: chain.Testnet}},
	}}, s.Identity)).File
}

// Sign answers a Request. change, if given, may alter the Result before it is
// sealed.
func (s *Signer) Sign(req bundle.SealedRequest, change func(*bundle.Result)) []byte {
	table := must(utxo.NewTable(req.Attached(utxo.Name)))
	s.Lines++
	res := bundle.Result{Request: req.Digest, LedgerHead: bytes.Repeat([]byte{byte(s.Lines)}, 32), LedgerLen: s.Lines}
	for _, it := range req.Items {
		tx := must(utxo.Decode(it.Coin, it.Tx, it.Context, table))
		o := bundle.Outcome{ID: it.ID}
		digests := tx.Digester()
		for i := range tx.Spent() {
			o.Signatures = append(o.Signatures, s.signature(must(digests.Digest(i, nil))))
		}
		res.Outcomes = append(res.Outcomes, o)
	}
	if change != nil {
		change(&res)
	}
	return must(bundle.SealResult(res, s.Identity)).File
}

// Refuse makes a Result refuse one item.
func Refuse(id string, code chain.Code) func(*bundle.Result) {
	return func(r *bundle.Result) {
		for i := range r.Outcomes {
			if r.Outcomes[i].ID == id {
				r.Outcomes[i] = bundle.Outcome{ID: id, Code: code, Reason: "because"}
			}
		}
	}
}

func (s *Signer) signature(digest []byte) []byte {
	if !s.OtherNonce {
		return ecdsa.SignCompact(s.Coin, digest, true)
	}
	// Any nonce is a valid one; the recovery code is found by trying.
	var e, r, sum btcec.ModNScalar
	e.SetByteSlice(digest)
	k := new(btcec.ModNScalar).SetInt(12345)
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	x := point.X.Bytes()
	r.SetByteSlice(x[:])
	sum.Mul2(&r, &s.Coin.Key).Add(&e).Mul(k.InverseNonConst())
	if sum.IsOverHalfOrder() {
		sum.Negate()
	}
	rb, sb := r.Bytes(), sum.Bytes()
	for code := byte(31); code < 35; code++ {
		sig := append(append([]byte{code}, rb[:]...), sb[:]...)
		if key, _, err := ecdsa.RecoverCompact(sig, digest); err == nil && key.IsEqual(s.Coin.PubKey()) {
			return sig
		}
	}
	panic("no recovery code fits")
}

func (s *Signer) script() []byte {
	return append([]byte{0x00, 0x14}, btcaddr.Hash160(s.Coin.PubKey().SerializeCompressed())...)
}

// Funding is a transaction, with a witness, whose output 1 pays 100,000 to
// the signer's key.
func (s *Signer) Funding(n int) *wire.MsgTx {
	prev := wire.NewMsgTx(2)
	from := sha256.Sum256(fmt.Appendf(nil, "funding %d", n))
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash(from)},
		Witness: wire.TxWitness{{1, 2, 3}}})
	prev.AddTxOut(wire.NewTxOut(int64(n), []byte{0x51}))
	prev.AddTxOut(wire.NewTxOut(100_000, s.script()))
	return prev
}

// Rival is a signed transaction that spends output 1 of a Funding to scripts
// of its own, as another wallet with the same key makes it.
func (s *Signer) Rival(prev *wire.MsgTx, scripts ...[]byte) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	prevID := prev.TxHash()
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&prevID, 1), nil, nil))
	for _, script := range scripts {
		tx.AddTxOut(wire.NewTxOut(90_000/int64(len(scripts)), script))
	}
	out := prev.TxOut[1]
	hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(out.PkScript, out.Value))
	tx.TxIn[0].Witness = must(txscript.WitnessSignature(tx, hashes, 0, out.Value, out.PkScript, txscript.SigHashAll,
		s.Coin, true))
	return tx
}

// Payee is the script that payment number n pays to.
func Payee(n int) []byte {
	to := sha256.Sum256(fmt.Appendf(nil, "payee %d", n))
	return append([]byte{0x00, 0x14}, to[:20]...)
}

// ID is a pending id.
func ID(n int) string { return fmt.Sprintf("%024x", n) }

// Payment is a pending transaction, as Tatum returns it, that spends output 1
// of a Funding. change, if given, may alter it.
func (s *Signer) Payment(n int, prev *wire.MsgTx, change func(map[string]any)) []byte {
	return s.payment(n, prev, change, wire.NewTxOut(99_000, Payee(n)))
}

// PaymentOf is a Payment of some amount.
func (s *Signer) PaymentOf(n int, prev *wire.MsgTx, value int64) []byte {
	return s.payment(n, prev, nil, wire.NewTxOut(value, Payee(n)))
}

// PaymentWithChange is a Payment whose output 1 pays back to the signer's key.
func (s *Signer) PaymentWithChange(n int, prev *wire.MsgTx, change func(map[string]any)) []byte {
	return s.payment(n, prev, change, wire.NewTxOut(49_000, Payee(n)), wire.NewTxOut(50_000, s.script()))
}

func (s *Signer) payment(n int, prev *wire.MsgTx, change func(map[string]any), outs ...*wire.TxOut) []byte {
	tx := wire.NewMsgTx(2)
	prevID := prev.TxHash()
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&prevID, 1), nil, nil))
	tx.TxOut = outs
	outputs := []any{}
	for _, out := range outs {
		outputs = append(outputs, map[string]any{"satoshis": out.Value, "script": hex.EncodeToString(out.PkScript)})
	}
	body := map[string]any{
		"hash": tx.TxHash().String(), "version": 2, "nLockTime": 0,
		"inputs": []any{map[string]any{
			"prevTxId": prevID.String(), "outputIndex": 1, "sequenceNumber": uint32(wire.MaxTxInSequenceNum), "script": "", "scriptString": "",
			"output": map[string]any{"satoshis": prev.TxOut[1].Value, "script": hex.EncodeToString(s.script())},
		}},
		"outputs": outputs,
	}
	p := map[string]any{
		"id": ID(n), "chain": "BTC", "hashes": []string{SignatureID}, "index": nil, "withdrawalId": nil, "withdrawalResponses": nil,
		"serializedTransaction": string(must(json.Marshal(body))),
	}
	if change != nil {
		change(p)
	}
	return must(json.Marshal(p))
}

// Hex serialises a transaction with its witness.
func Hex(tx *wire.MsgTx) string {
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b.Bytes())
}
