package sandbox

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"coldkms/shared/chain"
)

// pendingByBody is POST /v3/kms/pending/{chain}: what waits for these keys.
func (s *Server) pendingByBody(r *http.Request) (reply, error) {
	var body struct {
		SignatureIDs []string `json:"signatureIds"`
	}
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if body.SignatureIDs == nil {
		return reply{}, invalid("signatureIds", "must be an array")
	}
	return s.listPending(r, body.SignatureIDs, false)
}

// pendingByQuery is the older GET: without signatures, all that waits.
func (s *Server) pendingByQuery(r *http.Request) (reply, error) {
	ids := r.URL.Query().Get("signatures")
	return s.listPending(r, strings.Split(ids, ","), ids == "")
}

func (s *Server) listPending(r *http.Request, ids []string, all bool) (reply, error) {
	id, err := chain.ParseID(r.PathValue("chain"))
	if err != nil {
		return reply{}, invalid("chain", "must be one of the chains of Tatum KMS")
	}
	list, err := s.config.Store.ListPending(r.Context(), id)
	if err != nil {
		return reply{}, err
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	found := []Pending{} // [] and not null when there is none
	for _, p := range list {
		if all || p.names(wanted) {
			found = append(found, p)
		}
	}
	return ok(found)
}

func (p Pending) names(wanted map[string]bool) bool {
	return slices.ContainsFunc(p.Hashes, func(id string) bool { return wanted[id] }) ||
		slices.ContainsFunc(p.Signatures, func(k Signature) bool { return wanted[k.ID] })
}

// pendingByID is GET /v3/kms/{id}.
func (s *Server) pendingByID(r *http.Request) (reply, error) {
	p, err := s.pending(r.Context(), r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return ok(p)
}

func (s *Server) pending(ctx context.Context, id string) (Pending, error) {
	p, err := s.config.Store.Pending(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Pending{}, missing(id)
	}
	return p, err
}

func missing(id string) error {
	return forbidden("kms.missing", "Pending transaction with ID %.64q does not exist.", id)
}

// complete is PUT /v3/kms/{id}/{txId}. Once more with the same txId is fine.
func (s *Server) complete(r *http.Request) (reply, error) {
	txID := r.PathValue("txId")
	if !isTxID(txID) {
		return reply{}, invalid("txId", "must be a transaction hash, 64 hex digits")
	}
	if err := s.markComplete(r.Context(), r.PathValue("id"), txID); err != nil {
		return reply{}, err
	}
	return noContent()
}

func (s *Server) markComplete(ctx context.Context, id, txID string) error {
	err := s.config.Store.Complete(ctx, id, txID)
	switch {
	case errors.Is(err, ErrNotFound):
		return missing(id)
	case errors.Is(err, ErrOtherTx):
		return forbidden("kms.completed", "Pending transaction with ID %.64q is completed with another transaction.", id)
	}
	return err
}

// remove is DELETE /v3/kms/{id}?revert=: a withdrawal that waits is cancelled
// with it.
func (s *Server) remove(r *http.Request) (reply, error) {
	p, err := s.pending(r.Context(), r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	if err := checkRevert(r); err != nil {
		return reply{}, err
	}
	if p.WithdrawalID != nil && p.TxID == "" {
		err := s.config.Store.EndWithdrawal(r.Context(), *p.WithdrawalID, Cancelled, "")
		if err != nil && !errors.Is(err, ErrNotFound) {
			return reply{}, err
		}
	}
	if err := s.config.Store.Remove(r.Context(), p.ID); err != nil {
		return reply{}, err
	}
	return noContent()
}

func checkRevert(r *http.Request) error {
	switch r.URL.Query().Get("revert") {
	case "", "true", "false":
		return nil
	}
	return invalid("revert", "must be true or false")
}

// reportFailures is POST /v3/tatum/kms/batch, where Tatum KMS tells what it
// could not deliver.
func (s *Server) reportFailures(r *http.Request) (reply, error) {
	var body struct {
		Errors []Failure `json:"errors"`
	}
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if err := s.config.Store.AddFailures(r.Context(), body.Errors); err != nil {
		return reply{}, err
	}
	return noContent()
}

func (s *Server) failures(r *http.Request) (reply, error) {
	list, err := s.config.Store.Failures(r.Context())
	if err != nil {
		return reply{}, err
	}
	return ok(append([]Failure{}, list...))
}

func isTxID(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 32
}
