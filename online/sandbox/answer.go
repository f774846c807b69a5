package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// Codes of Bitcoin Core's rpc/protocol.h.
const (
	rpcNoSuch     = -5
	rpcOutOfRange = -8
)

// answer is what a node would answer, for one that does not answer itself:
// the methods that a key management system has a use for.
func (b *backend) answer(ctx context.Context, call rpcRequest) (any, error) {
	switch call.Method {
	case "getrawtransaction":
		return b.rawTransaction(ctx, call.Params)
	case "getblockcount", "getbestblockhash":
		tip, err := b.node.Tip(ctx)
		if call.Method == "getbestblockhash" {
			return tip.Hash, err
		}
		return tip.Height, err
	case "getblockhash":
		return b.blockHash(ctx, call.Params)
	}
	return nil, &NodeError{rpcUnknownMethod, "Method not found"}
}

func (b *backend) rawTransaction(ctx context.Context, params []any) (any, error) {
	text := ""
	if len(params) > 0 {
		text, _ = params[0].(string)
	}
	if !isTxID(text) {
		return nil, &NodeError{rpcOutOfRange, "parameter 1 must be of length 64 (not " + strconv.Itoa(len(text)) + ")"}
	}
	id, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return nil, &NodeError{rpcOutOfRange, err.Error()}
	}
	tx, err := b.node.Tx(ctx, *id)
	if errors.Is(err, ErrNotFound) {
		return nil, &NodeError{rpcNoSuch, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions."}
	}
	if err != nil {
		return nil, err
	}
	raw, err := toHex(tx.Msg)
	if err != nil || len(params) < 2 || !isVerbose(params[1]) {
		return raw, err
	}
	view, err := b.nodeView(ctx, tx)
	view.Hex = raw
	return view, err
}

// isVerbose reads true, or a number above zero.
func isVerbose(param any) bool {
	switch p := param.(type) {
	case bool:
		return p
	case json.Number:
		return p != "0"
	}
	return false
}

func (b *backend) blockHash(ctx context.Context, params []any) (any, error) {
	var height int64 = -1
	if len(params) > 0 {
		if n, isNumber := params[0].(json.Number); isNumber {
			height, _ = n.Int64()
		}
	}
	miner, mines := b.node.(Miner)
	if !mines {
		return nil, &NodeError{rpcUnknownMethod, "Method not found"}
	}
	block, err := miner.Block(ctx, height)
	if errors.Is(err, ErrNotFound) {
		return nil, &NodeError{rpcOutOfRange, "Block height out of range"}
	}
	if err != nil {
		return nil, err
	}
	return block.Header.BlockHash().String(), nil
}
