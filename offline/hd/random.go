package hd

import (
	"fmt"
	"io"
)

// NewKey draws a private key of 32 bytes straight from the source of
// randomness. The caller wipes it.
//
// Words in between, as Tatum KMS makes them and throws them away, would add
// nothing: a key has as much entropy as its 32 bytes either way.
func NewKey(entropy *Source) ([]byte, error) {
	key := make([]byte, keySize)
	if _, err := io.ReadFull(entropy, key); err != nil {
		return nil, fmt.Errorf("new key: %w", err)
	}
	if err := CheckKey(key); err != nil { // once in 2^127, and the source refuses its leading 0xff before
		clear(key)
		return nil, fmt.Errorf("new key: %w: %w", ErrEntropy, err)
	}
	return key, nil
}
