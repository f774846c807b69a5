package utxo

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func randomTx(rng *rand.Rand, inputs, outputs int) *wire.MsgTx {
	msg := &wire.MsgTx{Version: int32(rng.Uint32()), LockTime: rng.Uint32()}
	for range inputs {
		in := &wire.TxIn{Sequence: rng.Uint32()}
		copy(in.PreviousOutPoint.Hash[:], randomBytes(rng, 32))
		in.PreviousOutPoint.Index = rng.Uint32N(4)
		msg.TxIn = append(msg.TxIn, in)
	}
	for range outputs {
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: rng.Int64N(1e12), PkScript: randomBytes(rng, rng.IntN(300))})
	}
	return msg
}

// The shared legacy hashes are those of the plain way, for any transaction.
func TestLegacyDigestIsTheOriginal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		msg := randomTx(rng, 1+rng.IntN(300), rng.IntN(300))
		l := newLegacyHashes(msg)
		i := rng.IntN(len(msg.TxIn))
		script := append([]byte{txscript.OP_DUP}, bytes.Repeat([]byte{txscript.OP_NOP}, rng.IntN(400))...)
		want, err := txscript.CalcSignatureHash(script, txscript.SigHashAll, msg, i)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.digest(i, script); !bytes.Equal(got, want) {
			t.Fatalf("input %d of %d: %x, want %x", i, len(msg.TxIn), got, want)
		}
	}
}

func TestWalkFindsTheOutputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		msg := randomTx(rng, 1+rng.IntN(300), rng.IntN(300))
		for _, in := range msg.TxIn {
			in.SignatureScript = randomBytes(rng, rng.IntN(300))
		}
		raw := serialize(msg)
		table, err := NewTable([][]byte{raw})
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := table.Find(msg.TxHash()); !ok || at != 0 {
			t.Fatal("the table does not know the transaction by its id")
		}
		for i, out := range msg.TxOut {
			if value, script, ok := table.Output(0, uint32(i)); !ok || out.Value != value || !bytes.Equal(out.PkScript, script) {
				t.Fatalf("output %d differs", i)
			}
		}
		if _, _, ok := table.Output(0, uint32(len(msg.TxOut))); ok {
			t.Fatal("an output behind the last")
		}
		for _, bad := range [][]byte{raw[:len(raw)-1], append(bytes.Clone(raw), 0), {}, raw[:4]} {
			if _, err := NewTable([][]byte{bad}); chain.CodeOf(err) != chain.Malformed {
				t.Fatalf("%d of %d bytes: %v", len(bad), len(raw), err)
			}
		}
		if _, err := NewTable([][]byte{raw, raw}); chain.CodeOf(err) != chain.Malformed {
			t.Fatalf("the same twice: %v", err)
		}
	}
}

// fixture is a one-key wallet whose outputs of every kind can be spent.
type fixture struct {
	key    *btcec.PrivateKey
	pub    []byte
	table  *Table
	prev   *wire.MsgTx
	params Params
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{5}, 32))
	pub := key.PubKey().SerializeCompressed()
	hash := btcaddr.Hash160(pub)
	params, err := ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Testnet})
	if err != nil {
		t.Fatal(err)
	}
	program := witnessProgram(hash)
	nested := append(append([]byte{txscript.OP_HASH160, 20}, btcaddr.Hash160(program)...), txscript.OP_EQUAL)
	scripts := [][]byte{
		append(append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...), txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG),
		program, nested,
		append(append([]byte{33}, pub...), txscript.OP_CHECKSIG),
	}
	prev := randomTx(rand.New(rand.NewPCG(3, 3)), 1, 0)
	for _, s := range scripts {
		prev.TxOut = append(prev.TxOut, &wire.TxOut{Value: 100_000, PkScript: s})
	}
	table, err := NewTable([][]byte{serialize(prev)})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{key: key, pub: pub, table: table, prev: prev, params: params}
}

func (f fixture) spend(inputs []uint32, values ...int64) *wire.MsgTx {
	msg := &wire.MsgTx{Version: 2}
	for _, i := range inputs {
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: f.prev.TxHash(), Index: i}, Sequence: wire.MaxTxInSequenceNum})
	}
	for _, v := range values {
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: v, PkScript: f.prev.TxOut[1].PkScript})
	}
	return msg
}

func (f fixture) encode(msg *wire.MsgTx) (tx, context []byte) {
	return Encode(msg, func(id chainhash.Hash) int { at, _ := f.table.Find(id); return at }, nil)
}

func (f fixture) decode(msg *wire.MsgTx) (*Tx, error) {
	tx, context := f.encode(msg)
	return Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, tx, context, f.table)
}

func TestDecodeRefuses(t *testing.T) {
	f := newFixture(t)
	over := f.spend([]uint32{0}, 1)
	over.TxOut[0].Value = 21e14 + 1
	cases := map[chain.Code]*wire.MsgTx{
		chain.NoInputs:        f.spend(nil, 1),
		chain.NoOutputs:       f.spend([]uint32{0}),
		chain.DuplicateInput:  f.spend([]uint32{0, 1, 0}, 1),
		chain.OutputsAbove:    f.spend([]uint32{0, 1}, 100_000, 100_001),
		chain.ValueOutOfRange: over,
		chain.UnprovenAmount:  f.spend([]uint32{9}, 1),
	}
	for want, msg := range cases {
		if _, err := f.decode(msg); chain.CodeOf(err) != want {
			t.Errorf("got %v, want code %s", err, want)
		}
	}
	tx, err := f.decode(f.spend([]uint32{0, 1}, 100_000, 100_000))
	if err != nil || tx.sums.in != tx.sums.out {
		t.Errorf("a transaction without fee does not decode: %v", err)
	}
}

func TestClaimDecodesAsUnproven(t *testing.T) {
	f := newFixture(t)
	msg := f.spend([]uint32{1}, 5)
	tx, context := Encode(msg, func(chainhash.Hash) int { return -1 }, []Claim{{Value: 77, Script: f.prev.TxOut[1].PkScript}})
	empty, err := NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, tx, context, empty)
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Spent()[0]; s.Proven || s.Value != 77 || s.Outpoint != msg.TxIn[0].PreviousOutPoint {
		t.Errorf("claimed input came back as %+v", s)
	}
}

func (f fixture) sign(t testing.TB, tx *Tx) [][]byte {
	t.Helper()
	var sigs [][]byte
	d := tx.Digester()
	for i, s := range tx.Spent() {
		digest, err := d.Digest(i, btcaddr.Hash160(f.pub))
		if err != nil {
			t.Fatal(err)
		}
		sig := ecdsa.SignCompact(f.key, digest, true)
		if f.params.KindOf(s.Script) == P2SH {
			sig = append(sig, f.pub...)
		}
		sigs = append(sigs, sig)
	}
	return sigs
}

func TestFinalizeRefusesEveryFlippedBit(t *testing.T) {
	f := newFixture(t)
	tx, err := f.decode(f.spend([]uint32{0, 1, 2, 3}, 390_000))
	if err != nil {
		t.Fatal(err)
	}
	sigs := f.sign(t, tx)
	want, err := tx.Finalize(sigs)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sigs {
		for bit := 0; bit < len(sigs[i])*8; bit += 5 {
			bad := append([][]byte{}, sigs...)
			bad[i] = bytes.Clone(sigs[i])
			bad[i][bit/8] ^= 1 << (bit % 8)
			got, err := tx.Finalize(bad)
			if err == nil && !bytes.Equal(got.Raw, want.Raw) {
				t.Fatalf("input %d bit %d: another transaction was accepted", i, bit)
			}
			if err != nil && chain.CodeOf(err) != chain.Incomplete {
				t.Fatalf("input %d bit %d: %v", i, bit, err)
			}
		}
	}
	for _, bad := range [][][]byte{nil, sigs[:3], {sigs[1], sigs[0], sigs[2], sigs[3]}, {nil, sigs[1], sigs[2], sigs[3]}} {
		if _, err := tx.Finalize(bad); chain.CodeOf(err) != chain.Incomplete {
			t.Errorf("%d signatures, swapped or missing: %v", len(bad), err)
		}
	}
}

// A signature with high S is another encoding of the same signature. Turned
// quietly into the low form it would let a changed result pass.
func TestFinalizeRefusesHighS(t *testing.T) {
	f := newFixture(t)
	tx, err := f.decode(f.spend([]uint32{1}, 90_000))
	if err != nil {
		t.Fatal(err)
	}
	sig := f.sign(t, tx)[0]
	var s btcec.ModNScalar
	s.SetByteSlice(sig[33:])
	s.Negate()
	high := bytes.Clone(sig)
	sb := s.Bytes()
	copy(high[33:], sb[:])
	high[0] = 27 + 4 + ((high[0] - 31) ^ 1)
	if _, err := tx.Finalize([][]byte{high}); chain.CodeOf(err) != chain.Incomplete {
		t.Errorf("high S: %v", err)
	}
}

func TestVSizeIsJustAbove(t *testing.T) {
	f := newFixture(t)
	for _, inputs := range [][]uint32{{0}, {1}, {2}, {3}, {0, 1, 2, 3}} {
		tx, err := f.decode(f.spend(inputs, 1000, 1000))
		if err != nil {
			t.Fatal(err)
		}
		final, err := tx.Finalize(f.sign(t, tx))
		if err != nil {
			t.Fatal(err)
		}
		got, err := btcutil.NewTxFromBytes(final.Raw)
		if err != nil {
			t.Fatal(err)
		}
		real := int64(got.MsgTx().SerializeSizeStripped()*3+got.MsgTx().SerializeSize()+3) / 4
		estimate := tx.Explain(anyKey{}).Size
		if estimate < real || estimate > real+2*int64(len(inputs)) {
			t.Errorf("inputs %v: estimated %d vB, is %d", inputs, estimate, real)
		}
	}
}

type anyKey struct{}

func (anyKey) Signs([]byte) (int, bool)       { return 33, true }
func (anyKey) Owner([]byte) (chain.Key, bool) { return chain.Key{}, false }
func (anyKey) Unused([]Spent) []chain.Key     { return nil }

// Bitcoin Core's own figures at 3 sat/vB (policy.cpp, GetDustThreshold).
func TestDustLimit(t *testing.T) {
	p, err := ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]int64{
		"76a914" + "00112233445566778899aabbccddeeff00112233" + "88ac":              546,
		"a914" + "00112233445566778899aabbccddeeff00112233" + "87":                  540,
		"0014" + "00112233445566778899aabbccddeeff00112233":                         294,
		"0020" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff": 330,
		"5120" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff": 330,
		"6a0401020304": 0,
	} {
		b, err := hex.DecodeString(script)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.dustLimit(b); got != want {
			t.Errorf("dust limit of %s is %d, want %d", script, got, want)
		}
	}
}

// Published addresses: BIP 173, BIP 350 and BIP 16's usual examples.
func TestAddress(t *testing.T) {
	for _, c := range []struct {
		id      chain.ID
		network chain.Network
		script  string
		want    string
	}{
		{chain.BTC, chain.Mainnet, "0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{chain.BTC, chain.Testnet, "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"},
		{chain.BTC, chain.Mainnet, "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"},
		{chain.BTC, chain.Mainnet, "5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"},
		{chain.BTC, chain.Mainnet, "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"},
		{chain.LTC, chain.Mainnet, "0014751e76e8199196d454941c45d1b3a323f1433bd6", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9"},
		{chain.DOGE, chain.Mainnet, "0014751e76e8199196d454941c45d1b3a323f1433bd6", ""}, // no segwit there
		{chain.BTC, chain.Mainnet, "6a0401020304", ""},
	} {
		p, err := ParamsOf(chain.Coin{Chain: c.id, Network: c.network})
		if err != nil {
			t.Fatal(err)
		}
		script, err := hex.DecodeString(c.script)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Address(script); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.id, c.script, got, c.want)
		}
	}
}

// FuzzCodec: what decodes encodes to the same bytes.
func FuzzCodec(f *testing.F) {
	fix := newFixture(f)
	for _, msg := range []*wire.MsgTx{fix.spend([]uint32{0, 1}, 5, 6), fix.spend([]uint32{3}, 1)} {
		tx, context := fix.encode(msg)
		f.Add(tx, context)
	}
	f.Fuzz(func(t *testing.T, tx, context []byte) {
		msg, spent, err := decode(tx, context, fix.table)
		if err != nil {
			if chain.CodeOf(err) == chain.InternalFailure {
				t.Error(err)
			}
			return
		}
		var claims []Claim
		for _, s := range spent {
			claims = append(claims, Claim{s.Value, s.Script})
		}
		at := 0
		again, ctx := Encode(msg, func(id chainhash.Hash) int {
			defer func() { at++ }()
			if !spent[at].Proven {
				return -1
			}
			i, _ := fix.table.Find(id)
			return i
		}, claims)
		if !bytes.Equal(again, tx) || !bytes.Equal(ctx, context) {
			t.Errorf("%x %x came back as %x %x", tx, context, again, ctx)
		}
	})
}

func FuzzWalk(f *testing.F) {
	fix := newFixture(f)
	f.Add(serialize(fix.prev))
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, err := NewTable([][]byte{raw})
		if err != nil {
			return
		}
		var msg wire.MsgTx
		if err := msg.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
			t.Fatalf("walked, but the library does not read it: %v", err)
		}
		if msg.TxHash() != table.entries[0].id || len(msg.TxOut) != table.entries[0].outputs {
			t.Error("the library reads another transaction")
		}
		for i, out := range msg.TxOut {
			if value, script, ok := table.Output(0, uint32(i)); !ok || out.Value != value || !bytes.Equal(out.PkScript, script) {
				t.Errorf("the library reads another output %d", i)
			}
		}
	})
}

// A number in more bytes than it needs is a second encoding.
func TestLongVarintIsRefused(t *testing.T) {
	f := newFixture(t)
	tx, context := f.encode(f.spend([]uint32{0}, 5))
	if tx[0] != 2 {
		t.Fatalf("the version is not the first byte: %x", tx)
	}
	long := append([]byte{0x82, 0x00}, tx[1:]...)
	if _, err := Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, long, context, f.table); chain.CodeOf(err) != chain.Malformed {
		t.Errorf("version 2 in two bytes: %v", err)
	}
	if _, err := Decode(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, tx, append([]byte{0x81, 0x00}, context[1:]...), f.table); chain.CodeOf(err) != chain.Malformed {
		t.Errorf("reference 1 in two bytes: %v", err)
	}
}
