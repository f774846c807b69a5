package hd

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// Errors about keys in wallet import format.
var (
	ErrWIF        = errors.New("not a private key in wallet import format")
	ErrWIFNetwork = errors.New("private key is of another chain or network")
)

const (
	keySize        = 32
	checksumSize   = 4
	compressedFlag = 0x01
	maxWIF         = 52 // characters: 1 + 32 + 1 + 4 bytes in base 58
)

// EncodeWIF writes a private key in wallet import format: version, key, 01 if
// its public key is compressed, and four bytes of checksum, in base 58. The
// caller wipes the text.
func EncodeWIF(private []byte, compressed bool, coin Coin) ([]byte, error) {
	if err := coin.check(); err != nil {
		return nil, err
	}
	if err := CheckKey(private); err != nil {
		return nil, err
	}
	raw := append(make([]byte, 0, 1+keySize+1+checksumSize), coin.WIF)
	raw = append(raw, private...)
	if compressed {
		raw = append(raw, compressedFlag)
	}
	sum := checksum(raw)
	raw = append(raw, sum[:]...)
	defer clear(raw)
	return encode58(raw), nil
}

// DecodeWIF reads a private key and whether its public key is compressed. The
// version must be that of the chain and network. Some share one (BTC and BCH;
// BTC and LTC on testnet), so this finds most mistakes and not all. The caller
// wipes the key.
func DecodeWIF(wif []byte, coin Coin) (private []byte, compressed bool, err error) {
	if err := coin.check(); err != nil {
		return nil, false, err
	}
	if len(wif) > maxWIF {
		return nil, false, ErrWIF
	}
	raw, ok := decode58(wif)
	defer clear(raw)
	if !ok || len(raw) < 1+keySize+checksumSize {
		return nil, false, ErrWIF
	}
	body, sum := raw[:len(raw)-checksumSize], checksum(raw[:len(raw)-checksumSize])
	if subtle.ConstantTimeCompare(sum[:], raw[len(body):]) != 1 {
		return nil, false, fmt.Errorf("%w: its checksum is wrong, so it was mistyped", ErrWIF)
	}
	switch {
	case len(body) == 1+keySize+1 && body[1+keySize] == compressedFlag:
		compressed = true
	case len(body) != 1+keySize:
		return nil, false, ErrWIF
	}
	if body[0] != coin.WIF {
		return nil, false, fmt.Errorf("%w: not of %s", ErrWIFNetwork, coin.Coin)
	}
	private = bytes.Clone(body[1 : 1+keySize])
	if err := CheckKey(private); err != nil {
		return nil, false, err
	}
	return private, compressed, nil
}

func checksum(b []byte) [checksumSize]byte {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return [checksumSize]byte(second[:checksumSize])
}
