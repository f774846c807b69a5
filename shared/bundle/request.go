package bundle

import (
	"fmt"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

// MaxItems bounds the items of one Request or Result.
const MaxItems = 100_000

// Request is what a relay asks a signer to sign.
type Request struct {
	Signer     identity.Public // whom it is for
	Created    int64           // Unix seconds by the relay's clock: for the person, nothing rests on it
	LedgerHead []byte          // head of the signer's ledger that the relay saw last: 32 bytes, or none
	Items      []Item
	Previous   [][]byte // previous transactions without witness, each once
}

// Item is one pending transaction, neutral about its family.
type Item struct {
	ID      string // Tatum's pending id
	Family  string
	Chain   chain.ID
	Network chain.Network
	Tx      []byte      // the family's canonical transaction bytes
	Context []byte      // the family's context: for UTXO, references into Previous
	Keys    []chain.Key // the keys asked for, each once
}

type requestWire struct {
	_        struct{} `cbor:",toarray"`
	Signer   []byte
	Created  int64
	Head     []byte
	Items    []itemWire
	Previous [][]byte
}

type itemWire struct {
	_       struct{} `cbor:",toarray"`
	ID      ident
	Family  string
	Chain   string
	Network uint8
	Tx      []byte
	Context []byte
	Keys    []keyWire
}

type keyWire struct {
	_     struct{} `cbor:",toarray"`
	ID    ident
	Index int64
}

// SealedRequest is a Request that came out of, or goes into, a file.
type SealedRequest struct {
	Request
	Relay  identity.Public // who signed it
	Digest Digest
	File   []byte
}

// SealRequest encodes and signs a Request.
func SealRequest(r Request, relay identity.Private) (SealedRequest, error) {
	if err := r.check(); err != nil {
		return SealedRequest{}, err
	}
	body, err := marshal(r.wire())
	if err != nil {
		return SealedRequest{}, err
	}
	file, err := seal(KindRequest, relay, body)
	if err != nil {
		return SealedRequest{}, err
	}
	return SealedRequest{Request: r, Relay: relay.Public(), Digest: digestOf(KindRequest, relay.Public(), body), File: file}, nil
}

// OpenRequest reads a Request. Errors have ErrInvalid in their chain. Who
// signed it is for the caller to judge.
func OpenRequest(file []byte) (SealedRequest, error) {
	relay, body, err := open(KindRequest, file)
	if err != nil {
		return SealedRequest{}, err
	}
	var w requestWire
	if err := unmarshal(body, &w); err != nil {
		return SealedRequest{}, err
	}
	r, err := w.request()
	if err != nil {
		return SealedRequest{}, err
	}
	return SealedRequest{Request: r, Relay: relay, Digest: digestOf(KindRequest, relay, body), File: file}, nil
}

func (r Request) wire() requestWire {
	w := requestWire{Signer: r.Signer[:], Created: r.Created, Head: nonNil(r.LedgerHead), Items: make([]itemWire, len(r.Items)), Previous: r.Previous}
	if w.Previous == nil {
		w.Previous = [][]byte{}
	}
	for i, it := range r.Items {
		keys := make([]keyWire, len(it.Keys))
		for k, key := range it.Keys {
			keys[k] = keyWire{ID: ident(key.SignatureID), Index: key.Index}
		}
		w.Items[i] = itemWire{ID: ident(it.ID), Family: it.Family, Chain: string(it.Chain), Network: uint8(it.Network), Tx: it.Tx, Context: it.Context, Keys: keys}
	}
	return w
}

func (w requestWire) request() (Request, error) {
	if len(w.Signer) != len(identity.Public{}) {
		return Request{}, fmt.Errorf("%w: signer's key of %d bytes", ErrInvalid, len(w.Signer))
	}
	r := Request{Signer: identity.Public(w.Signer), Created: w.Created, LedgerHead: w.Head, Items: make([]Item, len(w.Items)), Previous: w.Previous}
	for i, it := range w.Items {
		keys := make([]chain.Key, len(it.Keys))
		for k, key := range it.Keys {
			keys[k] = chain.Key{SignatureID: string(key.ID), Index: key.Index}
		}
		r.Items[i] = Item{ID: string(it.ID), Family: it.Family, Chain: chain.ID(it.Chain), Network: chain.Network(it.Network), Tx: it.Tx, Context: it.Context, Keys: keys}
	}
	return r, r.check()
}

func (r Request) check() error {
	switch {
	case len(r.Items) == 0:
		return fmt.Errorf("%w: request without items", ErrInvalid)
	case len(r.Items) > MaxItems:
		return fmt.Errorf("%w: %d items, at most %d: export fewer at once (--max)", ErrInvalid, len(r.Items), MaxItems)
	case len(r.LedgerHead) != 0 && len(r.LedgerHead) != len(Digest{}):
		return fmt.Errorf("%w: ledger head of %d bytes", ErrInvalid, len(r.LedgerHead))
	}
	seen := make(map[string]bool, len(r.Items))
	for _, it := range r.Items {
		if err := it.check(); err != nil {
			return err
		}
		if seen[it.ID] {
			return fmt.Errorf("%w: pending id %s twice", ErrInvalid, it.ID)
		}
		seen[it.ID] = true
	}
	return nil
}

// maxName bounds the names of chain and family, in bytes.
const maxName = 16

// plainName says whether s is letters and digits: it is shown in the review.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

func (it Item) check() error {
	if !plainName(it.Family) || !plainName(string(it.Chain)) {
		return fmt.Errorf("%w: item %.70q: family %.20q, chain %.20q", ErrInvalid, it.ID, it.Family, string(it.Chain))
	}
	if !pending.ValidSignatureID(it.ID) {
		return fmt.Errorf("%w: %.80q is not a pending id", ErrInvalid, it.ID)
	}
	seen := make(map[chain.Key]bool, len(it.Keys))
	for _, key := range it.Keys {
		if !pending.ValidSignatureID(key.SignatureID) || key.Index < chain.NoIndex || key.Index > chain.MaxIndex || seen[key] {
			return fmt.Errorf("%w: item %s: key %.80q %d", ErrInvalid, it.ID, key.SignatureID, key.Index)
		}
		seen[key] = true
	}
	return nil
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
