// Package transport turns bytes into the parts that QR symbols carry, and
// parts back into bytes. It is pure: screens and cameras are elsewhere.
//
// There are three lanes. Bundles between the two programs take the fast lane
// (transport/rlnc). Other wallets read and write UR (transport/ur) and BBQr
// (transport/bbqr). The first characters of a part name its lane; decoders are
// never tried in turn. What wallets show as plain text (transport/plain) is read
// and not written.
package transport

import (
	"errors"
	"fmt"
	"strings"

	"coldkms/shared/transport/bbqr"
	"coldkms/shared/transport/rlnc"
	"coldkms/shared/transport/ur"
)

// Lane is a form of parts.
type Lane string

// The lanes.
const (
	Fast Lane = "fast"
	UR   Lane = "ur"
	BBQr Lane = "bbqr"

	Plain Lane = "plain" // only read
)

// Kind is what a payload is, as far as a lane can tell.
type Kind string

// The kinds.
const (
	Bytes       Kind = "bytes" // anything of ours: the file itself says what
	PSBT        Kind = "psbt"
	Transaction Kind = "transaction"
	Text        Kind = "text" // of a BBQr; nothing here uses it
)

// ErrForeign is returned for text that is not a part of any lane. Callers ignore
// it: a camera sees other symbols too.
var ErrForeign = errors.New("not a part of anything that is read here")

// Encoder returns the parts of one payload, for ever.
type Encoder interface {
	Parts() int   // how many are enough where none is missed
	Next() string // capitals, digits and what else QR's alphanumeric mode has
}

// NewEncoder splits a payload so that no part has more than chars characters.
func NewEncoder(lane Lane, kind Kind, payload []byte, chars int) (Encoder, error) {
	switch {
	case lane == Fast && kind == Bytes:
		return rlnc.NewEncoder(payload, chars)
	case lane == UR && kind == Bytes:
		return ur.NewEncoder(ur.Bytes, payload, chars)
	case lane == UR && kind == PSBT:
		return ur.NewEncoder(ur.PSBT, payload, chars)
	case lane == BBQr && kind == Bytes:
		return bbqr.NewEncoder(bbqr.Binary, payload, chars)
	case lane == BBQr && kind == PSBT:
		return bbqr.NewEncoder(bbqr.PSBT, payload, chars)
	case lane == BBQr && kind == Transaction:
		return bbqr.NewEncoder(bbqr.Transaction, payload, chars)
	}
	return nil, fmt.Errorf("transport: the %s lane carries no %s", lane, kind)
}

// LaneOf returns the lane that the first characters of a part name. Plain text
// names none.
func LaneOf(part string) (Lane, bool) {
	switch {
	case strings.HasPrefix(part, rlnc.Prefix):
		return Fast, true
	case strings.HasPrefix(part, bbqr.Prefix):
		return BBQr, true
	case len(part) >= len(ur.Prefix) && strings.EqualFold(part[:len(ur.Prefix)], ur.Prefix):
		return UR, true
	}
	return "", false
}
