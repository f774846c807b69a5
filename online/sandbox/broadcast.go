package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/btcsuite/btcd/wire"
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

type withdrawalBroadcastRequest struct {
	Currency     string `json:"currency"`
	TxData       string `json:"txData"`
	WithdrawalID string `json:"withdrawalId"`
	SignatureID  string `json:"signatureId"`
}

// broadcastWithdrawal is POST /v3/offchain/withdrawal/broadcast.
func (s *Server) broadcastWithdrawal(r *http.Request) (reply, error) {
	var body withdrawalBroadcastRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	b, err := s.backend(strings.ToUpper(body.Currency), "currency")
	if err != nil {
		return reply{}, err
	}
	tx, err := parseTx(body.TxData)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkWithdrawal(r.Context(), b, body.WithdrawalID); err != nil {
		return reply{}, err
	}
	if err := s.send(r.Context(), b, tx); err != nil {
		return reply{}, err
	}
	txID := tx.TxHash().String()
	done := s.withdrawalMarked(r.Context(), body, txID)
	return ok(map[string]any{"txId": txID, "completed": done})
}

func (s *Server) checkWithdrawal(ctx context.Context, b *backend, id string) error {
	w, err := s.config.Store.Withdrawal(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && w.Chain != b.id {
		return forbidden("broadcast.failed.withdrawalId", "Withdrawal with ID %.64q does not exist.", id)
	}
	if err != nil {
		return err
	}
	if w.State != InProgress {
		return unexpectedState(w)
	}
	return nil
}

func (s *Server) withdrawalMarked(ctx context.Context, body withdrawalBroadcastRequest, txID string) bool {
	if body.SignatureID != "" && !s.marked(ctx, body.SignatureID, txID) {
		return false
	}
	return s.config.Store.EndWithdrawal(ctx, body.WithdrawalID, Done, txID) == nil
}

func unexpectedState(w Withdrawal) error {
	return forbidden("withdrawal.unexpected.state", "Withdrawal is in unexpected state %s, expected %s.", w.State, InProgress)
}

// backend finds the coin of a request.
func (s *Server) backend(name, property string) (*backend, error) {
	for id, b := range s.chains {
		if string(id) == strings.ToUpper(name) || b.path == strings.ToLower(name) || b.path+"-testnet" == strings.ToLower(name) {
			return b, nil
		}
	}
	return nil, invalid(property, "must be a chain of this sandbox: %.20q is none", name)
}
