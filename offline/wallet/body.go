package wallet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"coldkms/shared/identity"
)

// body is what a wallet file encrypts.
type body struct {
	Seed      []byte // of the signer's identity
	Ledger    []byte // hash of the ledger's first authenticated line, in hex
	Relays    []Relay
	Entries   []Entry
	Policy    []byte // in its own encoding; none: none was ever set
	Operators []Operator
	Known     []byte // hash of the ledger's last line when this file was written
}

// bodyWire is a body as the file has it. It shares the slices.
type bodyWire struct {
	Seed      []byte      `cbor:"1,keyasint"`
	Ledger    []byte      `cbor:"2,keyasint,omitempty"`
	Relays    []Relay     `cbor:"3,keyasint"`
	Entries   []entryWire `cbor:"4,keyasint"`
	Policy    []byte      `cbor:"5,keyasint,omitempty"`
	Operators []Operator  `cbor:"6,keyasint,omitempty"`
	Known     []byte      `cbor:"7,keyasint,omitempty"`
}

func (b *body) wire() bodyWire {
	w := bodyWire{
		Seed: b.Seed, Ledger: b.Ledger, Relays: b.Relays, Entries: make([]entryWire, len(b.Entries)),
		Policy: b.Policy, Operators: b.Operators, Known: b.Known,
	}
	for i, e := range b.Entries {
		w.Entries[i] = e.wire()
	}
	return w
}

func (w bodyWire) body() *body {
	b := &body{
		Seed: w.Seed, Ledger: w.Ledger, Relays: w.Relays, Entries: make([]Entry, len(w.Entries)),
		Policy: w.Policy, Operators: w.Operators, Known: w.Known,
	}
	for i, e := range w.Entries {
		b.Entries[i] = e.entry()
	}
	return b
}

// Relay is a machine from which requests are accepted.
type Relay struct {
	Key   identity.Public `cbor:"1,keyasint"`
	Name  string          `cbor:"2,keyasint"`
	Added int64           `cbor:"3,keyasint"` // Unix time
}

// Bounds of a body.
const (
	maxEntries = 1 << 18
	maxRelays  = 256
	maxName    = 256
	maxLedger  = 64
	maxKnown   = 32
	maxPolicy  = 1 << 20
)

func encodeBody(b *body) ([]byte, error) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty // else no relays would have two encodings
	mode, err := options.EncMode()
	if err != nil {
		return nil, err
	}
	return mode.Marshal(b.wire())
}

// decodeBody is strict: one value has one encoding.
func decodeBody(raw []byte) (*body, error) {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxArrayElements:  maxEntries,
		MaxMapPairs:       32,
		MaxNestedLevels:   8,
	}.DecMode()
	if err != nil {
		return nil, err
	}
	var w bodyWire
	err = mode.Unmarshal(raw, &w)
	b := w.body()
	if err != nil {
		b.wipe()
		return nil, err
	}
	if err := b.checkEncoding(raw); err != nil {
		b.wipe()
		return nil, err
	}
	return b, nil
}

func (b *body) checkEncoding(raw []byte) error {
	again, err := encodeBody(b)
	defer clear(again)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, again) {
		return errors.New("not in its one encoding")
	}
	return b.check()
}

func (b *body) check() error {
	if len(b.Seed) != identity.SeedSize || len(b.Ledger) > maxLedger || len(b.Known) > maxKnown || len(b.Policy) > maxPolicy || len(b.Relays) > maxRelays || len(b.Entries) > maxEntries {
		return errors.New("a field is out of bounds")
	}
	for i, r := range b.Relays {
		if len(r.Name) > maxName {
			return fmt.Errorf("name of relay %d is too long", i)
		}
	}
	for i := range b.Entries {
		if err := b.Entries[i].check(); err != nil {
			return err
		}
	}
	return checkOperators(b.Operators)
}

func (b *body) wipe() {
	clear(b.Seed)
	for i := range b.Entries {
		b.Entries[i].wipe()
	}
}
