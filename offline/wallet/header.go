package wallet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of opening.
var (
	ErrNoWallet      = errors.New("there is no wallet")
	ErrNotWallet     = errors.New("not a wallet file")
	ErrTatumWallet   = errors.New("this is a wallet of Tatum KMS: take it over with importwallet")
	ErrWrongPassword = errors.New("wrong password")
	ErrDamaged       = errors.New("wallet file is damaged")
)

const (
	magic    = "CKMSWAL\x00"
	version  = 1
	argon2id = 1

	saltSize  = 32
	nonceSize = chacha20poly1305.NonceSizeX
	macSize   = sha256.Size
	sumSize   = 8

	atSalt     = 24
	atNonce    = atSalt + saltSize
	atMAC      = atNonce + nonceSize
	atSum      = atMAC + macSize
	headerSize = atSum + sumSize

	// MaxSize bounds a wallet file: 25,000 mnemonics take about 10 MB.
	MaxSize = 128 << 20
)

// tatumPrefix is "Salted__" in base 64: how OpenSSL and CryptoJS start a file.
const tatumPrefix = "U2FsdGVkX1"

// header is the part of a file that is not encrypted.
type header struct {
	cost  Cost
	body  uint32 // length
	salt  [saltSize]byte
	nonce [nonceSize]byte
}

// encode writes the header; mac is over all that comes before it.
func (h header) encode(k *keys) []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = append(b, version, argon2id, h.cost.Lanes, 0)
	b = binary.BigEndian.AppendUint32(b, h.cost.Memory)
	b = binary.BigEndian.AppendUint32(b, h.cost.Passes)
	b = binary.BigEndian.AppendUint32(b, h.body)
	b = append(b, h.salt[:]...)
	b = append(b, h.nonce[:]...)
	b = append(b, headerMAC(k, b)...)
	sum := sha256.Sum256(b)
	return append(b, sum[:sumSize]...)
}

func headerMAC(k *keys, b []byte) []byte {
	mac := hmac.New(sha256.New, k.header[:])
	mac.Write(b)
	return mac.Sum(nil)
}

// parseHeader reads a header and checks all that needs no password.
func parseHeader(file []byte) (header, error) {
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(file[:min(len(file), 64)]), []byte(tatumPrefix)):
		return header{}, ErrTatumWallet
	case len(file) == 0:
		return header{}, fmt.Errorf("%w: it is empty", ErrNotWallet)
	case !bytes.HasPrefix(file, []byte(magic)):
		return header{}, ErrNotWallet
	case len(file) < headerSize:
		return header{}, fmt.Errorf("%w: it is cut off after %d bytes", ErrDamaged, len(file))
	}
	sum := sha256.Sum256(file[:atSum])
	if !bytes.Equal(sum[:sumSize], file[atSum:headerSize]) {
		return header{}, fmt.Errorf("%w: the checksum of its header is wrong", ErrDamaged)
	}
	if file[8] != version || file[9] != argon2id || file[11] != 0 {
		return header{}, fmt.Errorf("%w of this version: it is of version %d.%d", ErrNotWallet, file[8], file[9])
	}
	h := header{
		cost:  Cost{Lanes: file[10], Memory: binary.BigEndian.Uint32(file[12:]), Passes: binary.BigEndian.Uint32(file[16:])},
		body:  binary.BigEndian.Uint32(file[20:]),
		salt:  [saltSize]byte(file[atSalt:]),
		nonce: [nonceSize]byte(file[atNonce:]),
	}
	if err := h.cost.check(); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if uint64(h.body) != uint64(len(file)-headerSize) {
		return header{}, fmt.Errorf("%w: its body has %d bytes instead of %d", ErrDamaged, len(file)-headerSize, h.body)
	}
	return h, nil
}
