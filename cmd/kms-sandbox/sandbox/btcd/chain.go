package btcd

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
)

// rawTx is what getrawtransaction and searchrawtransactions have in common.
type rawTx struct {
	Hex       string `json:"hex"`
	BlockHash string `json:"blockhash"`
	BlockTime int64  `json:"blocktime"`
}

// Tx returns a transaction of the chain or of the mempool.
func (n *Node) Tx(ctx context.Context, id chainhash.Hash) (sandbox.ChainTx, error) {
	if tx, known := n.cache.get(id); known {
		return tx, nil
	}
	var raw rawTx
	err := n.rpc.call(ctx, &raw, "getrawtransaction", id.String(), 1)
	if hasCode(err, codeNoTx) {
		return sandbox.ChainTx{}, fmt.Errorf("transaction %s: %w", id, sandbox.ErrNotFound)
	}
	if err != nil {
		return sandbox.ChainTx{}, err
	}
	tx, err := n.chainTx(ctx, raw)
	if err == nil && tx.Height != sandbox.Unconfirmed {
		n.cache.put(id, tx)
	}
	return tx, err
}

func (n *Node) chainTx(ctx context.Context, raw rawTx) (sandbox.ChainTx, error) {
	tx := sandbox.ChainTx{Msg: new(wire.MsgTx), Height: sandbox.Unconfirmed}
	if err := fromHex(raw.Hex, tx.Msg); err != nil {
		return sandbox.ChainTx{}, err
	}
	if raw.BlockHash == "" {
		return tx, nil
	}
	height, err := n.heightOf(ctx, raw.BlockHash)
	if err != nil {
		return sandbox.ChainTx{}, err
	}
	tx.Height, tx.Block, tx.Time = height, raw.BlockHash, raw.BlockTime
	return tx, nil
}

// heightOf asks for each block once: blocks of a regression test chain stay.
func (n *Node) heightOf(ctx context.Context, hash string) (int64, error) {
	if height, known := n.heights.Load(hash); known {
		return height.(int64), nil
	}
	var header struct{ Height int64 }
	if err := n.rpc.call(ctx, &header, "getblockheader", hash, true); err != nil {
		return 0, err
	}
	n.heights.Store(hash, header.Height)
	return header.Height, nil
}

// History lists the transactions of a script by btcd's address index. A
// script without an address has none there.
func (n *Node) History(ctx context.Context, script []byte, skip, count int) ([]sandbox.ChainTx, error) {
	_, addresses, _, err := txscript.ExtractPkScriptAddrs(script, &chaincfg.RegressionNetParams)
	if err != nil || len(addresses) == 0 {
		return nil, nil
	}
	var page []rawTx
	err = n.rpc.call(ctx, &page, "searchrawtransactions", addresses[0].EncodeAddress(), 1, skip, count, 0, true)
	if hasCode(err, codeNoTx) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]sandbox.ChainTx, 0, len(page))
	for _, raw := range page {
		tx, err := n.chainTx(ctx, raw)
		if err != nil {
			return nil, err
		}
		list = append(list, tx)
	}
	return list, nil
}

// Spent asks the chain, and then the mempool: btcd's gettxout does not know
// what the mempool spends.
func (n *Node) Spent(ctx context.Context, op wire.OutPoint) (bool, error) {
	var out json.RawMessage
	if err := n.rpc.call(ctx, &out, "gettxout", op.Hash.String(), op.Index, true); err != nil {
		return false, err
	}
	if len(out) == 0 || string(out) == "null" {
		return true, nil
	}
	return n.mempool.spends(ctx, n.rpc, op)
}

// Send offers a transaction to btcd.
func (n *Node) Send(ctx context.Context, tx *wire.MsgTx) error {
	text, err := toHex(tx)
	if err != nil {
		return err
	}
	return n.rpc.call(ctx, nil, "sendrawtransaction", text)
}

// Tip returns the newest block.
func (n *Node) Tip(ctx context.Context) (sandbox.Tip, error) {
	var best struct {
		Hash   string
		Height int64
	}
	if err := n.rpc.call(ctx, &best, "getbestblock"); err != nil {
		return sandbox.Tip{}, err
	}
	return sandbox.Tip{Height: best.Height, Hash: best.Hash, Difficulty: 1}, nil
}

// Mine makes blocks that pay to the mining address.
func (n *Node) Mine(ctx context.Context, blocks int) error {
	return n.rpc.call(ctx, nil, "generate", blocks)
}

// Block returns the block at a height.
func (n *Node) Block(ctx context.Context, height int64) (*wire.MsgBlock, error) {
	var hash, text string
	err := n.rpc.call(ctx, &hash, "getblockhash", height)
	if hasCode(err, codeNoneAt) {
		return nil, fmt.Errorf("block %d: %w", height, sandbox.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if err := n.rpc.call(ctx, &text, "getblock", hash, 0); err != nil {
		return nil, err
	}
	block := new(wire.MsgBlock)
	if err := fromHex(text, block); err != nil {
		return nil, err
	}
	n.cache.putBlock(height, block)
	return block, nil
}

// Submit sends btcd a block that it had before.
func (n *Node) Submit(ctx context.Context, height int64, block *wire.MsgBlock) error {
	text, err := toHex(block)
	if err != nil {
		return err
	}
	var refused *string
	if err := n.rpc.call(ctx, &refused, "submitblock", text); err != nil {
		return err
	}
	if refused != nil {
		return fmt.Errorf("btcd: submitblock: %.200q", *refused)
	}
	n.cache.putBlock(height, block)
	return nil
}

// Call passes a JSON-RPC call on, but for the raw bytes of a transaction that
// is known here: a key management system asks for thousands of those.
func (n *Node) Call(ctx context.Context, method string, params ...any) (json.RawMessage, error) {
	if method == "getrawtransaction" {
		if tx, known := n.rawKnown(params); known {
			text, err := toHex(tx)
			return json.RawMessage(strconv.Quote(text)), err
		}
	}
	var result json.RawMessage
	err := n.rpc.call(ctx, &result, method, params...)
	return result, err
}

// rawKnown reads the parameters of getrawtransaction without verbosity.
func (n *Node) rawKnown(params []any) (*wire.MsgTx, bool) {
	if len(params) > 1 && fmt.Sprint(params[1]) != "0" || len(params) == 0 {
		return nil, false
	}
	text, _ := params[0].(string)
	id, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return nil, false
	}
	tx, known := n.cache.get(*id)
	return tx.Msg, known
}

// serial is what a transaction and a block have in common.
type serial interface {
	Serialize(w io.Writer) error
	Deserialize(r io.Reader) error
}

func toHex(v serial) (string, error) {
	var b bytes.Buffer
	if err := v.Serialize(&b); err != nil {
		return "", fmt.Errorf("btcd: serialize: %w", err)
	}
	return hex.EncodeToString(b.Bytes()), nil
}

func fromHex(text string, into serial) error {
	raw, err := hex.DecodeString(text)
	if err == nil {
		err = into.Deserialize(bytes.NewReader(raw))
	}
	if err != nil {
		return fmt.Errorf("btcd: reply: %w", err)
	}
	return nil
}
