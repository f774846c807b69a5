package psbt_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
	"coldkms/shared/psbt/psbttest"
)

// coins are outputs of every kind that one key can spend, in one transaction.
type coins struct {
	key    *btcec.PrivateKey
	public []byte
	kinds  []string
	prev   *wire.MsgTx
	raw    [][]byte
	table  *utxo.Table
}

func newCoins(t testing.TB) *coins {
	t.Helper()
	c := &coins{kinds: []string{"P2PKH", "P2WPKH", "P2SH", "P2PK", "P2TR"}, prev: wire.NewMsgTx(2)}
	c.key, _ = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	c.public = c.key.PubKey().SerializeCompressed()
	c.prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{1}}})
	for _, s := range psbttest.Scripts(c.key.PubKey()) {
		c.prev.AddTxOut(wire.NewTxOut(100_000, s))
	}
	var b bytes.Buffer
	if err := c.prev.SerializeNoWitness(&b); err != nil {
		t.Fatal(err)
	}
	c.raw = [][]byte{b.Bytes()}
	var err error
	if c.table, err = utxo.NewTable(c.raw); err != nil {
		t.Fatal(err)
	}
	return c
}

// tx spends the outputs with these numbers to a stranger and back.
func (c *coins) tx(t testing.TB, id chain.ID, from ...uint32) *utxo.Tx {
	t.Helper()
	msg := wire.NewMsgTx(2)
	for _, i := range from {
		msg.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: c.prev.TxHash(), Index: i}, Sequence: wire.MaxTxInSequenceNum - 2})
	}
	msg.AddTxOut(wire.NewTxOut(50_000, append([]byte{0, 20}, bytes.Repeat([]byte{9}, 20)...)))
	for _, out := range c.prev.TxOut {
		msg.AddTxOut(wire.NewTxOut(5_000, out.PkScript))
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)
	got, err := utxo.Decode(chain.Coin{Chain: id, Network: chain.Testnet}, tx, context, c.table)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *coins) packet(t testing.TB, tx *utxo.Tx) []byte {
	t.Helper()
	p, err := psbt.Make(tx, c.table, c.raw, []psbt.Key{psbt.SingleKey(c.public)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, file []byte) *psbt.Packet {
	t.Helper()
	p, err := psbt.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every field that another signer may want is there, and no other.
func TestMakeFields(t *testing.T) {
	c := newCoins(t)
	p := psbttest.Read(c.packet(t, c.tx(t, chain.BTC, 0, 1, 2, 3, 4)))
	from := psbt.FingerprintOf(c.public)
	for i, in := range p.Inputs {
		kind := c.kinds[i]
		segwit, taproot := kind == "P2WPKH" || kind == "P2SH" || kind == "P2TR", kind == "P2TR"
		if in.NonWitnessUtxo == nil || in.NonWitnessUtxo.TxHash() != c.prev.TxHash() {
			t.Errorf("%s: no previous transaction", kind)
		}
		if (in.WitnessUtxo != nil) != segwit || segwit && (in.WitnessUtxo.Value != 100_000 || !bytes.Equal(in.WitnessUtxo.PkScript, c.prev.TxOut[i].PkScript)) {
			t.Errorf("%s: witness_utxo %v", kind, in.WitnessUtxo)
		}
		if (in.RedeemScript != nil) != (kind == "P2SH") {
			t.Errorf("%s: redeem script %x", kind, in.RedeemScript)
		}
		want := txscript.SigHashAll
		if taproot {
			want = txscript.SigHashDefault
		}
		if in.SighashType != want {
			t.Errorf("%s: hash type %d", kind, in.SighashType)
		}
		wantOrigin(t, kind, taproot, c.public, from, in.Bip32Derivation, in.TaprootBip32Derivation, in.TaprootInternalKey)
	}
	if out := p.Outputs[0]; out.Bip32Derivation != nil || out.TaprootBip32Derivation != nil || out.RedeemScript != nil {
		t.Error("the stranger's output has an origin")
	}
	for i, out := range p.Outputs[1:] {
		wantOrigin(t, "output "+c.kinds[i], c.kinds[i] == "P2TR", c.public, from, out.Bip32Derivation, out.TaprootBip32Derivation, out.TaprootInternalKey)
	}
}

func wantOrigin(t *testing.T, what string, taproot bool, public []byte, from psbt.Fingerprint, old []*library.Bip32Derivation, tap []*library.TaprootBip32Derivation, internal []byte) {
	t.Helper()
	if taproot {
		if len(old) != 0 || len(tap) != 1 || !bytes.Equal(tap[0].XOnlyPubKey, public[1:]) || !bytes.Equal(internal, public[1:]) || len(tap[0].Bip32Path) != 0 || len(tap[0].LeafHashes) != 0 {
			t.Errorf("%s: origin %v %v, internal key %x", what, old, tap, internal)
		}
		return
	}
	if len(tap) != 0 || internal != nil || len(old) != 1 || !bytes.Equal(old[0].PubKey, public) || len(old[0].Bip32Path) != 0 {
		t.Fatalf("%s: origin %v %v", what, old, tap)
	}
	if b := library.SerializeBIP32Derivation(old[0].MasterKeyFingerprint, nil); !bytes.Equal(b, from[:]) {
		t.Errorf("%s: fingerprint %x, want %x", what, b, from)
	}
}

// A stranger signs what was made, and what comes back is taken and verified:
// all kinds, each alone and together, finished there or here.
func TestStrangerSigns(t *testing.T) {
	c := newCoins(t)
	for _, from := range [][]uint32{{0}, {1}, {2}, {3}, {4}, {0, 1, 2, 3, 4}, {4, 2, 0}} {
		tx := c.tx(t, chain.BTC, from...)
		unsigned := c.packet(t, tx)
		if !decode(t, unsigned).Unsigned() {
			t.Error("what was made counts as signed")
		}
		pay2key := slices.Contains(from, 3) // the library finishes P2PK as if it were P2PKH
		for _, partial := range []bool{false, true} {
			if pay2key && !partial {
				continue
			}
			signed := psbttest.Signer{Key: c.key, Partial: partial}.Sign(unsigned)
			p := decode(t, signed)
			if p.Unsigned() {
				t.Error("what was signed counts as unsigned")
			}
			msg, err := p.Finished(tx)
			if err != nil {
				t.Fatalf("%v partial %v: %v", from, partial, err)
			}
			final, err := tx.Adopt(msg)
			if err != nil {
				t.Fatalf("%v partial %v: %v", from, partial, err)
			}
			if pay2key {
				continue
			}
			if want := psbttest.Hex(psbttest.Extract(psbttest.Signer{Key: c.key}.Sign(unsigned))); final.Hex() != want {
				t.Errorf("%v: %s, the stranger's own is %s", from, final.Hex(), want)
			}
		}
	}
}

// What is missing or of another transaction is said, not guessed.
func TestFinishedRefuses(t *testing.T) {
	c := newCoins(t)
	tx := c.tx(t, chain.BTC, 1, 0)
	unsigned := c.packet(t, tx)
	stranger, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{8}, 32))
	rubbish := func(p *library.Packet) { p.Inputs[0].FinalScriptWitness = []byte{2, 200, 1} }
	for name, x := range map[string]struct {
		file []byte
		want chain.Code
	}{
		"unsigned":          {unsigned, chain.Incomplete},
		"one of two":        {psbttest.Signer{Key: c.key, Partial: true, Only: 1}.Sign(unsigned), chain.Incomplete},
		"other key":         {psbttest.Change(unsigned, func(p *library.Packet) { p.Inputs[0].PartialSigs = strangerSigs(p, stranger) }), chain.Incomplete},
		"malformed witness": {psbttest.Change(psbttest.Signer{Key: c.key}.Sign(unsigned), rubbish), chain.Incomplete},
		"other transaction": {c.packet(t, c.tx(t, chain.BTC, 0, 1)), chain.ContentChanged},
	} {
		if _, err := decode(t, x.file).Finished(tx); chain.CodeOf(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func strangerSigs(p *library.Packet, key *btcec.PrivateKey) []*library.PartialSig {
	sig, err := txscript.RawTxInSignature(p.UnsignedTx, 0, []byte{txscript.OP_1}, txscript.SigHashAll, key)
	if err != nil {
		panic(err)
	}
	return []*library.PartialSig{{PubKey: key.PubKey().SerializeCompressed(), Signature: sig}}
}

// The finished transaction goes back into the packet, where the stranger's
// extractor finds it.
func TestFinalize(t *testing.T) {
	c := newCoins(t)
	tx := c.tx(t, chain.BTC, 0, 1, 2, 4)
	unsigned := c.packet(t, tx)
	final := psbttest.Extract(psbttest.Signer{Key: c.key}.Sign(unsigned))
	p := decode(t, unsigned)
	if err := p.Finalize(final); err != nil {
		t.Fatal(err)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wantRoundTrip(t, "finalised", decode(t, b))
	if got := psbttest.Extract(b); psbttest.Hex(got) != psbttest.Hex(final) {
		t.Error("another transaction is extracted")
	}
	other := final.Copy()
	other.TxOut[0].Value--
	if err := p.Finalize(other); err == nil {
		t.Error("another transaction was put in")
	}
}

func TestMakeRefuses(t *testing.T) {
	c := newCoins(t)
	if _, err := psbt.Make(c.tx(t, chain.BCH, 0), c.table, c.raw, nil); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("BCH: %v", err)
	}
	empty, err := utxo.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := psbt.Make(c.tx(t, chain.BTC, 0), empty, nil, nil); chain.CodeOf(err) != chain.UnprovenAmount {
		t.Errorf("without previous transactions: %v", err)
	}
}

// The extended key stands for the master key unless that is known.
func TestAccount(t *testing.T) {
	master, err := hdkeychain.NewMaster(bytes.Repeat([]byte{3}, 32), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	public, err := master.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	a, err := psbt.OpenAccount(public.String())
	if err != nil {
		t.Fatal(err)
	}
	point, err := public.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := a.Child(5)
	if err != nil || k.From != psbt.FingerprintOf(point.SerializeCompressed()) || !slices.Equal(k.Path, []uint32{5}) || a.Fingerprint() != k.From {
		t.Errorf("%+v, %v", k, err)
	}
	a.Under(psbt.Fingerprint{1, 2, 3, 4}, []uint32{44 | 1<<31, 0})
	under, err := a.Child(5)
	if err != nil || under.From != (psbt.Fingerprint{1, 2, 3, 4}) || !slices.Equal(under.Path, []uint32{44 | 1<<31, 0, 5}) || !bytes.Equal(under.Public, k.Public) {
		t.Errorf("%+v, %v", under, err)
	}
	for _, bad := range []string{"", "xpub", master.String()} {
		if _, err := psbt.OpenAccount(bad); err == nil {
			t.Errorf("%.8q is taken", bad)
		}
	}
	if _, err := a.Child(1 << 31); err == nil {
		t.Error("a hardened child of a public key")
	}
}
