// Package simchain is a chain of one node: the sandbox's Node for coins that
// have no node in Go (LTC, DOGE and BCH).
//
// It takes a transaction only if every input exists and is unspent, mempool
// included, no value is out of the coin's range, and every script verifies
// (utxo.Verify). Blocks are made on demand and hold the whole mempool. There
// is no proof of work, no fee to pay and no size limit. Coins come from
// nowhere: Issue makes a transaction without inputs to pay with.
//
// The chain is in memory. It is a sandbox.Miner, so that the server keeps
// every block and every unmined transaction in its records, and gives them
// back at the next start.
package simchain

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain/utxo"
)

// Chain is the chain of one coin, from its genesis on.
type Chain struct {
	params utxo.Params
	now    func() time.Time

	mu      sync.RWMutex
	blocks  []*wire.MsgBlock // the first one is of height 1
	tip     chainhash.Hash
	txs     map[chainhash.Hash]*sandbox.ChainTx
	mempool []*sandbox.ChainTx // in the order of arrival
	spent   map[wire.OutPoint]*sandbox.ChainTx
	history map[string][]*sandbox.ChainTx // by script, oldest first
}

var (
	_ sandbox.Node   = (*Chain)(nil)
	_ sandbox.Miner  = (*Chain)(nil)
	_ sandbox.Issuer = (*Chain)(nil)
)

// New makes a chain without blocks.
func New(params utxo.Params, now func() time.Time) *Chain {
	return &Chain{
		params: params, now: now,
		tip:     chainhash.HashH([]byte("coldkms solochain " + string(params.Chain))),
		txs:     make(map[chainhash.Hash]*sandbox.ChainTx),
		spent:   make(map[wire.OutPoint]*sandbox.ChainTx),
		history: make(map[string][]*sandbox.ChainTx),
	}
}

// Tx returns a transaction of the chain or of the mempool.
func (c *Chain) Tx(_ context.Context, id chainhash.Hash) (sandbox.ChainTx, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if tx, known := c.txs[id]; known {
		return *tx, nil
	}
	return sandbox.ChainTx{}, fmt.Errorf("transaction %s: %w", id, sandbox.ErrNotFound)
}

// History lists the transactions of a script.
func (c *Chain) History(_ context.Context, script []byte, skip, count int) ([]sandbox.ChainTx, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := c.history[string(script)]
	var page []sandbox.ChainTx
	for i := len(all) - 1 - skip; i >= 0 && len(page) < count; i-- {
		page = append(page, *all[i])
	}
	return page, nil
}

// Spent reports whether an output is spent, in the chain or in the mempool.
func (c *Chain) Spent(_ context.Context, op wire.OutPoint) (bool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, spent := c.spent[op]
	return spent, nil
}

// Tip returns the newest block.
func (c *Chain) Tip(context.Context) (sandbox.Tip, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return sandbox.Tip{Height: int64(len(c.blocks)), Hash: c.tip.String(), Difficulty: 1}, nil
}

// Block returns the block at a height.
func (c *Chain) Block(_ context.Context, height int64) (*wire.MsgBlock, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if height < 1 || height > int64(len(c.blocks)) {
		return nil, fmt.Errorf("block %d: %w", height, sandbox.ErrNotFound)
	}
	return c.blocks[height-1], nil
}

// add notes an unmined transaction. The caller holds the lock and has looked
// that its inputs are there.
func (c *Chain) add(msg *wire.MsgTx) *sandbox.ChainTx {
	tx := &sandbox.ChainTx{Msg: msg, Height: sandbox.Unconfirmed}
	scripts := make(map[string]bool)
	for _, in := range msg.TxIn {
		if prev, known := c.txs[in.PreviousOutPoint.Hash]; known {
			c.spent[in.PreviousOutPoint] = tx
			scripts[string(prev.Msg.TxOut[in.PreviousOutPoint.Index].PkScript)] = true
		}
	}
	for _, out := range msg.TxOut {
		scripts[string(out.PkScript)] = true
	}
	for script := range scripts {
		c.history[script] = append(c.history[script], tx)
	}
	c.txs[msg.TxHash()] = tx
	c.mempool = append(c.mempool, tx)
	return tx
}
