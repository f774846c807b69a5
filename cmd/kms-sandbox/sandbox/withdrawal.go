package sandbox

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// withdrawalRequest is the body of POST /v3/offchain/bitcoin/transfer. The
// sandbox has no virtual accounts: senderAccountId is ignored, and the
// addresses that hold the account's funds are those of the xpub at the given
// indices.
type withdrawalRequest struct {
	Currency    string      `json:"currency"` // of POST /v3/offchain/withdrawal only
	Address     string      `json:"address"`
	Amount      looseNumber `json:"amount"`
	Fee         looseNumber `json:"fee"`
	SignatureID string      `json:"signatureId"`
	Xpub        string      `json:"xpub"`
	Indices     []int64     `json:"indices"`
}

// defaultIndices is how many keys of the xpub are looked at when nobody says
// which.
const defaultIndices = 20

// createWithdrawal names its coin in the body, createTransfer in the path.
func (s *Server) createWithdrawal(r *http.Request) (reply, error) {
	var body withdrawalRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if body.Currency == "" {
		body.Currency = string(chain.BTC)
	}
	b, err := s.backend(body.Currency, "currency")
	if err != nil {
		return reply{}, err
	}
	return s.withdraw(r.Context(), b, body)
}

func (s *Server) createTransfer(b *backend, r *http.Request) (reply, error) {
	var body withdrawalRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	return s.withdraw(r.Context(), b, body)
}

func (s *Server) withdraw(ctx context.Context, b *backend, body withdrawalRequest) (reply, error) {
	account, err := b.account(&body)
	if err != nil {
		return reply{}, err
	}
	payment, err := b.payments([]payee{{body.Address, number(body.Amount)}})
	if err != nil {
		return reply{}, err
	}
	fee, err := parseAmount(string(body.Fee), b.Decimals, b.MaxValue)
	if err != nil {
		return reply{}, invalid("fee", "%v", err)
	}
	d := draft{version: b.txVersion, outputs: payment}
	funds, err := b.collect(ctx, account, payment[0].Value+fee)
	if err != nil {
		return reply{}, err
	}
	for _, f := range funds {
		d.inputs = append(d.inputs, f.spend)
	}
	back, err := account.script(0)
	if err != nil {
		return reply{}, err
	}
	d.change = &change{script: back, fee: fee}
	if err := d.settle(b.coin); err != nil {
		return reply{}, err
	}
	return s.addWithdrawal(ctx, b, d, account, funds)
}

// addWithdrawal stores the withdrawal and its pending transaction. Tatum
// writes these without changeScript and fee.
func (s *Server) addWithdrawal(ctx context.Context, b *backend, d draft, account account, funds []fund) (reply, error) {
	changeValue := d.change.value
	if changeValue > 0 {
		d.outputs = append(d.outputs, wire.NewTxOut(changeValue, d.change.script))
	}
	d.change = nil
	text, err := d.serialized(b.coin)
	if err != nil {
		return reply{}, err
	}
	id, err := s.newID()
	if err != nil {
		return reply{}, err
	}
	withdrawalID, err := s.newID()
	if err != nil {
		return reply{}, err
	}
	p := Pending{
		ID: id, Chain: b.id, WithdrawalID: &withdrawalID, SerializedTransaction: text,
		Hashes: []string{account.signatureID},
	}
	if p.WithdrawalResponses, err = b.responses(account, funds, changeValue); err != nil {
		return reply{}, err
	}
	w := Withdrawal{ID: withdrawalID, Chain: b.id, PendingID: id, State: InProgress}
	if err := s.config.Store.AddPending(ctx, p, &w); err != nil {
		return reply{}, err
	}
	return ok(map[string]string{"id": withdrawalID, "signatureId": id})
}

func (b *backend) responses(account account, funds []fund, changeValue int64) ([]WithdrawalResponse, error) {
	var list []WithdrawalResponse
	for _, f := range funds {
		list = append(list, WithdrawalResponse{
			VIn: f.outpoint.Hash.String(), VInIndex: int64(f.outpoint.Index),
			Amount:       formatAmount(f.value, b.Decimals),
			Address:      WithdrawalAddress{b.Address(f.script), b.id, f.index, account.xpub},
			ScriptPubKey: hex.EncodeToString(f.script),
		})
	}
	back, err := account.script(0)
	if err != nil {
		return nil, err
	}
	return append(list, WithdrawalResponse{
		VIn: "-1", VInIndex: -1, Amount: formatAmount(changeValue, b.Decimals),
		Address: WithdrawalAddress{b.Address(back), b.id, 0, account.xpub},
	}), nil
}
