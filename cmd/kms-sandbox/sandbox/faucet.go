package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

const (
	coinbaseMaturity = 100
	faucetFeeRate    = 10    // smallest units a vB
	maxFaucet        = 1e11  // smallest units an output: 1,000 coins
	maxFaucetOutputs = 2_000 // a call
)

// faucet pays from the coinbases of the blocks that the sandbox mined. Many
// payments fit into one block: coins are used in turn, and change comes back
// at the end of the queue.
type faucet struct {
	mu     sync.Mutex
	key    *btcec.PrivateKey
	script []byte
	coins  []unspent
}

// MinerScript is where a node has to mine to, for a faucet with this key.
func MinerScript(key *btcec.PrivateKey) []byte {
	hash := btcaddr.Hash160(key.PubKey().SerializeCompressed())
	return append([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash...)
}

type faucetRequest struct {
	Address string         `json:"address"`
	Script  string         `json:"script"` // hex, instead of an address
	Amount  looseNumber    `json:"amount"`
	Outputs []faucetOutput `json:"outputs"` // instead of the three above
	Chain   string         `json:"chain"`
	Mine    bool           `json:"mine"`
}

type faucetOutput struct {
	Address string      `json:"address"`
	Script  string      `json:"script"`
	Amount  looseNumber `json:"amount"`
}

// payFromFaucet is POST /sandbox/faucet.
func (s *Server) payFromFaucet(r *http.Request) (reply, error) {
	var body faucetRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if len(body.Outputs) == 0 {
		body.Outputs = []faucetOutput{{body.Address, body.Script, body.Amount}}
	}
	b, err := s.minedBackend(body.Chain)
	if err != nil {
		return reply{}, err
	}
	outputs, err := b.faucetOutputs(body.Outputs)
	if err != nil {
		return reply{}, err
	}
	tx, err := s.Pay(r.Context(), b.id, outputs)
	if err != nil {
		return reply{}, err
	}
	if body.Mine {
		if err := s.Mine(r.Context(), b.id, 1); err != nil {
			return reply{}, err
		}
	}
	return ok(map[string]any{"txId": tx.TxHash().String()})
}

func (b *backend) faucetOutputs(list []faucetOutput) ([]*wire.TxOut, error) {
	if len(list) > maxFaucetOutputs {
		return nil, invalid("outputs", "must have at most %d entries", maxFaucetOutputs)
	}
	limit := int64(maxFaucet)
	if b.issuer != nil {
		limit = b.MaxValue
	}
	var outputs []*wire.TxOut
	for _, o := range list {
		value, err := parseAmount(string(o.Amount), b.Decimals, limit)
		if err != nil {
			return nil, invalid("amount", "%v", err)
		}
		script, err := hex.DecodeString(o.Script)
		if err != nil || len(script) > txscript.MaxScriptSize {
			return nil, invalid("script", "must be hex")
		}
		if o.Script == "" {
			if script, err = b.script(o.Address); err != nil {
				return nil, invalid("address", "%v", err)
			}
		}
		outputs = append(outputs, wire.NewTxOut(value, script))
	}
	return outputs, nil
}

// Pay sends outputs from the faucet. They are the first ones of the
// transaction, in their order.
func (s *Server) Pay(ctx context.Context, id chain.ID, outputs []*wire.TxOut) (*wire.MsgTx, error) {
	b, err := s.minedBackend(string(id))
	if err != nil {
		return nil, err
	}
	if b.issuer != nil {
		tx, err := b.issuer.Issue(ctx, outputs)
		if err != nil {
			return nil, err
		}
		return tx, s.config.Store.AddSent(ctx, b.id, tx)
	}
	f := b.faucet
	f.mu.Lock()
	defer f.mu.Unlock()
	tip, err := b.node.Tip(ctx)
	if err != nil {
		return nil, err
	}
	tx, used, err := f.build(outputs, tip.Height)
	if err != nil {
		return nil, err
	}
	if err := s.send(ctx, b, tx); err != nil {
		return nil, errors.Join(err, f.recount(ctx, b))
	}
	f.use(used, tx, len(outputs))
	return tx, nil
}

// build makes and signs a payment; used are positions in f.coins.
func (f *faucet) build(outputs []*wire.TxOut, height int64) (*wire.MsgTx, []int, error) {
	tx := wire.NewMsgTx(2)
	tx.TxOut = append(tx.TxOut, outputs...)
	left := -faucetFeeRate * int64(tx.SerializeSizeStripped()+32)
	for _, o := range outputs {
		left -= o.Value
	}
	var used []int
	prevs := txscript.NewMultiPrevOutFetcher(nil)
	for i, c := range f.coins {
		if left >= 0 {
			break
		}
		if c.coinbase && c.height+coinbaseMaturity > height+1 {
			continue
		}
		used = append(used, i)
		tx.AddTxIn(wire.NewTxIn(&c.outpoint, nil, nil))
		prevs.AddPrevOut(c.outpoint, wire.NewTxOut(c.value, c.script))
		left += c.value - faucetFeeRate*68 // vB of a P2WPKH input
	}
	if left < 0 {
		return nil, nil, forbidden("faucet.empty", "The faucet has not enough mature coins: mine some blocks.")
	}
	tx.AddTxOut(wire.NewTxOut(left, f.script))
	if left < dustOfChange {
		tx.TxOut = tx.TxOut[:len(outputs)]
	}
	return tx, used, f.sign(tx, prevs)
}

const dustOfChange = 1_000

func (f *faucet) sign(tx *wire.MsgTx, prevs *txscript.MultiPrevOutFetcher) error {
	hashes := txscript.NewTxSigHashes(tx, prevs)
	for i, in := range tx.TxIn {
		value := prevs.FetchPrevOutput(in.PreviousOutPoint).Value
		witness, err := txscript.WitnessSignature(tx, hashes, i, value, f.script, txscript.SigHashAll, f.key, true)
		if err != nil {
			return fmt.Errorf("sandbox: sign faucet payment: %w", err)
		}
		in.Witness = witness
	}
	return nil
}

// recount asks the node which coins there are, after it refused one.
func (f *faucet) recount(ctx context.Context, b *backend) error {
	coins, err := b.unspent(ctx, f.script)
	if err == nil {
		f.coins = coins
	}
	return err
}

// use takes spent coins out and puts the change in.
func (f *faucet) use(used []int, tx *wire.MsgTx, changeAt int) {
	for n, i := range used {
		f.coins = append(f.coins[:i-n], f.coins[i-n+1:]...)
	}
	if changeAt < len(tx.TxOut) {
		op := wire.OutPoint{Hash: tx.TxHash(), Index: uint32(changeAt)}
		f.coins = append(f.coins, unspentOf(ChainTx{Msg: tx, Height: Unconfirmed}, op))
	}
}

// mined adds the coinbase of a new block.
func (f *faucet) mined(block *wire.MsgBlock, height int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	tx := block.Transactions[0]
	for i, out := range tx.TxOut {
		if bytes.Equal(out.PkScript, f.script) && out.Value > 0 {
			f.coins = append(f.coins, unspentOf(ChainTx{Msg: tx, Height: height}, wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}))
		}
	}
}

// spendable counts the coins that can be spent in the next block.
func (f *faucet) spendable(height int64) (coins int, value int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.coins {
		if !c.coinbase || c.height+coinbaseMaturity <= height+1 {
			coins, value = coins+1, value+c.value
		}
	}
	return coins, value
}
