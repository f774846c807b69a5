package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// ErrNotFound says that a transaction, block or record does not exist.
var ErrNotFound = errors.New("not found")

// Node is the chain of one coin, as the API needs to see it.
type Node interface {
	// Tx returns a transaction of the chain or of the mempool, or ErrNotFound.
	Tx(ctx context.Context, id chainhash.Hash) (ChainTx, error)
	// History returns transactions that pay to script or spend from it, newest
	// first, those of the mempool before all. It may give others too.
	History(ctx context.Context, script []byte, skip, count int) ([]ChainTx, error)
	// Spent reports whether an existing output is spent, in the chain or in the
	// mempool.
	Spent(ctx context.Context, op wire.OutPoint) (bool, error)
	// Send offers a transaction. A node that refuses it says so with a
	// *NodeError.
	Send(ctx context.Context, tx *wire.MsgTx) error
	// Tip returns the newest block.
	Tip(ctx context.Context) (Tip, error)
}

// Miner is a Node whose blocks are made on demand, and that forgets them when
// it stops: the server keeps a copy of every block and gives it back.
type Miner interface {
	Mine(ctx context.Context, blocks int) error
	Block(ctx context.Context, height int64) (*wire.MsgBlock, error)
	Submit(ctx context.Context, height int64, block *wire.MsgBlock) error
}

// Issuer is a Miner that makes coins out of nothing, so that its faucet never
// runs dry.
type Issuer interface {
	Issue(ctx context.Context, outputs []*wire.TxOut) (*wire.MsgTx, error)
	// Restore is Send for what was in the mempool before, issues among it.
	Restore(ctx context.Context, tx *wire.MsgTx) error
}

// Caller is a Node that answers JSON-RPC by itself. For one that does not, the
// server answers what a key management system may ask.
type Caller interface {
	Call(ctx context.Context, method string, params ...any) (json.RawMessage, error)
}

// ChainTx is a transaction and where it stands.
type ChainTx struct {
	Msg    *wire.MsgTx
	Height int64  // Unconfirmed while in the mempool
	Block  string // hash of its block
	Time   int64  // Unix time of its block
}

// Unconfirmed is the height of what is in the mempool.
const Unconfirmed int64 = -1

// Tip is the newest block of a chain.
type Tip struct {
	Height     int64
	Hash       string
	Difficulty float64
}

// NodeError is a node's refusal, in its own words.
type NodeError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error returns code and words.
func (e *NodeError) Error() string { return fmt.Sprintf("%s Code: %d", e.Message, e.Code) }
