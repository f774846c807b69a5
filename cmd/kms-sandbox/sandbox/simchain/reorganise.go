package simchain

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
)

// Reorganise takes the newest blocks off the chain, as a node does that hears of
// a better one. What was in them waits in the mempool again, but for payments
// that lost chooses and that nothing spends: the chain has none of them any more,
// as if they had never been sent. lost may be nil.
//
// A server's records do not follow: it cannot be started again on them.
func (c *Chain) Reorganise(blocks int, lost func(*wire.MsgTx) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep := max(0, len(c.blocks)-blocks)
	var back []*sandbox.ChainTx
	for _, block := range c.blocks[keep:] {
		for i, msg := range block.Transactions {
			tx := c.txs[msg.TxHash()]
			if i == 0 { // the block's own
				c.forget(tx)
				continue
			}
			tx.Height, tx.Block, tx.Time = sandbox.Unconfirmed, "", 0
			back = append(back, tx)
		}
	}
	if keep < len(c.blocks) {
		c.tip = c.blocks[keep].Header.PrevBlock
	}
	c.blocks = c.blocks[:keep:keep]
	c.mempool = append(back, c.mempool...)
	for _, tx := range slices.Backward(slices.Clone(c.mempool)) { // spenders before what they spend
		if lost != nil && !isIssue(tx.Msg) && !c.isSpent(tx) && lost(tx.Msg) {
			c.forget(tx)
		}
	}
}

// isSpent reports whether something spends an output of a transaction.
func (c *Chain) isSpent(tx *sandbox.ChainTx) bool {
	op := wire.OutPoint{Hash: tx.Msg.TxHash()}
	for i := range tx.Msg.TxOut {
		op.Index = uint32(i)
		if _, spent := c.spent[op]; spent {
			return true
		}
	}
	return false
}

// forget undoes add.
func (c *Chain) forget(tx *sandbox.ChainTx) {
	for _, in := range tx.Msg.TxIn {
		delete(c.spent, in.PreviousOutPoint)
	}
	is := func(other *sandbox.ChainTx) bool { return other == tx }
	for script, all := range c.history {
		if slices.Contains(all, tx) {
			c.history[script] = slices.DeleteFunc(slices.Clone(all), is)
		}
	}
	delete(c.txs, tx.Msg.TxHash())
	c.mempool = slices.DeleteFunc(c.mempool, is)
}
