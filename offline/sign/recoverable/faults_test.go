package recoverable

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// The steps in which a bit flips.
const (
	inKey = iota
	inNonce
	inDigest
	inSignature
	steps
)

var stepNames = [steps]string{"key", "nonce", "digest", "signature"}

// machine makes one mistake: a bit flips in one step, one of the times that it
// is taken.
type machine struct {
	step, at, bit int
	taken         [steps]int
}

func (m *machine) flip(step int, b []byte) []byte {
	if m.taken[step]++; step == m.step && m.taken[step] == m.at {
		b[m.bit%(8*len(b))/8] ^= 1 << (m.bit % 8)
	}
	return b
}

func (m *machine) hands() hands {
	return hands{
		digest: func(d [32]byte) [32]byte { return [32]byte(m.flip(inDigest, d[:])) },
		ecdsa: func(private *secp256k1.PrivateKey, digest []byte) []byte {
			secret := private.Key.Bytes()
			key := secp256k1.PrivKeyFromBytes(m.flip(inKey, secret[:]))
			nonce := secp256k1.NonceRFC6979(secret[:], digest, nil, nil, 0).Bytes()
			var k secp256k1.ModNScalar
			k.SetByteSlice(m.flip(inNonce, nonce[:]))
			return m.flip(inSignature, signWith(key, digest, &k))
		},
	}
}

// signWith is a signature in compact form with a given nonce.
func signWith(private *secp256k1.PrivateKey, digest []byte, k *secp256k1.ModNScalar) []byte {
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	var r, z secp256k1.ModNScalar
	r.SetBytes(point.X.Bytes())
	z.SetByteSlice(digest)
	s := new(secp256k1.ModNScalar).Mul2(&private.Key, &r).Add(&z).Mul(new(secp256k1.ModNScalar).InverseValNonConst(k))
	odd := point.Y.IsOdd()
	if s.IsOverHalfOrder() {
		s.Negate()
		odd = !odd
	}
	header := byte(27)
	if odd {
		header++
	}
	rb, sb := r.Bytes(), s.Bytes()
	return append(append([]byte{header}, rb[:]...), sb[:]...)
}

// faultCount is KMS_FAULTS, or what a test run can afford.
func faultCount(t *testing.T) int {
	text := os.Getenv("KMS_FAULTS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("KMS_FAULTS=%q: want a number", text)
	}
	return n
}

func sample(t *testing.T) (secret []byte, account evm.Address, digest func() [32]byte) {
	sum := sha256.Sum256([]byte("a private key"))
	account, err := Account(sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return sum[:], account, func() [32]byte { return sha256.Sum256([]byte("a transaction")) }
}

// No bit that flips in one signature gets out: neither a wrong signature, nor
// a right one with another nonce.
func TestFaults(t *testing.T) {
	secret, account, digest := sample(t)
	want, err := Sign(digest, account, secret)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{}
	h := m.hands()
	if got, err := h.sign(digest, account, secret); err != nil || got != want {
		t.Fatalf("a machine without faults: %v", err)
	}
	random := rand.New(rand.NewPCG(14, 1))
	var caught [steps]int
	for range faultCount(t) {
		*m = machine{step: random.IntN(steps), at: 1 + random.IntN(2), bit: random.IntN(65 * 8)}
		fault := *m
		got, err := h.sign(digest, account, secret)
		if err == nil {
			t.Errorf("a bit flipped in the %s (%+v), and out came %+v", stepNames[fault.step], fault, got)
		}
		caught[fault.step]++
	}
	t.Logf("faults caught in key, nonce, digest, signature: %v", caught)
}

// A digest that is another one each time, as a broken transaction would have.
func TestUnsteadyDigest(t *testing.T) {
	secret, account, _ := sample(t)
	var n byte
	unsteady := func() [32]byte { n++; return sha256.Sum256([]byte{n}) }
	if got, err := Sign(unsteady, account, secret); err == nil {
		t.Errorf("signed: %+v", got)
	}
	late := func() [32]byte { n++; return sha256.Sum256([]byte{n / 3}) }
	n = 0
	if got, err := Sign(late, account, secret); err == nil {
		t.Errorf("signed: %+v", got)
	}
}

func TestSignRefuses(t *testing.T) {
	secret, account, digest := sample(t)
	order, _ := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	for name, bad := range map[string][]byte{"none": nil, "short": secret[:31], "long": append(secret[:32:32], 0), "zero": make([]byte, 32), "the order": order, "above the order": append(order[:31:31], order[31]+1)} {
		if _, err := Sign(digest, account, bad); chain.CodeOf(err) != chain.NoKeyForInput {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Account(bad); chain.CodeOf(err) != chain.NoKeyForInput {
			t.Errorf("%s: account: %v", name, err)
		}
	}
	other := account
	other[0] ^= 1
	if _, err := Sign(digest, other, secret); chain.CodeOf(err) != chain.NoKeyForInput {
		t.Errorf("another account: %v", err)
	}
}

// The nonce of RFC 6979 and the low S, by a path of its own.
func TestSignIsRFC6979(t *testing.T) {
	secret, account, digest := sample(t)
	got, err := Sign(digest, account, secret)
	d := digest()
	want := ecdsa.SignCompact(secp256k1.PrivKeyFromBytes(secret), d[:], false)
	k := secp256k1.NonceRFC6979(secret, d[:], nil, nil, 0)
	if own := signWith(secp256k1.PrivKeyFromBytes(secret), d[:], k); err != nil || string(own) != string(want) || string(got.Bytes()) != string(append(own[1:], own[0]-27)) {
		t.Errorf("%v: got %x, want %x", err, got.Bytes(), want)
	}
}
