package bundle

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of a body.
const (
	maxElements = 200_000   // of every array
	maxValues   = 4_000_000 // in all, arrays and what is in them
)

type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// newCodec returns the strict modes. They are built at each use, some
// microseconds, rather than kept in a package variable.
func newCodec() codec {
	enc, err := encoding().EncMode()
	if err != nil {
		panic("bundle: encoding options: " + err.Error())
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, UTF8: cbor.UTF8RejectInvalid,
		MaxNestedLevels: 8, MaxArrayElements: maxElements, MaxMapPairs: 16,
	}.DecMode()
	if err != nil {
		panic("bundle: decoding options: " + err.Error())
	}
	return codec{enc, dec}
}

func encoding() cbor.EncOptions {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty // else nothing would have two encodings
	return options
}

// marshal gives the one encoding of v, once it is seen to read back: what is
// out of bounds, or text that is no UTF-8, is an error here and not on the
// other side of the gap.
func marshal[T any](v T) ([]byte, error) {
	b, err := newCodec().enc.Marshal(v)
	if err == nil {
		err = unmarshal(b, new(T))
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: encode: %w", err)
	}
	return b, nil
}

// countValues bounds the values of a body before room is made for them: the
// shortest take a byte as they travel, and dozens once they are read. What is
// no CBOR is left to the decoder.
func countValues(b []byte) error {
	for n := 0; len(b) > 0; n++ {
		if n == maxValues {
			return fmt.Errorf("%w: more than %d values", ErrInvalid, maxValues)
		}
		major, size := b[0]>>5, uint64(b[0]&31)
		b = b[1:]
		if size >= 24 {
			width := 1 << (size - 24)
			if size > 27 || len(b) < width {
				return nil
			}
			size = 0
			for _, x := range b[:width] {
				size = size<<8 | uint64(x)
			}
			b = b[width:]
		}
		if major == 2 || major == 3 { // bytes, text
			if size > uint64(len(b)) {
				return nil
			}
			b = b[size:]
		}
	}
	return nil
}

// unmarshal reads the one encoding of a value into v.
func unmarshal(b []byte, v any) error {
	if err := countValues(b); err != nil {
		return err
	}
	c := newCodec()
	if err := c.dec.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	again, err := c.enc.Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	if !bytes.Equal(b, again) {
		return fmt.Errorf("%w: not in its one encoding", ErrInvalid)
	}
	return nil
}

// An ident is an id that travels in half its length where it can: 24 hex
// digits (a pending id) as 12 bytes, a UUID as 16 bytes, anything else as text.
type ident string

// MarshalCBOR implements cbor.Marshaler.
func (id ident) MarshalCBOR() ([]byte, error) {
	if b := id.packed(); b != nil {
		return cbor.Marshal(b)
	}
	return cbor.Marshal(string(id))
}

// UnmarshalCBOR implements cbor.Unmarshaler. A text that has a shorter form
// is caught by the comparison in unmarshal.
func (id *ident) UnmarshalCBOR(b []byte) error {
	if len(b) > 0 && b[0]>>5 == 3 { // major type 3: text
		var s string
		if err := cbor.Unmarshal(b, &s); err != nil {
			return err
		}
		*id = ident(s)
		return nil
	}
	var raw []byte
	if err := cbor.Unmarshal(b, &raw); err != nil {
		return err
	}
	h := hex.EncodeToString(raw)
	switch len(raw) {
	case 12:
		*id = ident(h)
	case 16:
		*id = ident(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
	default:
		return fmt.Errorf("id of %d bytes", len(raw))
	}
	return nil
}

// packed returns the short form of an id, or nil where it has none.
func (id ident) packed() []byte {
	s := string(id)
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 24 && (len(s) != 32 || len(id) != 36) {
		return nil
	}
	b, err := hex.DecodeString(s)
	if err != nil || hex.EncodeToString(b) != s { // upper case would come back as lower case
		return nil
	}
	return b
}
