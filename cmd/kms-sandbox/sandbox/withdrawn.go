package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

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

// completeWithdrawal is PUT /v3/offchain/withdrawal/{id}/{txId}.
func (s *Server) completeWithdrawal(r *http.Request) (reply, error) {
	txID := r.PathValue("txId")
	if !isTxID(txID) {
		return reply{}, invalid("txId", "must be a transaction hash, 64 hex digits")
	}
	w, err := s.withdrawal(r.Context(), r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	if w.State != InProgress && (w.State != Done || w.TxID != txID) {
		return reply{}, unexpectedState(w)
	}
	if err := s.config.Store.EndWithdrawal(r.Context(), w.ID, Done, txID); err != nil {
		return reply{}, err
	}
	return noContent()
}

// listWithdrawals is GET /v3/offchain/withdrawal?currency=&pageSize=&offset=.
func (s *Server) listWithdrawals(r *http.Request) (reply, error) {
	b, err := s.backend(strings.ToUpper(r.URL.Query().Get("currency")), "currency")
	if err != nil {
		return reply{}, err
	}
	size, err := queryInt(r, "pageSize", defaultPageSize, 1, maxPageSize)
	if err != nil {
		return reply{}, err
	}
	offset, err := queryInt(r, "offset", 0, 0, 1<<31-1)
	if err != nil {
		return reply{}, err
	}
	list, err := s.config.Store.ListWithdrawals(r.Context(), b.id, offset, size)
	if err != nil {
		return reply{}, err
	}
	return ok(list)
}

// cancelWithdrawal is DELETE /v3/offchain/withdrawal/{id}?revert=. The
// pending transaction goes with it.
func (s *Server) cancelWithdrawal(r *http.Request) (reply, error) {
	w, err := s.withdrawal(r.Context(), r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	if err := checkRevert(r); err != nil {
		return reply{}, err
	}
	if w.State != InProgress {
		return reply{}, unexpectedState(w)
	}
	if err := s.config.Store.EndWithdrawal(r.Context(), w.ID, Cancelled, ""); err != nil {
		return reply{}, err
	}
	if err := s.config.Store.Remove(r.Context(), w.PendingID); err != nil && !errors.Is(err, ErrNotFound) {
		return reply{}, err
	}
	return noContent()
}

func (s *Server) withdrawal(ctx context.Context, id string) (Withdrawal, error) {
	w, err := s.config.Store.Withdrawal(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Withdrawal{}, notFound("withdrawal.not.found", "Withdrawal with ID %.64q does not exist.", id)
	}
	return w, err
}
