package tatum

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"coldkms/shared/chain"
)

// Block is a block as a node shows it.
type Block struct {
	Height, Confirmations int64
	Hash                  string
	TxIDs                 map[string]bool // in lower case
}

// maxBlock bounds a reply with the txids of a block.
const maxBlock = 64 << 20

var errBlock = errors.New("the reply does not show the block that was asked for, in the best chain, with each txid once")

// Block asks a node for the block of a height. A reply that contradicts itself,
// or that has anything but txids in its list, is no answer.
func (c *Client) Block(ctx context.Context, id chain.ID, height int64) (Block, error) {
	raw, err := c.node(ctx, id, "of height "+strconv.FormatInt(height, 10), "getblockhash", height)
	if err != nil {
		return Block{}, err
	}
	b := Block{Height: height, Hash: text(raw)}
	if !isTxID(b.Hash) {
		return Block{}, &Error{Op: "node getblockhash", Status: http.StatusOK, err: errBlock}
	}
	if raw, err = c.node(ctx, id, b.Hash, "getblock", b.Hash); err != nil {
		return Block{}, err
	}
	if !b.read(raw) {
		return Block{}, &Error{Op: "node getblock", Status: http.StatusOK, err: errBlock}
	}
	return b, nil
}

// read reads the reply about a block, and reports whether it is about this one.
func (b *Block) read(raw json.RawMessage) bool {
	var reply struct {
		Hash          string   `json:"hash"`
		Height        *int64   `json:"height"`
		Confirmations *int64   `json:"confirmations"`
		TxIDs         []string `json:"tx"`
	}
	if json.Unmarshal(raw, &reply) != nil || normal(reply.Hash) != b.Hash || len(reply.TxIDs) == 0 {
		return false
	}
	if reply.Height == nil || *reply.Height != b.Height || reply.Confirmations == nil || *reply.Confirmations < 1 {
		return false
	}
	b.Confirmations, b.TxIDs = *reply.Confirmations, make(map[string]bool, len(reply.TxIDs))
	for _, txid := range reply.TxIDs {
		if txid = normal(txid); !isTxID(txid) || b.TxIDs[txid] {
			return false
		}
		b.TxIDs[txid] = true
	}
	return true
}

// isTxID reports whether text is a hash in hexadecimal, 64 digits.
func isTxID(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == sha256.Size
}
