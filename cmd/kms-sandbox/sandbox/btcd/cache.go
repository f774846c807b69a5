package btcd

import (
	"context"
	"fmt"
	"sync"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
)

// maxCached bounds the mined transactions kept in memory.
const maxCached = 50_000

// cache keeps mined transactions, which never change here.
type cache struct {
	mu  sync.Mutex
	txs map[chainhash.Hash]sandbox.ChainTx
}

func (c *cache) get(id chainhash.Hash) (sandbox.ChainTx, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tx, known := c.txs[id]
	return tx, known
}

// putBlock keeps the transactions of a block.
func (c *cache) putBlock(height int64, block *wire.MsgBlock) {
	hash := block.BlockHash().String()
	for _, tx := range block.Transactions {
		c.put(tx.TxHash(), sandbox.ChainTx{Msg: tx, Height: height, Block: hash, Time: block.Header.Timestamp.Unix()})
	}
}

func (c *cache) put(id chainhash.Hash, tx sandbox.ChainTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.txs == nil || len(c.txs) >= maxCached {
		c.txs = make(map[chainhash.Hash]sandbox.ChainTx)
	}
	c.txs[id] = tx
}

// mempool knows what each transaction of the mempool spends.
type mempool struct {
	mu     sync.Mutex
	inputs map[string][]wire.OutPoint // by transaction id
}

// spends brings the view up to date and looks for op.
func (m *mempool) spends(ctx context.Context, c *rpc, op wire.OutPoint) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	if err := c.call(ctx, &ids, "getrawmempool"); err != nil {
		return false, err
	}
	next := make(map[string][]wire.OutPoint, len(ids))
	for _, id := range ids {
		inputs, known := m.inputs[id]
		if !known {
			var err error
			if inputs, err = inputsOf(ctx, c, id); err != nil {
				return false, err
			}
		}
		next[id] = inputs
	}
	m.inputs = next
	for _, inputs := range next {
		for _, in := range inputs {
			if in == op {
				return true, nil
			}
		}
	}
	return false, nil
}

func inputsOf(ctx context.Context, c *rpc, id string) ([]wire.OutPoint, error) {
	var text string
	err := c.call(ctx, &text, "getrawtransaction", id, 0)
	if hasCode(err, codeNoTx) {
		return nil, nil // gone between the two calls
	}
	if err != nil {
		return nil, err
	}
	tx := new(wire.MsgTx)
	if err := fromHex(text, tx); err != nil {
		return nil, fmt.Errorf("mempool: %w", err)
	}
	var inputs []wire.OutPoint
	for _, in := range tx.TxIn {
		inputs = append(inputs, in.PreviousOutPoint)
	}
	return inputs, nil
}
