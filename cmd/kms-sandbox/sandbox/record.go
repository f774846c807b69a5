package sandbox

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// Pending is one TransactionKMS as Tatum writes it. Nulls are explicit where
// Tatum's are.
type Pending struct {
	WithdrawalID          *string              `json:"withdrawalId"`
	Chain                 chain.ID             `json:"chain"`
	SerializedTransaction string               `json:"serializedTransaction"`
	Hashes                []string             `json:"hashes"`
	Index                 *int64               `json:"index"`
	WithdrawalResponses   []WithdrawalResponse `json:"withdrawalResponses"`
	TxID                  string               `json:"txId,omitempty"`
	ID                    string               `json:"id"`
	Signatures            []Signature          `json:"signatures,omitempty"`
}

// Signature names one key of a mnemonic entry.
type Signature struct {
	ID    string `json:"id"`
	Index int64  `json:"index"`
}

// WithdrawalResponse is one input of a withdrawal, or, with VIn "-1", its change.
type WithdrawalResponse struct {
	VIn          string            `json:"vIn"`
	VInIndex     int64             `json:"vInIndex"`
	Amount       json.Number       `json:"amount"` // coin units
	Address      WithdrawalAddress `json:"address"`
	ScriptPubKey string            `json:"scriptPubKey,omitempty"`
}

// WithdrawalAddress says by which key an input of a withdrawal is spent.
type WithdrawalAddress struct {
	Address       string   `json:"address"`
	Currency      chain.ID `json:"currency"`
	DerivationKey int64    `json:"derivationKey"`
	Xpub          string   `json:"xpub"`
}

// WithdrawalState is where a withdrawal stands; its zero value is none.
type WithdrawalState string

// The states of a withdrawal, in Tatum's words.
const (
	InProgress WithdrawalState = "InProgress"
	Done       WithdrawalState = "Done"
	Cancelled  WithdrawalState = "Cancelled"
)

// Withdrawal is one withdrawal from a virtual account.
type Withdrawal struct {
	ID        string          `json:"id"`
	Chain     chain.ID        `json:"currency"`
	PendingID string          `json:"kmsId"`
	State     WithdrawalState `json:"status"`
	TxID      string          `json:"txId,omitempty"`
}

// Failure is what a key management system reports about a pending
// transaction that it could not deliver.
type Failure struct {
	PendingID string `json:"signatureId"`
	Error     string `json:"error"`
}

// ErrOtherTx says that a record is completed with another transaction.
var ErrOtherTx = errors.New("completed with another transaction")

// Records keeps what the API was told. What it has accepted is durable.
type Records interface {
	AddPending(ctx context.Context, p Pending, w *Withdrawal) error
	Pending(ctx context.Context, id string) (Pending, error)
	ListPending(ctx context.Context, id chain.ID) ([]Pending, error) // not completed, oldest first
	Complete(ctx context.Context, id, txID string) error             // ErrNotFound, ErrOtherTx
	Remove(ctx context.Context, id string) error

	Withdrawal(ctx context.Context, id string) (Withdrawal, error)
	ListWithdrawals(ctx context.Context, id chain.ID, skip, count int) ([]Withdrawal, error) // newest first
	EndWithdrawal(ctx context.Context, id string, state WithdrawalState, txID string) error

	AddFailures(ctx context.Context, list []Failure) error
	Failures(ctx context.Context) ([]Failure, error) // newest first, a few
}

// Copies keeps what a node forgets when it stops: every block, and the
// transactions that were sent and are in no block yet.
type Copies interface {
	AddSent(ctx context.Context, id chain.ID, tx *wire.MsgTx) error
	Sent(ctx context.Context, id chain.ID) ([]*wire.MsgTx, error) // in the order sent
	AddBlocks(ctx context.Context, id chain.ID, first int64, blocks []*wire.MsgBlock) error
	Block(ctx context.Context, id chain.ID, height int64) (*wire.MsgBlock, error)
	Height(ctx context.Context, id chain.ID) (int64, error) // of the highest block; 0 for none
}

// Store is both.
type Store interface {
	Records
	Copies
}
