package bundle

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/attestation"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

// Request is what a relay asks a signer to sign.
type Request struct {
	Signer     identity.Public // whom it is for
	Created    int64           // Unix seconds by the relay's clock: for the person, nothing rests on it
	LedgerHead []byte          // head of the signer's ledger that the relay saw last: 32 bytes, or none
	Items      []Item

	// Attachments are what families carry beside the items, at most one each, by
	// their names in ascending order.
	Attachments []Attachment
}

// Attachment is what a family of chains needs on the other side beside the items
// themselves: for UTXO, previous transactions without witness, each once.
type Attachment struct {
	Family string
	Parts  [][]byte // at least one
}

// AttachmentsOf returns the attachments where only one family has parts.
func AttachmentsOf(family string, parts [][]byte) []Attachment {
	if len(parts) == 0 {
		return nil
	}
	return []Attachment{{family, parts}}
}

// Attached returns the parts of a family; none if there is no attachment for it.
func (r Request) Attached(family string) [][]byte {
	for _, a := range r.Attachments {
		if a.Family == family {
			return a.Parts
		}
	}
	return nil
}

// Attach adds parts to the attachment of a family.
func (r *Request) Attach(family string, parts ...[]byte) {
	if len(parts) == 0 {
		return
	}
	at, have := slices.BinarySearchFunc(r.Attachments, family, func(a Attachment, family string) int { return cmp.Compare(a.Family, family) })
	if !have {
		r.Attachments = slices.Insert(r.Attachments, at, Attachment{Family: family})
	}
	r.Attachments[at].Parts = append(r.Attachments[at].Parts, parts...)
}

// Item is one pending transaction, neutral about its family.
type Item struct {
	ID     string // Tatum's pending id
	Family string
	chain.Coin
	Tx      []byte      // the family's canonical transaction bytes
	Context []byte      // the family's context: for UTXO, references into its attachment
	Keys    []chain.Key // the keys asked for, each once

	// Statements are those of approvers who vouch for the item, by their
	// keys in ascending order, one each.
	Statements []attestation.Statement
}

type requestWire struct {
	_        struct{} `cbor:",toarray"`
	Signer   []byte
	Created  int64
	Head     []byte
	Items    []itemWire
	Attached []attachmentWire
}

type attachmentWire struct {
	_      struct{} `cbor:",toarray"`
	Family string
	Parts  [][]byte
}

type itemWire struct {
	_          struct{} `cbor:",toarray"`
	ID         ident
	Family     string
	Chain      string
	Network    uint8
	Tx         []byte
	Context    []byte
	Keys       []keyWire
	Statements [][]byte
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

// SealRequest encodes and signs a Request. What it gives, OpenRequest reads.
func SealRequest(r Request, relay identity.Private) (SealedRequest, error) {
	if err := r.check(); err != nil {
		return SealedRequest{}, err
	}
	body, err := r.encode()
	if err == nil {
		_, err = readRequest(body) // what the other side would refuse is an error here
	}
	if err != nil {
		return SealedRequest{}, fmt.Errorf("bundle: encode: %w", err)
	}
	file, err := seal(KindRequest, relay, body)
	if err != nil {
		return SealedRequest{}, err
	}
	return SealedRequest{Request: r, Relay: relay.Public(), Digest: digestOf(KindRequest, relay.Public(), body), File: file}, nil
}

// OpenRequest reads a Request of whichever relay. Errors have ErrInvalid in
// their chain.
func OpenRequest(file []byte) (SealedRequest, error) {
	return OpenRequestOf(file, func(identity.Public) error { return nil })
}

// OpenRequestOf reads a Request of a relay that accept has no error for. It is
// asked once the file is known to be by that relay, and before anything in it
// is expanded: a stranger's file costs no more than its signature. Other
// errors have ErrInvalid in their chain.
func OpenRequestOf(file []byte, accept func(relay identity.Public) error) (SealedRequest, error) {
	relay, rest, err := authenticate(KindRequest, file)
	if err != nil {
		return SealedRequest{}, err
	}
	if err := accept(relay); err != nil {
		return SealedRequest{}, err
	}
	body, err := expand(rest)
	if err != nil {
		return SealedRequest{}, err
	}
	r, err := readRequest(body)
	if err != nil {
		return SealedRequest{}, err
	}
	return SealedRequest{Request: r, Relay: relay, Digest: digestOf(KindRequest, relay, body), File: file}, nil
}

// encode returns the body. Room for all of it is made at once: an encoder that
// grows as it goes would hold it three times.
func (r Request) encode() ([]byte, error) {
	mode, err := encoding().UserBufferEncMode()
	if err != nil {
		return nil, err
	}
	size := 256
	for _, it := range r.Items {
		size += it.Load().Bytes
	}
	for _, a := range r.Attachments {
		for _, part := range a.Parts {
			size += LoadOf(part).Bytes
		}
	}
	body := bytes.NewBuffer(make([]byte, 0, size))
	err = mode.MarshalToBuffer(r.wire(), body)
	return body.Bytes(), err
}

func (r Request) wire() requestWire {
	w := requestWire{Signer: r.Signer[:], Created: r.Created, Head: r.LedgerHead, Items: make([]itemWire, len(r.Items)), Attached: make([]attachmentWire, len(r.Attachments))}
	for i, a := range r.Attachments {
		w.Attached[i] = attachmentWire{Family: a.Family, Parts: a.Parts}
	}
	for i, it := range r.Items {
		w.Items[i] = it.wire()
	}
	return w
}

func (it Item) wire() itemWire {
	w := itemWire{
		ID: ident(it.ID), Family: it.Family, Chain: string(it.Chain), Network: uint8(it.Network), Tx: it.Tx, Context: it.Context,
		Keys: make([]keyWire, len(it.Keys)), Statements: make([][]byte, len(it.Statements)),
	}
	for i, key := range it.Keys {
		w.Keys[i] = keyWire{ID: ident(key.SignatureID), Index: key.Index}
	}
	for i, s := range it.Statements {
		w.Statements[i] = s.Bytes()
	}
	return w
}

func (w itemWire) item() (Item, error) {
	it := Item{
		ID: string(w.ID), Family: w.Family, Coin: chain.Coin{Chain: chain.ID(w.Chain), Network: chain.Network(w.Network)}, Tx: w.Tx, Context: w.Context,
		Keys: make([]chain.Key, len(w.Keys)),
	}
	for i, key := range w.Keys {
		it.Keys[i] = chain.Key{SignatureID: string(key.ID), Index: key.Index}
	}
	for _, b := range w.Statements {
		s, err := attestation.Parse(b)
		if err != nil {
			return Item{}, fmt.Errorf("%w: item %.70q: %w", ErrInvalid, it.ID, err)
		}
		it.Statements = append(it.Statements, s)
	}
	return it, nil
}

func (r Request) check() error {
	switch {
	case len(r.Items) == 0:
		return fmt.Errorf("%w: request without items", ErrInvalid)
	case len(r.LedgerHead) != 0 && len(r.LedgerHead) != len(Digest{}):
		return fmt.Errorf("%w: ledger head of %d bytes", ErrInvalid, len(r.LedgerHead))
	}
	if err := tooLarge(r.load().Check()); err != nil {
		return err
	}
	if err := r.checkAttachments(); err != nil {
		return err
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

func (r Request) checkAttachments() error {
	for i, a := range r.Attachments {
		if !plainName(a.Family) || len(a.Parts) == 0 || i > 0 && a.Family <= r.Attachments[i-1].Family {
			return fmt.Errorf("%w: attachment %d, of family %.20q, is empty or not in its place", ErrInvalid, i+1, a.Family)
		}
	}
	return nil
}

func (r Request) load() Load {
	var sum Load
	for _, it := range r.Items {
		sum = sum.Add(it.Load())
	}
	for _, a := range r.Attachments {
		for _, part := range a.Parts {
			sum = sum.Add(LoadOf(part))
		}
	}
	return sum
}

// maxName bounds the names of chain and family, in bytes.
const maxName = 16

// plainName reports whether s is letters and digits: it is shown in the review.
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
	if err := it.Load().CheckItem(); err != nil {
		return fmt.Errorf("%w: item %s: %w", ErrInvalid, it.ID, err)
	}
	seen := make(map[chain.Key]bool, len(it.Keys))
	for _, key := range it.Keys {
		if !pending.ValidSignatureID(key.SignatureID) || key.Index < chain.NoIndex || key.Index > chain.MaxIndex || seen[key] {
			return fmt.Errorf("%w: item %s: key %.80q %d", ErrInvalid, it.ID, key.SignatureID, key.Index)
		}
		seen[key] = true
	}
	return it.checkStatements()
}

func (it Item) checkStatements() error {
	if len(it.Statements) > attestation.Max {
		return fmt.Errorf("%w: item %s: %d statements, at most %d", ErrInvalid, it.ID, len(it.Statements), attestation.Max)
	}
	for i, s := range it.Statements {
		if s.Expires <= 0 || (i > 0 && !ascending(it.Statements[i-1].Approver, s.Approver)) {
			return fmt.Errorf("%w: item %s: statement %d expires at %d, or is not in its place", ErrInvalid, it.ID, i+1, s.Expires)
		}
	}
	return nil
}

// ascending reports whether keys are different ones in their order.
func ascending(a, b identity.Public) bool { return bytes.Compare(a[:], b[:]) < 0 }
