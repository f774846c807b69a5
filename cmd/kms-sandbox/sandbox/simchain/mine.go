package simchain

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
)

// Mine makes blocks. The first one takes the whole mempool.
func (c *Chain) Mine(_ context.Context, blocks int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range blocks {
		block := c.assemble()
		if err := c.connect(block); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chain) assemble() *wire.MsgBlock {
	height := len(c.blocks) + 1
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, PrevBlock: c.tip, Timestamp: time.Unix(c.now().Unix(), 0)}}
	nothing := wire.NewTxOut(0, []byte{txscript.OP_RETURN})
	block.Transactions = append(block.Transactions, outOfNothing(uint64(height), 0, nothing))
	for _, tx := range c.mempool {
		block.Transactions = append(block.Transactions, tx.Msg)
	}
	block.Header.MerkleRoot = merkleRoot(block.Transactions)
	return block
}

// Submit takes a block that this chain had before. Its scripts were run then.
func (c *Chain) Submit(_ context.Context, height int64, block *wire.MsgBlock) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if height != int64(len(c.blocks))+1 || block.Header.PrevBlock != c.tip {
		return reject(codeVerify, "block %d does not follow block %d", height, len(c.blocks))
	}
	return c.connect(block)
}

// connect makes a block the newest one. Of its transactions some may be in
// the mempool.
func (c *Chain) connect(block *wire.MsgBlock) error {
	hash := block.Header.BlockHash()
	mined := make(map[*sandbox.ChainTx]bool)
	for i, msg := range block.Transactions {
		tx, known := c.txs[msg.TxHash()]
		if known && tx.Height != sandbox.Unconfirmed {
			return fmt.Errorf("simchain: transaction %s is in two blocks", msg.TxHash())
		}
		if !known {
			if err := c.inputsFree(msg); err != nil {
				return fmt.Errorf("simchain: transaction %d of the block: %w", i, err)
			}
			tx = c.add(msg)
		}
		tx.Height, tx.Block, tx.Time = int64(len(c.blocks))+1, hash.String(), block.Header.Timestamp.Unix()
		mined[tx] = true
	}
	left := c.mempool[:0:0]
	for _, tx := range c.mempool {
		if !mined[tx] {
			left = append(left, tx)
		}
	}
	c.mempool, c.blocks, c.tip = left, append(c.blocks, block), hash
	return nil
}

func (c *Chain) inputsFree(msg *wire.MsgTx) error {
	if isIssue(msg) {
		return nil
	}
	_, err := c.lookup(msg)
	return err
}

// Issue makes a transaction that pays without spending anything, into the
// mempool.
func (c *Chain) Issue(_ context.Context, outputs []*wire.TxOut) (*wire.MsgTx, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for serial := uint64(len(c.txs)) + 1; ; serial++ { // unlike any before
		msg := outOfNothing(uint64(len(c.blocks)), serial, outputs...)
		if _, known := c.txs[msg.TxHash()]; !known {
			c.add(msg)
			return msg, nil
		}
	}
}

// Restore takes a transaction that was in the mempool before, an issue too.
func (c *Chain) Restore(ctx context.Context, tx *wire.MsgTx) error {
	if !isIssue(tx) {
		return c.Send(ctx, tx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.txs[tx.TxHash()]; known {
		return reject(codeRejected, "txn-already-in-mempool")
	}
	c.add(tx)
	return nil
}

func isIssue(tx *wire.MsgTx) bool {
	return len(tx.TxIn) == 1 && tx.TxIn[0].PreviousOutPoint.Hash == chainhash.Hash{}
}

// outOfNothing has the form of a coinbase; the numbers make it unlike others.
func outOfNothing(height, serial uint64, outputs ...*wire.TxOut) *wire.MsgTx {
	script := binary.LittleEndian.AppendUint64([]byte{txscript.OP_DATA_8}, height)
	script = binary.LittleEndian.AppendUint64(append(script, txscript.OP_DATA_8), serial)
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: wire.MaxPrevOutIndex}, script, nil))
	tx.TxOut = outputs
	return tx
}

// merkleRoot is Bitcoin's: pairs of hashes, an odd last one with itself.
func merkleRoot(txs []*wire.MsgTx) chainhash.Hash {
	level := make([]chainhash.Hash, len(txs))
	for i, tx := range txs {
		level[i] = tx.TxHash()
	}
	for len(level) > 1 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		for i := range len(level) / 2 {
			level[i] = chainhash.DoubleHashH(append(level[2*i].CloneBytes(), level[2*i+1][:]...))
		}
		level = level[:len(level)/2]
	}
	return level[0]
}
