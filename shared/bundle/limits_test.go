package bundle

import (
	"errors"
	"testing"

	"coldkms/shared/chain"
)

// A Load is never less than what an item takes in the body: a relay that packs
// by it never makes a body that is too large.
func TestLoadIsAtLeastTheBytesOfTheBody(t *testing.T) {
	r := sampleRequest(t)
	r.Items[0].Keys = append(r.Items[0].Keys, chain.Key{SignatureID: "an id that has no shorter form, and travels as text", Index: chain.MaxIndex})
	r.Items[1].Statements = statements(3)
	for len(r.Attached("utxo")) < 300 {
		r.Attach("utxo", make([]byte, len(r.Attached("utxo"))))
	}
	body, err := marshal(r.wire())
	if err != nil {
		t.Fatal(err)
	}
	if got, least := r.load().Bytes, len(body)-128; got < least || got > 2*len(body) {
		t.Errorf("load of %d bytes, the body has %d", got, len(body))
	}
}

func TestLoadIsChecked(t *testing.T) {
	for _, l := range []Load{
		{Items: MaxItems + 1}, {Keys: MaxAllKeys + 1}, {Inputs: MaxAllInputs + 1}, {Outputs: MaxAllOutputs + 1},
		{Parts: MaxParts + 1}, {Statements: MaxAllStatements + 1}, {Bytes: MaxBody}, {Hashed: MaxAllHashed + 1},
	} {
		if err := l.Check(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for _, l := range []Load{{Keys: MaxKeys + 1}, {Inputs: MaxInputs + 1}, {Outputs: MaxOutputs + 1}, {Bytes: MaxItemBody + 1}, {Hashed: MaxHashed + 1}} {
		if err := l.CheckItem(); !errors.Is(err, ErrTooLarge) || l.Check() != nil {
			t.Errorf("one item of %+v: %v, %v", l, err, l.Check())
		}
	}
}
