package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/btcsuite/btcd/wire/v2"
)

type broadcastRequest struct {
	TxData      string `json:"txData"`
	SignatureID string `json:"signatureId"` // the pending id
}

type broadcastReply struct {
	TxID   string `json:"txId"`
	Failed bool   `json:"failed,omitempty"`
}

// broadcast sends a signed transaction and then completes the pending one.
// "failed" means that the node took it but that marking it did not work.
func (s *Server) broadcast(b *backend, r *http.Request) (reply, error) {
	var body broadcastRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	tx, err := parseTx(body.TxData)
	if err != nil {
		return reply{}, err
	}
	if err := s.send(r.Context(), b, tx); err != nil {
		return reply{}, err
	}
	txID := tx.TxHash().String()
	failed := body.SignatureID != "" && !s.marked(r.Context(), body.SignatureID, txID)
	return ok(broadcastReply{TxID: txID, Failed: failed})
}

// marked completes a pending transaction whose broadcast landed.
func (s *Server) marked(ctx context.Context, pendingID, txID string) bool {
	if unmarked := s.config.Faults.Unmarked; unmarked != nil && unmarked(pendingID) {
		return false
	}
	return s.config.Store.Complete(ctx, pendingID, txID) == nil
}

// send offers a transaction to the node and keeps a copy of what it took.
func (s *Server) send(ctx context.Context, b *backend, tx *wire.MsgTx) error {
	err := b.node.Send(ctx, tx)
	var refused *NodeError
	if errors.As(err, &refused) {
		return forbidden(b.path+".broadcast.failed", "%s", refused.Error())
	}
	if err != nil {
		return err
	}
	return s.config.Store.AddSent(ctx, b.id, tx)
}

// parseTx reads a transaction in hex, with or without witness, nothing after it.
func parseTx(text string) (*wire.MsgTx, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, invalid("txData", "must be a signed transaction in hex")
	}
	tx, rest := new(wire.MsgTx), bytes.NewReader(raw)
	if err := tx.Deserialize(rest); err != nil || rest.Len() > 0 {
		return nil, invalid("txData", "must be one transaction and nothing after it")
	}
	return tx, nil
}
