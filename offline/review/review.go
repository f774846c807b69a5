// Package review turns what was judged into the words that a person confirms,
// and into the same facts as data. Whatever came from outside is escaped by
// the edge that prints it; addresses are never shortened.
package review

import (
	"slices"

	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Batch is one judged Request.
type Batch struct {
	Digest  bundle.Digest
	Relay   identity.Public
	Created int64 // Unix seconds, by the relay's clock
	Items   []Item
	Notices []string // about the batch as a whole; they refuse nothing
	PSBT    bool     // a plain PSBT, which no relay has signed
	Basis   Basis

	Label func(coin chain.Coin, to string) string // what policy calls a destination; nil: nothing
}

// Item is one judged pending transaction. Facts is nil where it could not be
// decoded.
type Item struct {
	ID string
	chain.Coin
	Facts    *chain.Facts
	Refusals []policy.Reason
	Findings []policy.Reason
	Vouched  []Vouched

	SignedBefore bool // exactly this, so that a signature may be out
}

// Vouched is an approver whose statement about an item is valid.
type Vouched struct {
	Name    string // as policy has it; may be none
	Key     identity.Public
	Until   int64 // Unix seconds, by the ledger's clock
	Expired bool
}

// Refused reports whether the item will not be signed.
func (it Item) Refused() bool { return len(it.Refusals) > 0 || it.Facts == nil }

// again reports whether exactly these bytes were signed before, so that the
// item pays nothing new.
func (it Item) again() bool {
	return slices.ContainsFunc(it.Findings, func(r policy.Reason) bool { return r.Code == chain.FlagSignedBefore })
}

// Again counts the chosen items that were signed before.
func (b Batch) Again(choice Choice) (n int) {
	for i, it := range b.Items {
		if b.counts(i, choice) && it.again() {
			n++
		}
	}
	return n
}

// Verdict is "refused", "flagged" or "ok".
func (it Item) Verdict() string {
	switch {
	case it.Refused():
		return "refused"
	case len(it.Findings) > 0:
		return "flagged"
	}
	return "ok"
}

// Count returns how many items can be signed, and how many are refused.
func (b Batch) Count() (signable, refused int) {
	for _, it := range b.Items {
		if it.Refused() {
			refused++
		} else {
			signable++
		}
	}
	return signable, refused
}

// The JSON form of a Batch. More fields may be added; these stay.
type (
	BatchJSON struct {
		Digest  string   `json:"digest"`
		Totals  []Total  `json:"totals"` // of what can be signed
		Notices []string `json:"notices"`
		Basis
		Items []ItemJSON `json:"items"`
	}
	ItemJSON struct {
		ID      string       `json:"id"`
		Chain   chain.ID     `json:"chain"`
		Network string       `json:"network"`
		Verdict string       `json:"verdict"`
		Sort    string       `json:"standing"` // refused, look, noted or ok
		Codes   []chain.Code `json:"codes"`
		Reasons []string     `json:"reasons"` // a sentence for each code
		Inputs  []InputJSON  `json:"inputs"`
		Outputs []OutputJSON `json:"outputs"`
		Fee     chain.Amount `json:"fee"`            // smallest units
		FeeRate chain.Amount `json:"feeRate"`        // smallest units for each unit of size, rounded up
		Burnt   chain.Amount `json:"burnt,omitzero"` // smallest units that nobody can ever spend; counts as fee
		Valid   *ValidJSON   `json:"valid,omitempty"`
	}
	// ValidJSON is when a transaction is valid, where it is not always: heights
	// of blocks, and Unix seconds.
	ValidJSON struct {
		NotBeforeHeight int64 `json:"notBeforeHeight,omitempty"`
		NotBefore       int64 `json:"notBefore,omitempty"`
		NotAfterHeight  int64 `json:"notAfterHeight,omitempty"`
		NotAfter        int64 `json:"notAfter,omitempty"`
	}
	InputJSON struct {
		Outpoint string       `json:"outpoint"`
		Address  string       `json:"address"`
		Type     string       `json:"type"`
		Value    chain.Amount `json:"value"`
		Proven   bool         `json:"proven"`
		Own      bool         `json:"own"`

		WaitBlocks  int64 `json:"waitBlocks,omitempty"`  // not valid before it has so many confirmations
		WaitSeconds int64 `json:"waitSeconds,omitempty"` // not valid before it is so old
	}
	OutputJSON struct {
		Address string       `json:"address"`
		Type    string       `json:"type"`
		Script  string       `json:"script,omitempty"` // hex, where there is no address
		Value   chain.Amount `json:"value"`
		Token   string       `json:"token,omitempty"` // none: the coin itself
		Memo    string       `json:"memo,omitempty"`  // or tag, that goes with it
		Change  bool         `json:"change"`          // all of it
		Burn    bool         `json:"burn,omitempty"`  // nobody can ever spend it
		Own     *OwnJSON     `json:"own,omitempty"`   // where it pays an own key
	}
	OwnJSON struct {
		SignatureID string       `json:"signatureId"`
		Index       *int64       `json:"index,omitempty"` // none: a single key
		Also        []string     `json:"also,omitempty"`  // the same key in other entries, as on the screen
		Change      chain.Amount `json:"change"`          // how much of the value is change
		Transfer    chain.Amount `json:"transfer"`        // the rest: it counts as paid
		Far         bool         `json:"farIndex,omitempty"`
		Unspendable bool         `json:"unspendable,omitempty"` // this signer signs for no such script
	}
)

// JSON returns the batch as data.
func (b Batch) JSON() BatchJSON {
	out := b.jsonHead()
	for _, it := range b.Items {
		out.Items = append(out.Items, it.json())
	}
	return out
}

// jsonHead is the batch as data without its items.
func (b Batch) jsonHead() BatchJSON {
	return BatchJSON{Digest: b.Digest.String(), Totals: b.Totals(nil), Notices: append([]string{}, b.Notices...), Basis: b.Basis, Items: []ItemJSON{}}
}

func ownJSON(out chain.Movement) *OwnJSON {
	if out.Own == nil {
		return nil
	}
	own := &OwnJSON{SignatureID: out.Own.SignatureID, Change: out.Change, Transfer: out.Transfer(), Far: out.Far, Unspendable: out.Unspendable}
	if out.Own.Index != chain.NoIndex {
		own.Index = &out.Own.Index
	}
	for _, k := range out.Also {
		own.Also = append(own.Also, KeyName(k))
	}
	return own
}

func (it Item) json() ItemJSON {
	j := ItemJSON{ID: it.ID, Chain: it.Chain, Network: it.Network.String(), Verdict: it.Verdict(), Sort: it.Standing().String(),
		Codes: []chain.Code{}, Reasons: []string{}, Inputs: []InputJSON{}, Outputs: []OutputJSON{}}
	for _, list := range [][]policy.Reason{it.Refusals, it.Findings} {
		for _, r := range list {
			j.Codes = append(j.Codes, r.Code)
			j.Reasons = append(j.Reasons, r.Text())
		}
	}
	if it.Facts == nil {
		return j
	}
	j.Valid = validJSON(it.Facts.Validity)
	j.Fee, j.FeeRate, j.Burnt = it.Facts.Fee, it.Facts.FeeRate(), it.Facts.Burnt()
	for _, in := range it.Facts.Sources {
		j.Inputs = append(j.Inputs, InputJSON{in.ID, in.Address, in.Kind, in.Amount, in.Proven, in.Own, in.WaitBlocks, in.WaitSeconds})
	}
	for _, out := range it.Facts.Movements {
		o := OutputJSON{Address: out.Address, Type: out.Kind, Value: out.Amount, Token: out.Asset.Token, Memo: out.Memo, Change: out.IsChange(), Burn: out.IsBurnt(), Own: ownJSON(out)}
		if out.Address == "" {
			o.Script = hexOf(out.Lock)
		}
		j.Outputs = append(j.Outputs, o)
	}
	return j
}

// validJSON is nil of what is always valid.
func validJSON(v chain.Validity) *ValidJSON {
	if v == (chain.Validity{}) {
		return nil
	}
	return &ValidJSON{v.NotBefore.Height, v.NotBefore.Unix, v.NotAfter.Height, v.NotAfter.Unix}
}
