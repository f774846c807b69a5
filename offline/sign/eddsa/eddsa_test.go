package eddsa

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"coldkms/shared/chain"
)

// Test 2 of RFC 8032, section 7.1.
const (
	rfcSeed      = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
	rfcPublic    = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
	rfcSignature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

func rfc(t *testing.T) (message func() []byte, account [PublicSize]byte, seed []byte) {
	t.Helper()
	seed, err := hex.DecodeString(rfcSeed)
	if err != nil {
		t.Fatal(err)
	}
	public, err := Public(seed)
	if err != nil || hex.EncodeToString(public[:]) != rfcPublic {
		t.Fatalf("%x, %v", public, err)
	}
	return func() []byte { return []byte{0x72} }, public, seed
}

func TestSign(t *testing.T) {
	message, account, seed := rfc(t)
	got, err := Sign(message, account, seed)
	if err != nil || hex.EncodeToString(got[:]) != rfcSignature {
		t.Errorf("%x, %v", got, err)
	}
	if hex.EncodeToString(seed) != rfcSeed {
		t.Error("the key was changed")
	}
}

func TestSignRefuses(t *testing.T) {
	message, account, seed := rfc(t)
	other := account
	other[0] ^= 1
	for name, c := range map[string]struct {
		account [PublicSize]byte
		seed    []byte
	}{
		"other account": {other, seed},
		"other key":     {account, bytes.Repeat([]byte{1}, SeedSize)},
		"short key":     {account, seed[:SeedSize-1]},
		"long key":      {account, append(bytes.Clone(seed), 0)},
		"no key":        {account, nil},
	} {
		if got, err := Sign(message, c.account, c.seed); chain.CodeOf(err) != chain.NoKeyForInput {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// A machine that makes a mistake, the first time, the second or always, signs
// nothing.
func TestFaults(t *testing.T) {
	const always = 0
	message, account, seed := rfc(t)
	for bad := range 3 {
		for name, fault := range map[string]func(n int) hands{
			"message": func(n int) hands {
				h, calls := steady(), 0
				h.message = func(m []byte) []byte {
					if calls++; n == always || calls == n {
						m[0] ^= 1
					}
					return m
				}
				return h
			},
			"signature": func(n int) hands {
				h, calls := steady(), 0
				h.sign = func(private ed25519.PrivateKey, m []byte) []byte {
					s := ed25519.Sign(private, m)
					if calls++; n == always || calls == n {
						s[0] ^= 1
					}
					return s
				}
				return h
			},
			"short signature": func(n int) hands {
				h, calls := steady(), 0
				h.sign = func(private ed25519.PrivateKey, m []byte) []byte {
					s := ed25519.Sign(private, m)
					if calls++; n == always || calls == n {
						s = s[:SignatureSize-1]
					}
					return s
				}
				return h
			},
		} {
			if s, err := fault(bad).signTwice(message, account, seed); err == nil || s != [SignatureSize]byte{} {
				t.Errorf("%s, time %d: %x, %v", name, bad, s, err)
			}
		}
	}
	changing := byte(0)
	if s, err := Sign(func() []byte { changing++; return []byte{changing} }, account, seed); err == nil {
		t.Errorf("a message that changes: %x", s)
	}
}
