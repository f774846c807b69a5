package utxo

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/offline"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
	"coldkms/shared/psbt/psbttest"
)

// faultCount is KMS_FAULTS, or what a test run can afford. The full measure:
//
//	KMS_FAULTS=10000 go test ./offline/... -run SignerFaults -v
func faultCount(t *testing.T) int {
	text := os.Getenv("KMS_FAULTS")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("KMS_FAULTS=%q: want a number", text)
	}
	return n
}

// The steps in which a bit flips.
const (
	inKey = iota
	inNonce
	inDigest
	inSignature
	steps
)

var stepNames = [steps]string{"key", "nonce", "digest", "signature"}

// machine makes one mistake: a bit flips in one step of one of the signatures.
type machine struct {
	step  int
	at    int // the how manieth time that step is taken; 0: never
	bit   int
	taken [steps]int
}

func (m *machine) arm(step, at, bit int) { *m = machine{step: step, at: at, bit: bit} }

// now counts a step and reports whether it goes wrong.
func (m *machine) now(step int) bool {
	m.taken[step]++
	return step == m.step && m.taken[step] == m.at
}

func (m *machine) flip(step int, b []byte) []byte {
	if !m.now(step) {
		return b
	}
	b = bytes.Clone(b)
	bit := m.bit % (8 * len(b))
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

// faultyKeys is a wallet whose secrets come out wrong.
type faultyKeys struct {
	two
	m     *machine
	chain chain.ID
}

func (k faultyKeys) Lookup(id string) (chain.Coin, bool) {
	return chain.Coin{Chain: k.chain, Network: chain.Testnet}, id == "a"
}

func (k faultyKeys) Private(id string, index int64) (hd.Secret, error) {
	secret, err := k.two.Private(id, index)
	secret.Bytes = k.m.flip(inKey, secret.Bytes)
	return secret, err
}

// hands returns the steps of a signature on this machine.
func (m *machine) hands() *hands {
	return &hands{
		digest: func(d *utxo.Digester, input int, hash []byte) ([]byte, error) {
			b, err := d.Digest(input, hash)
			return m.flip(inDigest, b), err
		},
		ecdsa: func(private *secp256k1.PrivateKey, digest []byte, compressed bool) []byte {
			if m.now(inNonce) {
				return m.flip(inSignature, ecdsaOtherNonce(private, digest, m.bit%256, compressed))
			}
			return m.flip(inSignature, ecdsa.SignCompact(private, digest, compressed))
		},
		taproot: func(private *secp256k1.PrivateKey, digest []byte) ([]byte, error) {
			if m.now(inNonce) {
				sig, err := taprootOtherNonce(private, digest, m.bit%256)
				return m.flip(inSignature, sig), err
			}
			sig, err := signTaproot(private, digest)
			return m.flip(inSignature, sig), err
		},
		schnorr2019: func(private *secp256k1.PrivateKey, digest []byte) []byte {
			if m.now(inNonce) {
				return m.flip(inSignature, schnorr2019OtherNonce(private, digest, m.bit%256))
			}
			return m.flip(inSignature, signSchnorr2019(private, digest))
		},
	}
}

// flipped returns a nonce with one bit flipped.
func flipped(k *secp256k1.ModNScalar, bit int) *secp256k1.ModNScalar {
	b := k.Bytes()
	b[bit/8] ^= 1 << (bit % 8)
	var out secp256k1.ModNScalar
	out.SetBytes(&b)
	return &out
}

// ecdsaOtherNonce is a valid signature, in compact form, with a nonce of which
// one bit is wrong.
func ecdsaOtherNonce(private *secp256k1.PrivateKey, digest []byte, bit int, compressed bool) []byte {
	secret := private.Key.Bytes()
	k := flipped(secp256k1.NonceRFC6979(secret[:], digest, nil, nil, 0), bit)
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
	if compressed {
		header += 4
	}
	rb, sb := r.Bytes(), s.Bytes()
	return append(append([]byte{header}, rb[:]...), sb[:]...)
}

// taprootOtherNonce has a bit of the auxiliary randomness wrong, from which
// BIP 340 makes its nonce.
func taprootOtherNonce(private *secp256k1.PrivateKey, digest []byte, bit int) ([]byte, error) {
	tweaked := txscript.TweakTaprootPrivKey(*private, nil)
	var aux [32]byte
	aux[bit/8] ^= 1 << (bit % 8)
	sig, err := schnorr.Sign(tweaked, digest, schnorr.CustomNonce(aux))
	if err != nil {
		return nil, err
	}
	return sig.Serialize(), nil
}

func schnorr2019OtherNonce(private *secp256k1.PrivateKey, digest []byte, bit int) []byte {
	secret := private.Key.Bytes()
	k := flipped(nonce2019(secret[:], digest), bit)
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	if !utxo.IsQuadraticResidue(&point.Y) {
		k.Negate()
	}
	r := *point.X.Bytes()
	e := utxo.SchnorrChallenge2019(&r, private.PubKey(), digest)
	s := e.Mul(&private.Key).Add(k).Bytes()
	return append(r[:], s[:]...)
}

// spending is a session on a faulty machine, and a judged request that spends
// two outputs of a script.
type spending struct {
	name    string
	session *offline.Session
	judged  *offline.Judged
	disk    *disk
	inputs  int
}

// disk is a ledger's storage in memory.
type disk struct{ log, mark []byte }

func (d *disk) Load() ([]byte, error)     { return bytes.Clone(d.log), nil }
func (d *disk) Append(b []byte) error     { d.log = append(d.log, b...); return nil }
func (d *disk) Truncate(n int64) error    { d.log = d.log[:n]; return nil }
func (d *disk) LoadMark() ([]byte, error) { return d.mark, nil }
func (d *disk) StoreMark(b []byte) error  { d.mark = bytes.Clone(b); return nil }

func identityOf(t *testing.T, n byte) identity.Private {
	t.Helper()
	key, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSpending(t *testing.T, m *machine, id chain.ID, script []byte) *spending {
	t.Helper()
	const amount, inputs = 1_000_000_000, 2
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{}}}
	msg := &wire.MsgTx{Version: 2, TxOut: []*wire.TxOut{{Value: inputs*amount - 100_000, PkScript: psbttest.Scripts(must(btcec.NewPrivateKey()).PubKey())[0]}}}
	for range inputs {
		prev.TxOut = append(prev.TxOut, &wire.TxOut{Value: amount, PkScript: script})
	}
	for i := range inputs {
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash(), Index: uint32(i)}, Sequence: wire.MaxTxInSequenceNum})
	}
	var raw bytes.Buffer
	if err := prev.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)
	own, relay := identityOf(t, 2), identityOf(t, 1)
	sealed, err := bundle.SealRequest(bundle.Request{Signer: own.Public(), Attachments: bundle.AttachmentsOf(utxo.Name, [][]byte{raw.Bytes()}), Items: []bundle.Item{{
		ID: "id", Family: utxo.Name, Coin: chain.Coin{Chain: id, Network: chain.Testnet}, Tx: tx, Context: context, Keys: []chain.Key{{SignatureID: "a", Index: chain.NoIndex}},
	}}}, relay)
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{}
	book, err := ledger.Create(d, ledger.OwnerOf(own), func() time.Time { return time.Unix(1_790_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	s := &spending{disk: d, inputs: inputs, session: &offline.Session{
		Keys: faultyKeys{m: m, chain: id}, Identity: own, Paired: func(identity.Public) bool { return true }, Ledger: book,
		Policy: policy.Default(sign.Families{Signer{Chains: []chain.ID{id}}}), Signers: []sign.Signer{Signer{Chains: []chain.ID{id}, testOnlyHands: m.hands()}},
	}}
	if s.judged, err = s.session.Judge(sealed.File); err != nil {
		t.Fatal(err)
	}
	if it := s.judged.Batch.Items[0]; it.Refused() {
		t.Fatalf("refused before anything was signed: %+v", it)
	}
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sign signs and reports whether a signature came out, and with which code not.
func (s *spending) sign(t *testing.T) (signed bool, code chain.Code) {
	t.Helper()
	done, err := s.session.Sign(s.judged, policy.Agree(s.judged.Request.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	result, err := bundle.OpenResult(done.Result.File)
	if err != nil {
		t.Fatal(err)
	}
	o := result.Outcomes[0]
	if wrote := strings.Contains(string(s.disk.log), `"kind":"signed"`); wrote != o.Signed() {
		t.Fatalf("%s: the result has a signature: %v, the ledger has: %v", s.name, o.Signed(), wrote)
	}
	return o.Signed() || len(o.Signatures) > 0, o.Code
}

// every kind of input that is signed for.
func spendings(t *testing.T, m *machine) []*spending {
	_, public := btcec.PrivKeyFromBytes(secretOf("a"))
	scripts := psbttest.Scripts(public)
	var list []*spending
	for i, name := range []string{"P2PKH", "P2WPKH", "P2SH-P2WPKH", "P2PK", "P2TR"} {
		s := newSpending(t, m, chain.BTC, scripts[i])
		s.name = "BTC " + name
		list = append(list, s)
	}
	for _, id := range []chain.ID{chain.LTC, chain.DOGE, chain.BCH} {
		s := newSpending(t, m, id, scripts[0])
		s.name = string(id) + " P2PKH"
		list = append(list, s)
	}
	return list
}

// One bit that flips in the key, in a nonce, in a digest or in a signature,
// the first time or when it is made again to compare: nothing is signed, and
// nothing but a refusal is written.
func TestSignerFaults(t *testing.T) {
	var m machine
	all := spendings(t, &m)
	n, caught := faultCount(t), 0
	rng := rand.New(rand.NewPCG(7, 11))
	codes := make(map[chain.Code]int)
	for i := range n {
		s, step := all[i%len(all)], i/len(all)%steps
		at, bit := 1+rng.IntN(2*s.inputs), rng.IntN(8*128)
		m.arm(step, at, bit)
		signed, code := s.sign(t)
		switch {
		case m.taken[step] < at:
			t.Errorf("%s: the %s was used %d times: nothing was injected", s.name, stepNames[step], m.taken[step])
		case signed:
			t.Errorf("%s: bit %d of the %s flipped at signature %d, and it was signed", s.name, bit, stepNames[step], at)
		default:
			caught++
			codes[code]++
		}
	}
	for _, s := range all { // without a fault each of them signs
		m.arm(0, 0, 0)
		if signed, code := s.sign(t); !signed {
			t.Errorf("%s: not signed by a sound machine: %s", s.name, code)
		}
	}
	fmt.Printf("faults: %d/%d caught (%v)\n", caught, n, codes)
	if caught != n {
		t.Fail()
	}
}

// A wrong nonce is found by no verification: that is why all is signed twice.
func TestOtherNoncesVerify(t *testing.T) {
	private, public := btcec.PrivKeyFromBytes(secretOf("a"))
	digest := bytes.Repeat([]byte{9}, 32)
	for bit := range 256 {
		compact := ecdsaOtherNonce(private, digest, bit, true)
		if key, _, err := ecdsa.RecoverCompact(compact, digest); err != nil || !key.IsEqual(public) {
			t.Fatalf("bit %d: ECDSA: %v", bit, err)
		}
	}
}
