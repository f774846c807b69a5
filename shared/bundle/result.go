package bundle

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

// Result is what a signer answers to one Request.
type Result struct {
	Request    Digest // of the Request that it answers
	LedgerHead []byte // 32 bytes: head of the signer's ledger once this was recorded
	LedgerLen  uint64 // lines of the ledger up to that head
	Policy     []byte // 32 bytes: hash of the policy that judged, or none for the built-in default
	Outcomes   []Outcome
	Operators  []identity.Public // whose approvals counted, in ascending order
}

// Outcome is what became of one item: signatures, or a refusal.
type Outcome struct {
	ID         string
	Signatures [][]byte   // in the family's form, one an input; none when refused
	Code       chain.Code // of the refusal; "" when signed
	Reason     string     // at most MaxReason bytes of UTF-8
}

// Refused is the outcome of an item that was refused. What the words have that
// cannot travel is replaced, and what is too long is cut.
func Refused(id string, code chain.Code, reason string) Outcome {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > MaxReason {
		cut := MaxReason - len("…")
		for !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut] + "…"
	}
	return Outcome{ID: id, Code: code, Reason: reason}
}

// Bounds of a Result.
const (
	MaxReason    = 1024 // bytes
	maxCode      = 64   // bytes
	MaxOperators = 64
)

// Signed reports whether the item was signed.
func (o Outcome) Signed() bool { return o.Code == "" }

type resultWire struct {
	_         struct{} `cbor:",toarray"`
	Request   []byte
	Head      []byte
	Len       uint64
	Policy    []byte
	Outcomes  []outcomeWire
	Operators [][]byte
}

type outcomeWire struct {
	_          struct{} `cbor:",toarray"`
	ID         ident
	Signatures [][]byte
	Code       string
	Reason     string
}

// SealedResult is a Result that came out of, or goes into, a file.
type SealedResult struct {
	Result
	Signer identity.Public // who signed it
	Digest Digest
	File   []byte
}

// SealResult encodes and signs a Result. What it gives, OpenResult reads.
func SealResult(r Result, signer identity.Private) (SealedResult, error) {
	if err := r.check(); err != nil {
		return SealedResult{}, err
	}
	body, err := marshal(r.wire())
	if err != nil {
		return SealedResult{}, err
	}
	file, err := seal(KindResult, signer, body)
	if err != nil {
		return SealedResult{}, err
	}
	return SealedResult{Result: r, Signer: signer.Public(), Digest: digestOf(KindResult, signer.Public(), body), File: file}, nil
}

func (r Result) wire() resultWire {
	w := resultWire{
		Request: r.Request[:], Head: r.LedgerHead, Len: r.LedgerLen, Policy: r.Policy,
		Outcomes: make([]outcomeWire, len(r.Outcomes)), Operators: make([][]byte, len(r.Operators)),
	}
	for i, o := range r.Outcomes {
		w.Outcomes[i] = outcomeWire{ID: ident(o.ID), Signatures: o.Signatures, Code: string(o.Code), Reason: o.Reason}
	}
	for i, key := range r.Operators {
		w.Operators[i] = key[:]
	}
	return w
}

// OpenResult reads a Result of whichever signer. Errors have ErrInvalid in
// their chain. Who signed it, and for which Request, is for the caller to judge.
func OpenResult(file []byte) (SealedResult, error) {
	return OpenResultOf(file, func(identity.Public) error { return nil })
}

// OpenResultOf reads a Result of a signer that accept has no error for. Like
// OpenRequestOf it asks before anything in the file is expanded. Other errors
// have ErrInvalid in their chain.
func OpenResultOf(file []byte, accept func(signer identity.Public) error) (SealedResult, error) {
	signer, rest, err := authenticate(KindResult, file)
	if err != nil {
		return SealedResult{}, err
	}
	if err := accept(signer); err != nil {
		return SealedResult{}, err
	}
	body, err := expand(rest)
	if err != nil {
		return SealedResult{}, err
	}
	var w resultWire
	if err := unmarshal(body, &w); err != nil {
		return SealedResult{}, err
	}
	r, err := w.result()
	if err != nil {
		return SealedResult{}, err
	}
	return SealedResult{Result: r, Signer: signer, Digest: digestOf(KindResult, signer, body), File: file}, nil
}

func (w resultWire) result() (Result, error) {
	if len(w.Request) != len(Digest{}) {
		return Result{}, fmt.Errorf("%w: request digest of %d bytes", ErrInvalid, len(w.Request))
	}
	r := Result{Request: Digest(w.Request), LedgerHead: w.Head, LedgerLen: w.Len, Policy: w.Policy, Outcomes: make([]Outcome, len(w.Outcomes))}
	for i, o := range w.Outcomes {
		r.Outcomes[i] = Outcome{ID: string(o.ID), Signatures: o.Signatures, Code: chain.Code(o.Code), Reason: o.Reason}
	}
	for _, key := range w.Operators {
		if len(key) != len(identity.Public{}) {
			return Result{}, fmt.Errorf("%w: operator's key of %d bytes", ErrInvalid, len(key))
		}
		r.Operators = append(r.Operators, identity.Public(key))
	}
	return r, r.check()
}

func (r Result) check() error {
	switch {
	case len(r.LedgerHead) != len(Digest{}):
		return fmt.Errorf("%w: ledger head of %d bytes", ErrInvalid, len(r.LedgerHead))
	case len(r.Policy) != 0 && len(r.Policy) != len(Digest{}):
		return fmt.Errorf("%w: policy hash of %d bytes", ErrInvalid, len(r.Policy))
	case len(r.Outcomes) == 0 || len(r.Outcomes) > MaxItems:
		return fmt.Errorf("%w: %d outcomes", ErrInvalid, len(r.Outcomes))
	case len(r.Operators) > MaxOperators:
		return fmt.Errorf("%w: %d operators, at most %d", ErrInvalid, len(r.Operators), MaxOperators)
	}
	for i := 1; i < len(r.Operators); i++ {
		if !ascending(r.Operators[i-1], r.Operators[i]) {
			return fmt.Errorf("%w: operator %d is not in its place", ErrInvalid, i+1)
		}
	}
	seen := make(map[string]bool, len(r.Outcomes))
	for _, o := range r.Outcomes {
		if !pending.ValidSignatureID(o.ID) || seen[o.ID] {
			return fmt.Errorf("%w: outcome of pending id %.80q", ErrInvalid, o.ID)
		}
		seen[o.ID] = true
		if o.Signed() == (len(o.Signatures) == 0) || (o.Signed() && o.Reason != "") {
			return fmt.Errorf("%w: item %s is neither signed nor refused", ErrInvalid, o.ID)
		}
		if len(o.Code) > maxCode || len(o.Reason) > MaxReason {
			return fmt.Errorf("%w: item %s: code of %d bytes, reason of %d", ErrInvalid, o.ID, len(o.Code), len(o.Reason))
		}
	}
	return nil
}
