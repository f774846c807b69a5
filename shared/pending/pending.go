// Package pending reads what Tatum asks to have signed: the TransactionKMS
// objects of its API. What comes from there is hostile until proven: this
// package only reads it, with limits, and judges nothing.
package pending

import (
	"encoding/json"
	"fmt"

	"coldkms/shared/chain"
)

// Limits on what is read, set far above what Tatum sends.
const (
	MaxID         = 64       // bytes of a pending id, withdrawal id or signature id
	MaxSerialized = 16 << 20 // bytes of serializedTransaction
	MaxKeys       = 25_000   // keys named by one transaction
	MaxRaw        = 20 << 20 // bytes of JSON of one transaction
)

// Tx is one pending transaction (TransactionKMS).
type Tx struct {
	ID                    string               `json:"id"`
	Chain                 string               `json:"chain"`
	SerializedTransaction string               `json:"serializedTransaction"`
	Hashes                []string             `json:"hashes"`
	Index                 *int64               `json:"index"`
	WithdrawalID          string               `json:"withdrawalId"`
	WithdrawalResponses   []WithdrawalResponse `json:"withdrawalResponses"`
	Signatures            []Signature          `json:"signatures"`
	TxID                  string               `json:"txId"` // set once completed
}

// Signature names one key of a mnemonic entry (KMS 6.2 and later).
type Signature struct {
	ID    string `json:"id"`
	Index *int64 `json:"index"`
}

// WithdrawalResponse is one input of a withdrawal from virtual accounts, or,
// with VIn "-1", its change.
type WithdrawalResponse struct {
	VIn      string             `json:"vIn"`
	VInIndex int64              `json:"vInIndex"`
	Address  *WithdrawalAddress `json:"address"`
}

// WithdrawalAddress says by which key an input of a withdrawal is spent.
type WithdrawalAddress struct {
	DerivationKey *int64 `json:"derivationKey"`
}

// Parse reads one TransactionKMS. Unknown fields are ignored, as Tatum adds
// some now and then; wrong types, excessive sizes, a missing id, and a field
// that stands twice or in another case are a chain.Refusal with code Malformed.
func Parse(raw []byte) (Tx, error) {
	var tx Tx
	if len(raw) > MaxRaw {
		return Tx{}, chain.Refuse(chain.Malformed, "pending transaction of %d bytes, at most %d are read", len(raw), MaxRaw)
	}
	if err := strict(raw); err != nil {
		return Tx{}, chain.Refuse(chain.Malformed, "pending transaction is not of Tatum's form: %v", err)
	}
	if err := json.Unmarshal(raw, &tx); err != nil {
		return Tx{}, chain.Refuse(chain.Malformed, "pending transaction is not of Tatum's form: %v", err)
	}
	if err := tx.check(); err != nil {
		return Tx{}, err
	}
	return tx, nil
}

func (tx Tx) check() error {
	if !validID(tx.ID) {
		return chain.Refuse(chain.Malformed, "pending id %.80q is not an id", tx.ID)
	}
	if tx.WithdrawalID != "" && !validID(tx.WithdrawalID) {
		return chain.Refuse(chain.Malformed, "withdrawal id %.80q is not an id", tx.WithdrawalID)
	}
	if len(tx.SerializedTransaction) > MaxSerialized {
		return chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d are read", len(tx.SerializedTransaction), MaxSerialized)
	}
	if n := len(tx.Hashes) + len(tx.Signatures) + len(tx.WithdrawalResponses); n > MaxKeys {
		return chain.Refuse(chain.Malformed, "%d keys named, at most %d are read", n, MaxKeys)
	}
	for _, id := range tx.Hashes {
		if !ValidSignatureID(id) {
			return chain.Refuse(chain.Malformed, "signature id %.80q is not an id", id)
		}
	}
	for _, s := range tx.Signatures {
		if !ValidSignatureID(s.ID) {
			return chain.Refuse(chain.Malformed, "signature id %.80q is not an id", s.ID)
		}
	}
	return nil
}

// Content returns the bytes that identify what a pending transaction asks for,
// without what Tatum adds on completion. Two replies with equal Content ask
// for the same thing.
func (tx Tx) Content() []byte {
	tx.TxID = ""
	b, err := json.Marshal(tx)
	if err != nil {
		panic(fmt.Sprintf("pending: a struct of strings does not marshal: %v", err))
	}
	return b
}

// Keys returns the keys that the transaction names, each once, in the order in
// which Tatum KMS would use them (tatum-kms 8.0.1, src/signatures.ts:127-141
// and the offchain signer):
//
//   - on-chain: each id of hashes (with the top-level index, if any), then
//     each pair of signatures;
//   - withdrawal: the first id of hashes with the derivationKey (0 if
//     missing) of each response that is an input.
func (tx Tx) Keys() ([]chain.Key, error) {
	var keys keySet
	if tx.WithdrawalID != "" && len(tx.WithdrawalResponses) > 0 {
		if len(tx.Hashes) == 0 {
			return nil, chain.Refuse(chain.UnknownKey, "withdrawal names no signature id")
		}
		for _, w := range tx.WithdrawalResponses {
			if w.VIn == "-1" {
				continue
			}
			var index int64
			if w.Address != nil && w.Address.DerivationKey != nil {
				index = *w.Address.DerivationKey
			}
			if err := keys.add(tx.Hashes[0], &index); err != nil {
				return nil, err
			}
		}
		return keys.list, nil
	}
	for _, id := range tx.Hashes {
		if err := keys.add(id, tx.Index); err != nil {
			return nil, err
		}
	}
	for _, s := range tx.Signatures {
		if err := keys.add(s.ID, s.Index); err != nil {
			return nil, err
		}
	}
	if len(keys.list) == 0 {
		return nil, chain.Refuse(chain.UnknownKey, "transaction names no signature id")
	}
	return keys.list, nil
}

type keySet struct {
	list []chain.Key
	seen map[chain.Key]bool
}

func (s *keySet) add(id string, index *int64) error {
	k := chain.Key{SignatureID: id, Index: chain.NoIndex}
	if index != nil {
		if *index < 0 || *index > chain.MaxIndex {
			return chain.Refuse(chain.Malformed, "derivation index %d is outside 0…%d", *index, chain.MaxIndex)
		}
		k.Index = *index
	}
	if s.seen == nil {
		s.seen = make(map[chain.Key]bool)
	}
	if !s.seen[k] {
		s.seen[k] = true
		s.list = append(s.list, k)
	}
	return nil
}

// validID reports whether s can be put into a URL path, a file name and a
// terminal as it is: letters, digits, '-' and '_'.
func validID(s string) bool {
	if s == "" || len(s) > MaxID {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// ValidSignatureID reports whether s can be a signature id: Tatum makes UUIDs,
// but a wallet may hold others; letters, digits, '-' and '_' up to MaxID.
func ValidSignatureID(s string) bool { return validID(s) }
