package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/attestation"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func statements(n int) []attestation.Statement {
	list := make([]attestation.Statement, n)
	for i := range list {
		list[i] = attestation.Statement{Approver: identity.Public{byte(i + 1)}, Expires: 1_790_003_600}
	}
	return list
}

func operators(n int) []identity.Public {
	list := make([]identity.Public, n)
	for i := range list {
		list[i] = identity.Public{byte(i + 1)}
	}
	return list
}

// What cannot be opened on the other side is refused before it is sealed.
func TestRequestThatWouldNotOpenIsNotSealed(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"too many previous transactions": func(r *Request) { r.Attachments = AttachmentsOf("utxo", make([][]byte, maxElements+1)) },
		"attachment twice":               func(r *Request) { r.Attachments = append(r.Attachments, r.Attachments...) },
		"attachment without part":        func(r *Request) { r.Attachments = []Attachment{{Family: "utxo"}} },
		"attachments disordered": func(r *Request) {
			r.Attachments = append([]Attachment{{Family: "x", Parts: [][]byte{{1}}}}, r.Attachments...)
		},
		"too many keys": func(r *Request) {
			for i := range MaxKeys + 1 {
				r.Items[1].Keys = append(r.Items[1].Keys, chain.Key{SignatureID: "a", Index: int64(i)})
			}
		},
		"too many statements":       func(r *Request) { r.Items[0].Statements = statements(attestation.Max + 1) },
		"statement twice":           func(r *Request) { r.Items[0].Statements = slices.Repeat(statements(1), 2) },
		"statements out of order":   func(r *Request) { r.Items[0].Statements = statements(2); slices.Reverse(r.Items[0].Statements) },
		"statement without an end":  func(r *Request) { r.Items[0].Statements = []attestation.Statement{{}} },
		"statement before the ages": func(r *Request) { r.Items[0].Statements = []attestation.Statement{{Expires: -1}} },
	} {
		r := sampleRequest(t)
		change(&r)
		if _, err := SealRequest(r, key(t, 1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResultThatWouldNotOpenIsNotSealed(t *testing.T) {
	for name, change := range map[string]func(*Result){
		"reason that is no UTF-8": func(r *Result) { r.Outcomes[1].Reason = "\xff" },
		"code that is no UTF-8":   func(r *Result) { r.Outcomes[1].Code = "\xff" },
		"long reason":             func(r *Result) { r.Outcomes[1].Reason = strings.Repeat("x", MaxReason+1) },
		"long code":               func(r *Result) { r.Outcomes[1].Code = chain.Code(strings.Repeat("x", maxCode+1)) },
		"too many operators":      func(r *Result) { r.Operators = operators(MaxOperators + 1) },
		"operator twice":          func(r *Result) { r.Operators = slices.Repeat(operators(1), 2) },
		"operators out of order":  func(r *Result) { r.Operators = operators(2); slices.Reverse(r.Operators) },
		"too many signatures":     func(r *Result) { r.Outcomes[0].Signatures = make([][]byte, maxElements+1) },
	} {
		r := sampleResult()
		change(&r)
		if _, err := SealResult(r, key(t, 2)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The words of a refusal come from anywhere, and the result has to leave.
func TestRefusedTravelsWhateverTheWords(t *testing.T) {
	for _, reason := range []string{"", "plain", "\xff\xfe", strings.Repeat("é", MaxReason), strings.Repeat("x", MaxReason), strings.Repeat("\xff", MaxReason)} {
		r := sampleResult()
		r.Outcomes[1] = Refused("UPPER", chain.InternalFailure, reason)
		sealed, err := SealResult(r, key(t, 2))
		if err != nil {
			t.Errorf("%.20q: %v", reason, err)
			continue
		}
		if _, err := OpenResult(sealed.File); err != nil {
			t.Errorf("%.20q: %v", reason, err)
		}
	}
}

// Few bytes that would be many values are counted before room is made.
func TestTooManyValuesAreRefusedBeforeTheyAreRead(t *testing.T) {
	body, err := marshal(sampleRequest(t).wire())
	if err != nil {
		t.Fatal(err)
	}
	empty := bytes.Repeat([]byte{0x40}, 199_000) // as many empty previous transactions
	var many []byte
	for range 21 {
		many = append(append(many, 0x9a, 0, 3, 9, 0x58), empty...)
	}
	file, err := seal(KindRequest, key(t, 1), append(bytes.Clone(body[:len(body)-5]), many...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRequest(file); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "values") {
		t.Errorf("%d values: %v", 21*len(empty), err)
	}
}

func TestCountValues(t *testing.T) {
	for _, b := range [][]byte{nil, {0xff}, {0x1f}, {0x5b, 1, 2}, {0x5b, 255, 255, 255, 255, 255, 255, 255, 255}, {0x42, 0}} {
		if err := countValues(b); err != nil {
			t.Errorf("%x: %v", b, err)
		}
	}
	if err := countValues(make([]byte, maxValues)); err != nil {
		t.Error(err)
	}
	if err := countValues(make([]byte, maxValues+1)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := countValues(append([]byte{0x5a, 0, 0x5b, 0x8d, 0x80}, make([]byte, 6_000_000)...)); err != nil { // one value
		t.Error(err)
	}
}

var errStranger = errors.New("stranger")

// A stranger's file is not expanded, whatever is in it.
func TestStrangersFileIsNotExpanded(t *testing.T) {
	for kind, open := range map[Kind]func([]byte, func(identity.Public) error) error{
		KindRequest: func(file []byte, accept func(identity.Public) error) error {
			_, err := OpenRequestOf(file, accept)
			return err
		},
		KindResult: func(file []byte, accept func(identity.Public) error) error {
			_, err := OpenResultOf(file, accept)
			return err
		},
	} {
		file, err := wrap(kind, key(t, 9), 7, append(make([]byte, headerSize), "no deflate stream"...))
		if err != nil {
			t.Fatal(err)
		}
		var asked identity.Public
		err = open(file, func(author identity.Public) error { asked = author; return errStranger })
		if !errors.Is(err, errStranger) || asked != key(t, 9).Public() {
			t.Errorf("a stranger's %s: %v", kind, err)
		}
		file[len(file)-1] ^= 1
		err = open(file, func(identity.Public) error { return fmt.Errorf("asked about an author who did not sign") })
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("an altered %s: %v", kind, err)
		}
	}
}

// Nothing that is left out has an encoding of its own.
func TestNullIsNoEmptyValue(t *testing.T) {
	body, err := marshal(Result{Request: Digest{1}, LedgerHead: make([]byte, 32), Outcomes: []Outcome{{ID: "a", Code: "x"}}}.wire())
	if err != nil {
		t.Fatal(err)
	}
	if err := unmarshal(body, new(resultWire)); err != nil {
		t.Fatal(err)
	}
	if body[len(body)-1] != 0x80 {
		t.Fatalf("%x ends in no empty array", body)
	}
	body[len(body)-1] = 0xf6
	if err := unmarshal(body, new(resultWire)); !errors.Is(err, ErrInvalid) {
		t.Errorf("null for no operators: %v", err)
	}
}
