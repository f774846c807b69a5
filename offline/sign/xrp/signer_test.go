package xrp

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"coldkms/shared/chain"
	"coldkms/shared/chain/xrp"
)

// Seeds of the tests of ripple-keypairs and of xrpl.org.
const (
	seedSecp256k1 = "sp5fghtJtpUorTwvof1NpDXAzNwf5"
	seedEd25519   = "sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r"
)

func TestSeeds(t *testing.T) {
	for seed, want := range map[string][2]string{
		seedSecp256k1:                   {"030D58EB48B4420B1F7B9DF55087E0E29FEF0E8468F9A6825B01CA2C361042D435", "rU6K7V3Po4snVhBBaU29sesqs2qTQJWDw1"},
		seedEd25519:                     {"ED01FA53FA5A7E77798F882ECE20B1ABC00BB358A9E55A202D0D0676BD0CE37A63", "rLUEXYuLiQptky37CqLcm9USQpPiz5rkpD"},
		"snoPBrXtMeMyMHUVTgbuqAfg1SUTb": {"0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"},
	} {
		key, err := Address([]byte(seed))
		if err != nil || fmt.Sprintf("%X", key) != want[0] || key.Account().String() != want[1] {
			t.Errorf("%s: %X %s (%v), want %s", seed, key, key.Account(), err, want)
		}
	}
}

func sample(t *testing.T, seed string) xrp.Tx {
	t.Helper()
	key, err := Address([]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	return xrp.Tx{Account: key.Account(), Destination: xrp.Account{7: 7}, Amount: xrp.Amount{Drops: 5}, Fee: 10, Sequence: 7, LastLedger: xrp.Some(500)}
}

func TestSign(t *testing.T) {
	for _, seed := range []string{seedSecp256k1, seedEd25519} {
		x := sample(t, seed)
		out, err := Sign(x, []byte(seed))
		if err != nil {
			t.Fatal(err)
		}
		read, key, signature, err := xrp.DecodeSigned(out.Raw)
		if err != nil || !bytes.Equal(read.Encode(), x.Encode()) || !Verify(read, key, signature) || key.Account() != x.Account {
			t.Errorf("%s: %v", seed, err)
		}
		again, err := Sign(x, []byte(seed))
		if err != nil || !bytes.Equal(again.Raw, out.Raw) {
			t.Errorf("%s: signed again, it differs (%v)", seed, err)
		}
		for i := range signature {
			signature[i] ^= 1
			if Verify(read, key, signature) {
				t.Errorf("%s: a signature with byte %d changed verifies", seed, i)
			}
			signature[i] ^= 1
		}
		other := read
		if other.Amount.Drops++; Verify(other, key, signature) {
			t.Errorf("%s: the signature is of another amount too", seed)
		}
	}
}

// A signature with a high S is of the same transaction and gives it another id:
// it is not the one form.
func TestHighS(t *testing.T) {
	x := sample(t, seedSecp256k1)
	out, err := Sign(x, []byte(seedSecp256k1))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := Address([]byte(seedSecp256k1))
	der := out.Signature
	rSize := int(der[3])
	var s secp256k1.ModNScalar
	s.SetByteSlice(der[6+rSize:])
	s.Negate()
	high := s.Bytes()
	body := append(append(bytes.Clone(der[2:4+rSize]), 2, 33, 0), high[:]...)
	forged := append([]byte{0x30, byte(len(body))}, body...)
	if _, err := ecdsa.ParseDERSignature(forged); err != nil {
		t.Fatal(err)
	}
	if Verify(x, key, forged) {
		t.Error("a high S verifies")
	}
}

func TestSignRefuses(t *testing.T) {
	x := sample(t, seedEd25519)
	for name, seed := range map[string]string{
		"none": "", "another account": seedSecp256k1, "an address": x.Account.String(), "checksum": seedEd25519[:30] + "s",
		"short": seedEd25519[:30], "long": seedEd25519 + "r", "spaces": " " + seedEd25519, "hex": "01FA53FA5A7E77798F882ECE20B1ABC0",
		"Stellar's": "SAM7FQ5554SOJDU4QJBLO4HNBOMR5B7QXTCADKGF3RGMWMG24TTGP6P6",
	} {
		out, err := Sign(x, []byte(seed))
		if chain.CodeOf(err) != chain.NoKeyForInput || out.Raw != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(seed) > 8 && bytes.Contains([]byte(err.Error()), []byte(seed)) && name != "an address" {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
	bad := x
	bad.Fee = xrp.MaxFee + 1
	if _, err := Sign(bad, []byte(seedEd25519)); chain.CodeOf(err) != xrp.FeeRange {
		t.Errorf("a fee above the cap: %v", err)
	}
	bad = x
	bad.Flags = xrp.Some(0x20000)
	if _, err := Sign(bad, []byte(seedEd25519)); chain.CodeOf(err) != xrp.OtherFlags {
		t.Errorf("a partial payment: %v", err)
	}
}

// No bit that flips in one of the two signatures gets out, nor one that flips
// in both.
func TestFaults(t *testing.T) {
	x := sample(t, seedEd25519)
	for bit := 0; bit < 8*ed25519.SignatureSize; bit += 7 {
		for _, in := range [][]int{{1}, {2}, {1, 2}} {
			call := 0
			faulty := func(private ed25519.PrivateKey, message []byte) []byte {
				signature := ed25519.Sign(private, message)
				if call++; slices.Contains(in, call) {
					signature[bit/8] ^= 1 << (bit % 8)
				}
				return signature
			}
			if out, err := sign(x, []byte(seedEd25519), faulty); err == nil || out.Raw != nil {
				t.Errorf("bit %d of signatures %v: signed", bit, in)
			}
		}
	}
}
