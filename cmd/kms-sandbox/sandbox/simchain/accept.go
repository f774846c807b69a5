package simchain

import (
	"context"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Codes of Bitcoin Core's rpc/protocol.h, which its relatives share.
const (
	codeVerify   = -25 // RPC_VERIFY_ERROR
	codeRejected = -26 // RPC_VERIFY_REJECTED
	codeInChain  = -27 // RPC_VERIFY_ALREADY_IN_CHAIN
)

func reject(code int, format string, args ...any) error {
	return &sandbox.NodeError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Send takes a transaction into the mempool, or refuses it in the words of
// Bitcoin Core. The scripts are run without the lock.
func (c *Chain) Send(_ context.Context, tx *wire.MsgTx) error {
	c.mu.RLock()
	spent, err := c.lookup(tx)
	c.mu.RUnlock()
	if err != nil {
		return err
	}
	if err := utxo.Verify(c.params, tx, spent); err != nil {
		return words(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.lookup(tx); err != nil { // another one was faster
		return err
	}
	c.add(tx.Copy())
	return nil
}

// lookup finds what a new transaction spends.
func (c *Chain) lookup(tx *wire.MsgTx) ([]utxo.Spent, error) {
	if known, is := c.txs[tx.TxHash()]; is {
		if known.Height == sandbox.Unconfirmed {
			return nil, reject(codeRejected, "txn-already-in-mempool")
		}
		return nil, reject(codeInChain, "Transaction already in block chain")
	}
	if !c.final(tx) {
		return nil, reject(codeRejected, "bad-txns-nonfinal")
	}
	spent := make([]utxo.Spent, len(tx.TxIn))
	for i, in := range tx.TxIn {
		op := in.PreviousOutPoint
		if op.Hash == (chainhash.Hash{}) {
			return nil, reject(codeRejected, "coinbase")
		}
		prev, known := c.txs[op.Hash]
		if !known || uint64(op.Index) >= uint64(len(prev.Msg.TxOut)) {
			return nil, reject(codeVerify, "bad-txns-inputs-missingorspent")
		}
		if by, is := c.spent[op]; is {
			if by.Height == sandbox.Unconfirmed {
				return nil, reject(codeRejected, "txn-mempool-conflict")
			}
			return nil, reject(codeVerify, "bad-txns-inputs-missingorspent")
		}
		out := prev.Msg.TxOut[op.Index]
		spent[i] = utxo.Spent{Outpoint: op, Value: out.Value, Script: out.PkScript, Proven: true}
	}
	return spent, nil
}

const lockTimeThreshold = 500_000_000 // below it a lock time is a height

// final reports whether the lock time lets a transaction into the next block.
func (c *Chain) final(tx *wire.MsgTx) bool {
	next := int64(len(c.blocks)) + 1
	if tx.LockTime >= lockTimeThreshold {
		next = c.now().Unix()
	}
	if int64(tx.LockTime) < next {
		return true
	}
	for _, in := range tx.TxIn {
		if in.Sequence != wire.MaxTxInSequenceNum {
			return false
		}
	}
	return true
}

// words puts a refusal of utxo.Verify into Bitcoin Core's.
func words(err error) error {
	reason := chain.ReasonOf(err).Text()
	switch chain.CodeOf(err) {
	case chain.NoInputs:
		return reject(codeRejected, "bad-txns-vin-empty")
	case chain.NoOutputs:
		return reject(codeRejected, "bad-txns-vout-empty")
	case chain.DuplicateInput:
		return reject(codeRejected, "bad-txns-inputs-duplicate")
	case chain.ValueOutOfRange:
		return reject(codeRejected, "bad-txns-vout-toolarge (%s)", reason)
	case chain.OutputsAbove:
		return reject(codeRejected, "bad-txns-in-belowout (%s)", reason)
	}
	return reject(codeRejected, "mandatory-script-verify-flag-failed (%s)", reason)
}
