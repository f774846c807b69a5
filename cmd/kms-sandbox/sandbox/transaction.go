package sandbox

import (
	"net/http"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// transferRequest is the body of POST /v3/bitcoin/transaction, from addresses
// or from outputs, with signature ids in place of keys.
type transferRequest struct {
	FromAddress   []source `json:"fromAddress"`
	FromUTXO      []source `json:"fromUTXO"`
	To            []payee  `json:"to"`
	Fee           *string  `json:"fee"`
	ChangeAddress string   `json:"changeAddress"`
}

// source is one entry of fromAddress or fromUTXO.
type source struct {
	Address         string `json:"address"`
	TxHash          string `json:"txHash"`
	Index           *int64 `json:"index"` // of the output; with an address, of the mnemonic's key
	DerivationIndex *int64 `json:"derivationIndex"`
	SignatureID     string `json:"signatureId"`
	PrivateKey      any    `json:"privateKey"`
}

type payee struct {
	Address string `json:"address"`
	Value   number `json:"value"`
}

// maxSources bounds fromAddress, fromUTXO and to.
const maxSources = 10_000

// createTransaction builds what Tatum's library builds and leaves it pending.
func (s *Server) createTransaction(b *backend, r *http.Request) (reply, error) {
	var body transferRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if err := body.check(); err != nil {
		return reply{}, err
	}
	d := draft{version: b.txVersion}
	var err error
	if d.outputs, err = b.payments(body.To); err != nil {
		return reply{}, err
	}
	if d.change, err = b.changeOf(body); err != nil {
		return reply{}, err
	}
	if d.inputs, err = b.inputs(r.Context(), body); err != nil {
		return reply{}, err
	}
	if err := d.settle(b.coin); err != nil {
		return reply{}, err
	}
	id, err := s.addPending(r, b, d)
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]string{"signatureId": id})
}

func (body transferRequest) check() error {
	if (len(body.FromAddress) > 0) == (len(body.FromUTXO) > 0) {
		return invalid("fromAddress", "or fromUTXO, and not both, must not be empty")
	}
	if len(body.To) == 0 {
		return invalid("to", "must not be empty")
	}
	if max(len(body.FromAddress), len(body.FromUTXO), len(body.To)) > maxSources {
		return invalid("fromAddress", "fromUTXO and to must have at most %d entries", maxSources)
	}
	if (body.Fee == nil) != (body.ChangeAddress == "") {
		return invalid("fee", "and changeAddress must be given together")
	}
	for _, from := range append(body.FromAddress, body.FromUTXO...) {
		if from.PrivateKey != nil {
			return invalid("privateKey", "is not taken by the sandbox: give a signatureId")
		}
		if !pending.ValidSignatureID(from.SignatureID) {
			return invalid("signatureId", "must be the id of a key in a key management system")
		}
		for _, index := range []*int64{from.Index, from.DerivationIndex} {
			if index != nil && (*index < 0 || *index > chain.MaxIndex) {
				return invalid("index", "must be between 0 and %d", chain.MaxIndex)
			}
		}
	}
	return nil
}

func (c coin) payments(to []payee) ([]*wire.TxOut, error) {
	var outputs []*wire.TxOut
	for _, p := range to {
		script, err := c.script(p.Address)
		if err != nil {
			return nil, invalid("to.address", "%v", err)
		}
		value, err := parseAmount(string(p.Value), c.Decimals, c.MaxValue)
		if err != nil {
			return nil, invalid("to.value", "%v", err)
		}
		outputs = append(outputs, wire.NewTxOut(value, script))
	}
	return outputs, nil
}

func (c coin) changeOf(body transferRequest) (*change, error) {
	if body.Fee == nil {
		return nil, nil
	}
	script, err := c.script(body.ChangeAddress)
	if err != nil {
		return nil, invalid("changeAddress", "%v", err)
	}
	fee, err := parseAmount(*body.Fee, c.Decimals, c.MaxValue)
	if err != nil {
		return nil, invalid("fee", "%v", err)
	}
	return &change{script: script, fee: fee}, nil
}

// addPending stores a draft as a pending transaction and returns its id.
func (s *Server) addPending(r *http.Request, b *backend, d draft) (string, error) {
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	p := Pending{ID: id, Chain: b.id, Hashes: []string{}}
	if p.SerializedTransaction, err = d.serialized(b.coin); err != nil {
		return "", err
	}
	for _, in := range d.inputs {
		if in.key.index != nil {
			p.Signatures = append(p.Signatures, Signature{ID: in.key.signatureID, Index: *in.key.index})
			continue
		}
		p.Hashes = append(p.Hashes, in.key.signatureID)
	}
	if err := s.config.Store.AddPending(r.Context(), p, nil); err != nil {
		return "", err
	}
	return id, nil
}
