package sandbox

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// withdrawalRequest is the body of POST /v3/offchain/bitcoin/transfer. The
// sandbox has no virtual accounts: senderAccountId is ignored, and the
// addresses that hold the account's funds are the P2WPKH addresses of the
// xpub at the given indices.
type withdrawalRequest struct {
	Currency    string      `json:"currency"` // of POST /v3/offchain/withdrawal only
	Address     string      `json:"address"`
	Amount      looseNumber `json:"amount"`
	Fee         looseNumber `json:"fee"`
	SignatureID string      `json:"signatureId"`
	Xpub        string      `json:"xpub"`
	Indices     []int64     `json:"indices"`
}

// defaultFee is what Tatum takes for a withdrawal when nobody says; it looks
// at the first defaultIndices keys of the xpub when nobody says which.
const (
	defaultFee     = "0.0005"
	defaultIndices = 20
)

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
	text, err := d.bitcoreJSON()
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

// account is the xpub of a withdrawal and the indices that hold its funds.
type account struct {
	signatureID string
	xpub        string
	key         *hdkeychain.ExtendedKey
	indices     []int64
}

func (c coin) account(body *withdrawalRequest) (account, error) {
	if body.Fee == "" {
		body.Fee = defaultFee
	}
	if len(body.Indices) == 0 {
		for i := range int64(defaultIndices) {
			body.Indices = append(body.Indices, i)
		}
	}
	if !pending.ValidSignatureID(body.SignatureID) {
		return account{}, invalid("signatureId", "must be the id of a mnemonic in a key management system")
	}
	key, err := hdkeychain.NewKeyFromString(body.Xpub)
	if err != nil || key.IsPrivate() || !key.IsForNet(c.net) {
		return account{}, invalid("xpub", "must be an extended public key of the %s test network", c.id)
	}
	if len(body.Indices) > maxSources {
		return account{}, invalid("indices", "must have at most %d entries", maxSources)
	}
	seen := make(map[int64]bool)
	for _, i := range body.Indices {
		if i < 0 || i > chain.MaxIndex || seen[i] {
			return account{}, invalid("indices", "must be different numbers between 0 and %d", chain.MaxIndex)
		}
		seen[i] = true
	}
	return account{body.SignatureID, body.Xpub, key, body.Indices}, nil
}

// script is the P2WPKH script of the key at index.
func (a account) script(index int64) ([]byte, error) {
	child, err := a.key.Derive(uint32(index))
	if err != nil {
		return nil, invalid("xpub", "has no key %d: %v", index, err)
	}
	pub, err := child.ECPubKey()
	if err != nil {
		return nil, invalid("xpub", "has no key %d: %v", index, err)
	}
	return txscript.NewScriptBuilder().AddOp(txscript.OP_0).
		AddData(btcutil.Hash160(pub.SerializeCompressed())).Script()
}

// fund is an unspent output of an account.
type fund struct {
	unspent
	index int64
}

// collect takes outputs of the account, index by index, until they cover need.
func (b *backend) collect(ctx context.Context, a account, need int64) ([]fund, error) {
	var funds []fund
	for _, index := range a.indices {
		script, err := a.script(index)
		if err != nil {
			return nil, err
		}
		found, err := b.unspent(ctx, script)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			if need <= 0 {
				return funds, nil
			}
			funds = append(funds, fund{u, index})
			need -= u.value
		}
	}
	return funds, nil
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
