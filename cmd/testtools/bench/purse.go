//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
)

// purse is a wallet with one key and previous transactions that pay to it.
type purse struct {
	wallet *wallet.Wallet
	dir    string
	script []byte
	prevs  int
}

const (
	keyID  = "b8eb99cd-ba04-4031-a65f-11d6420ebdd1"
	amount = 100_000
	fee    = 900 // of each input: 600 of them stay below the policy's cap
)

// cheap is a password derivation that costs nothing: here other things are
// measured, and the wallet's own row uses the real one.
func cheap() wallet.Cost { return wallet.Cost{Memory: 64, Passes: 1, Lanes: 1} }

func newPurse() *purse {
	dir, err := os.MkdirTemp("", "coldkms-bench-")
	if err != nil {
		panic(err)
	}
	store := wallet.Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.Reader, Cost: cheap()}
	w, err := store.New(dir+"/wallet.kms", []byte("pw"))
	if err != nil {
		panic(err)
	}
	secret := bytes.Repeat([]byte{7}, 32)
	e, err := wallet.FromKey(keyID, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), secret, true, time.Unix(0, 0))
	if err != nil {
		panic(err)
	}
	if err := w.Add(e); err != nil {
		panic(err)
	}
	hash := btcaddr.Hash160(e.Public)
	script := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...)
	return &purse{wallet: w, dir: dir, script: append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)}
}

// close removes what was made.
func (p *purse) close() {
	p.wallet.Close()
	_ = os.RemoveAll(p.dir)
}

// previous is the n-th transaction that pays to the key: two outputs, one
// input with a signature's length of script, as most are.
func (p *purse) previous(n int) *wire.MsgTx {
	script := make([]byte, 107) // as hard to compress as a signature
	for i := 0; i < len(script); i += sha256.Size {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", n, i))
		copy(script[i:], sum[:])
	}
	in := &wire.TxIn{Sequence: uint32(n), SignatureScript: script}
	return &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{in},
		TxOut: []*wire.TxOut{{Value: amount, PkScript: p.script}, {Value: 12_345, PkScript: p.script}}}
}

// item is a payment with so many inputs, and its previous transactions.
func (p *purse) item(number, inputs int) (bundle.Item, [][]byte) {
	msg := &wire.MsgTx{Version: 2}
	var raws [][]byte
	at := make(map[chainhash.Hash]int)
	for range inputs {
		prev := p.previous(p.prevs)
		p.prevs++
		var raw bytes.Buffer
		if err := prev.SerializeNoWitness(&raw); err != nil {
			panic(err)
		}
		id := prev.TxHash()
		at[id] = len(raws)
		raws = append(raws, raw.Bytes())
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: id}, Sequence: wire.MaxTxInSequenceNum})
	}
	to := btcaddr.Hash160(fmt.Appendf(nil, "payee %d", number))
	msg.TxOut = []*wire.TxOut{
		{Value: int64(inputs)*(amount-fee) - 30_000, PkScript: append([]byte{txscript.OP_0, 20}, to...)},
		{Value: 30_000, PkScript: p.script},
	}
	tx, context := chainutxo.Encode(msg, func(id chainhash.Hash) int { return at[id] }, nil)
	return bundle.Item{
		ID: fmt.Sprintf("%024x", number), Family: chainutxo.Name, Coin: chain.Coin{Chain: chain.BTC,
			Network: chain.Testnet}, Tx: tx, Context: context,
		Keys: []chain.Key{{SignatureID: keyID, Index: chain.NoIndex}},
	}, raws
}

// signatures signs without putting together or verifying: what is left of
// the work when only signatures are counted.
func signatures(tx *chainutxo.Tx) [][]byte {
	digests := tx.Digester()
	private := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	sigs := make([][]byte, len(tx.Spent()))
	for i := range sigs {
		digest, err := digests.Digest(i, nil)
		if err != nil {
			panic(err)
		}
		sigs[i] = ecdsa.SignCompact(private, digest, true)
	}
	return sigs
}
