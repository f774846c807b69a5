package xlm

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
)

// Account is an account's id: its master key of Ed25519.
type Account [32]byte

// Muxed is an account, and an id that its owner tells customers by, or none.
type Muxed struct {
	Account Account
	ID      uint64
	HasID   bool
}

// ErrAddress is returned for what is no address of Stellar.
var ErrAddress = errors.New("not an address of Stellar")

// Versions of strkey.
const (
	versionAccount = 6 << 3  // G
	versionMuxed   = 12 << 3 // M
	// VersionSeed is of a secret seed, S….
	VersionSeed = 18 << 3
)

const checksumSize = 2

// String returns the address, G….
func (a Account) String() string { return EncodeKey(versionAccount, a[:]) }

// String returns the address: G…, or M… with an id.
func (m Muxed) String() string {
	if !m.HasID {
		return m.Account.String()
	}
	return EncodeKey(versionMuxed, binary.BigEndian.AppendUint64(append([]byte{}, m.Account[:]...), m.ID))
}

// ParseAccount reads G….
func ParseAccount(text string) (Account, error) {
	b, err := DecodeKey(versionAccount, []byte(text), len(Account{}))
	if err != nil {
		return Account{}, err
	}
	return Account(b), nil
}

// ParseMuxed reads G… or M….
func ParseMuxed(text string) (Muxed, error) {
	if a, err := ParseAccount(text); err == nil {
		return Muxed{Account: a}, nil
	}
	const size = len(Account{})
	b, err := DecodeKey(versionMuxed, []byte(text), size+8)
	if err != nil {
		return Muxed{}, err
	}
	return Muxed{Account: Account(b[:size]), ID: binary.BigEndian.Uint64(b[size:]), HasID: true}, nil
}

// crc16 is CRC-16/XMODEM.
func crc16(b []byte) (crc uint16) {
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

func encoding32() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// EncodeKey returns the strkey of a version and a payload.
func EncodeKey(version byte, payload []byte) string {
	b := append([]byte{version}, payload...)
	return encoding32().EncodeToString(binary.LittleEndian.AppendUint16(b, crc16(b)))
}

// DecodeKey reads what EncodeKey writes for a version and a payload of a size.
// Nothing of the text is in the error: it may be a secret. What it worked with
// is overwritten.
func DecodeKey(version byte, text []byte, size int) ([]byte, error) {
	b := make([]byte, 1+size+checksumSize)
	defer clear(b)
	if len(text) != encoding32().EncodedLen(len(b)) {
		return nil, ErrAddress
	}
	for _, c := range text { // Decode skips line breaks
		if c == '\n' || c == '\r' {
			return nil, ErrAddress
		}
	}
	body := b[:1+size]
	if n, err := encoding32().Decode(b, text); err != nil || n != len(b) || b[0] != version || binary.LittleEndian.Uint16(b[len(body):]) != crc16(body) {
		return nil, ErrAddress
	}
	again := encoding32().AppendEncode(make([]byte, 0, len(text)), b)
	defer clear(again)
	if string(again) != string(text) { // bits behind the last byte
		return nil, ErrAddress
	}
	return append([]byte(nil), body[1:]...), nil
}
