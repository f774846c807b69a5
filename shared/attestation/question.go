package attestation

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Question is what an approval service is asked, as JSON: everything that a
// statement is about, and the addresses for reading.
type Question struct {
	ID      string       `json:"id"`
	Chain   chain.ID     `json:"chain"`
	Network string       `json:"network"`
	Inputs  []Input      `json:"inputs"`
	Outputs []Output     `json:"outputs"`
	Fee     chain.Amount `json:"fee"`
}

// Input is one source. Values are in the smallest unit.
type Input struct {
	Outpoint string       `json:"outpoint"` // txid:index
	Address  string       `json:"address"`  // "" where the script has none
	Value    chain.Amount `json:"value"`
	Token    string       `json:"token,omitempty"` // of the coin; none: the coin itself
}

// Output is one movement.
type Output struct {
	Script  string       `json:"script"` // scriptPubKey in hex
	Address string       `json:"address"`
	Value   chain.Amount `json:"value"`
	Token   string       `json:"token,omitempty"` // of the coin; none: the coin itself
	Memo    string       `json:"memo,omitempty"`  // or tag, that goes with it
}

// Ask makes the question about a transaction.
func Ask(id string, f chain.Facts) Question {
	q := Question{ID: id, Chain: f.Chain, Network: f.Network.String(), Fee: f.Fee, Inputs: []Input{}, Outputs: []Output{}}
	for _, in := range f.Sources {
		q.Inputs = append(q.Inputs, Input{in.ID, in.Address, in.Amount, in.Asset.Token})
	}
	for _, out := range f.Movements {
		q.Outputs = append(q.Outputs, Output{hex.EncodeToString(out.Lock), out.Address, out.Amount, out.Asset.Token, out.Memo})
	}
	return q
}

// Content is what an approver who says yes signs.
func (q Question) Content() (Content, error) {
	f := chain.Facts{Coin: chain.Coin{Chain: q.Chain, Network: chain.NetworkNamed(q.Network)}, Fee: q.Fee}
	if f.Network == chain.UnknownNetwork || strings.ContainsAny(q.ID+string(q.Chain), " \n") {
		return Content{}, errors.New("attestation: a question about nothing that can be signed")
	}
	for _, in := range q.Inputs {
		if strings.ContainsAny(in.Outpoint, " \n") {
			return Content{}, fmt.Errorf("attestation: outpoint %.80q", in.Outpoint)
		}
		f.Sources = append(f.Sources, chain.Source{ID: in.Outpoint, Amount: in.Value, Asset: chain.Asset{Token: in.Token}})
	}
	for _, out := range q.Outputs {
		script, err := hex.DecodeString(out.Script)
		if err != nil {
			return Content{}, fmt.Errorf("attestation: script %.80q is no hex", out.Script)
		}
		f.Movements = append(f.Movements, chain.Movement{Lock: script, Amount: out.Value, Asset: chain.Asset{Token: out.Token}, Memo: out.Memo})
	}
	return Of(q.ID, f), nil
}

// Answer is what an approval service that says yes answers, as JSON.
type Answer struct {
	Statements []Statement `json:"statements"`
}

// statementJSON is a statement in an Answer.
type statementJSON struct {
	Key       string `json:"key"`
	Expires   int64  `json:"expires"`
	Signature string `json:"signature"`
}

// MarshalJSON implements json.Marshaler.
func (s Statement) MarshalJSON() ([]byte, error) {
	return json.Marshal(statementJSON{hex.EncodeToString(s.Approver[:]), s.Expires, hex.EncodeToString(s.Signature[:])})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Statement) UnmarshalJSON(b []byte) error {
	var j statementJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	key, err := hex.DecodeString(j.Key)
	if err != nil || len(key) != len(s.Approver) {
		return fmt.Errorf("%w: key %.80q", ErrInvalid, j.Key)
	}
	signature, err := hex.DecodeString(j.Signature)
	if err != nil || len(signature) != len(s.Signature) {
		return fmt.Errorf("%w: signature %.140q", ErrInvalid, j.Signature)
	}
	if j.Expires <= 0 {
		return fmt.Errorf("%w: it expires at %d", ErrInvalid, j.Expires)
	}
	*s = Statement{Approver: identity.Public(key), Expires: j.Expires, Signature: [len(s.Signature)]byte(signature)}
	return nil
}

// Compare orders statements by their approvers' keys, as they travel.
func Compare(a, b Statement) int { return bytes.Compare(a.Approver[:], b.Approver[:]) }
