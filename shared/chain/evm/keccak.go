package evm

import "golang.org/x/crypto/sha3"

// Hash is a Keccak-256 digest.
type Hash [32]byte

// Keccak256 hashes as Ethereum does: Keccak as submitted to the SHA-3
// competition, not FIPS 202, whose padding differs.
func Keccak256(parts ...[]byte) (h Hash) {
	k := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		k.Write(p)
	}
	k.Sum(h[:0])
	return h
}
