package sandbox

import (
	"bytes"
	"context"
	"errors"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// unspentOutput finds one output, or says in Tatum's words that it does not
// exist or is spent.
func (b *backend) unspentOutput(ctx context.Context, txHash string, index int64) (unspent, error) {
	tx, err := b.tx(ctx, txHash)
	if err != nil {
		return unspent{}, err
	}
	if index >= int64(len(tx.Msg.TxOut)) {
		return unspent{}, notFound("tx.not.found", "Transaction %s has no output %d.", txHash, index)
	}
	op := wire.OutPoint{Hash: tx.Msg.TxHash(), Index: uint32(index)}
	spent, err := b.node.Spent(ctx, op)
	if err != nil {
		return unspent{}, err
	}
	if spent {
		return unspent{}, forbidden("tx.hash.index.spent", "Transaction output %s:%d is already spent.", txHash, index)
	}
	return unspentOf(tx, op), nil
}

// tx finds a transaction by the text of its id.
func (b *backend) tx(ctx context.Context, txHash string) (ChainTx, error) {
	if !isTxID(txHash) {
		return ChainTx{}, invalid("hash", "must be a transaction hash, 64 hex digits")
	}
	id, err := chainhash.NewHashFromStr(txHash)
	if err != nil {
		return ChainTx{}, invalid("hash", "%v", err)
	}
	tx, err := b.node.Tx(ctx, *id)
	if errors.Is(err, ErrNotFound) {
		return ChainTx{}, notFound("tx.not.found", "Transaction %s not found.", txHash)
	}
	return tx, err
}

// unspent is an output that nothing spends, in the chain or the mempool.
type unspent struct {
	spend
	height   int64
	coinbase bool
}

func unspentOf(tx ChainTx, op wire.OutPoint) unspent {
	out := tx.Msg.TxOut[op.Index]
	return unspent{
		spend:    spend{outpoint: op, value: out.Value, script: out.PkScript},
		height:   tx.Height,
		coinbase: isCoinbase(tx.Msg),
	}
}

func isCoinbase(tx *wire.MsgTx) bool {
	return len(tx.TxIn) == 1 && tx.TxIn[0].PreviousOutPoint.Hash == chainhash.Hash{}
}

// historyPage is how many transactions are asked of a node at once.
const historyPage = 5_000

// unspent lists what nothing spends of a script, oldest first. Both what pays
// to a script and what spends from it is in its history, so that the
// difference is exact, mempool included.
func (b *backend) unspent(ctx context.Context, script []byte) ([]unspent, error) {
	spent := make(map[wire.OutPoint]bool)
	seen := make(map[wire.OutPoint]bool)
	var list []unspent
	for skip := 0; ; skip += historyPage {
		page, err := b.node.History(ctx, script, skip, historyPage)
		if err != nil {
			return nil, err
		}
		for _, tx := range page {
			for _, in := range tx.Msg.TxIn {
				spent[in.PreviousOutPoint] = true
			}
			id := tx.Msg.TxHash()
			for i := len(tx.Msg.TxOut) - 1; i >= 0; i-- {
				op := wire.OutPoint{Hash: id, Index: uint32(i)}
				if bytes.Equal(tx.Msg.TxOut[i].PkScript, script) && !seen[op] {
					seen[op] = true
					list = append(list, unspentOf(tx, op))
				}
			}
		}
		if len(page) < historyPage {
			break
		}
	}
	var left []unspent
	for i := len(list) - 1; i >= 0; i-- {
		if !spent[list[i].outpoint] {
			left = append(left, list[i])
		}
	}
	return left, nil
}
