package sandbox

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
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
		block, _, err := b.blockAt(ctx, call.Params)
		if err != nil {
			return nil, err
		}
		return block.Header.BlockHash().String(), nil
	case "getblock":
		return b.blockView(ctx, call.Params)
	case "gettxout":
		return b.txOut(ctx, call.Params)
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

// txOut is an output that nothing spends, the mempool included, nil otherwise.
func (b *backend) txOut(ctx context.Context, params []any) (any, error) {
	if len(params) < 2 {
		return nil, &NodeError{rpcOutOfRange, "gettxout takes a txid and an index"}
	}
	text, _ := params[0].(string)
	number, _ := params[1].(json.Number)
	index, err := number.Int64()
	if err != nil || index < 0 {
		return nil, &NodeError{rpcOutOfRange, "parameter 2 must be an index"}
	}
	out, err := b.unspentOutput(ctx, text, index)
	var said *problem
	if errors.As(err, &said) { // it is spent, or not there
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"scriptPubKey": map[string]any{"hex": hex.EncodeToString(out.script)}}, nil
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

func (b *backend) blockAt(ctx context.Context, params []any) (*wire.MsgBlock, int64, error) {
	var height int64 = -1
	if len(params) > 0 {
		if n, isNumber := params[0].(json.Number); isNumber {
			height, _ = n.Int64()
		}
	}
	miner, mines := b.node.(Miner)
	if !mines {
		return nil, 0, &NodeError{rpcUnknownMethod, "Method not found"}
	}
	block, err := miner.Block(ctx, height)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, &NodeError{rpcOutOfRange, "Block height out of range"}
	}
	return block, height, err
}

// blockView lists the txids of a block, which is looked for from the newest
// down.
func (b *backend) blockView(ctx context.Context, params []any) (any, error) {
	hash := ""
	if len(params) > 0 {
		hash, _ = params[0].(string)
	}
	tip, err := b.node.Tip(ctx)
	if err != nil {
		return nil, err
	}
	for height := int64(tip.Height); height >= 0; height-- {
		block, _, err := b.blockAt(ctx, []any{json.Number(strconv.FormatInt(height, 10))})
		if err != nil {
			return nil, err
		}
		if block.Header.BlockHash().String() != hash {
			continue
		}
		txids := make([]string, len(block.Transactions))
		for i, tx := range block.Transactions {
			txids[i] = tx.TxHash().String()
		}
		return map[string]any{"hash": hash, "height": height, "confirmations": int64(tip.Height) - height + 1, "tx": txids}, nil
	}
	return nil, &NodeError{rpcNoSuch, "Block not found"}
}
