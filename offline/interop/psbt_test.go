package interop

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	signutxo "coldkms/offline/sign/utxo"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
	"coldkms/shared/psbt"
	"coldkms/shared/psbt/psbttest"
)

// purse is a wallet in memory.
type purse struct{ entries []wallet.Entry }

func (p *purse) Entries() []wallet.Entry { return p.entries }

func (p *purse) entry(id string) (e wallet.Entry, ok bool) {
	for _, e := range p.entries {
		if e.ID == id {
			return e, true
		}
	}
	return e, false
}

func (p *purse) Lookup(id string) (chain.Coin, bool) {
	e, ok := p.entry(id)
	return e.Coin, ok
}

func (p *purse) IsMnemonic(id string) bool { e, _ := p.entry(id); return e.Kind == wallet.Mnemonic }

func (p *purse) keys(id string, index int64) (private, public []byte, err error) {
	e, _ := p.entry(id)
	if e.Kind == wallet.PrivateKey {
		return bytes.Clone(e.Key), e.Public, nil
	}
	account, err := hd.AccountOf(e.Words, nil, hdtest.Coin(e.Coin))
	if err != nil {
		return nil, nil, err
	}
	return account.Key(index)
}

func (p *purse) Public(id string, index int64) ([]byte, error) {
	_, public, err := p.keys(id, index)
	return public, err
}

func (p *purse) Private(id string, index int64) (hd.Secret, error) {
	private, _, err := p.keys(id, index)
	return hd.Secret{Curve: hd.Secp256k1, Bytes: private}, err
}

const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

func single(t *testing.T, id string, c chain.ID, n chain.Network, secret byte) wallet.Entry {
	t.Helper()
	e, err := wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), bytes.Repeat([]byte{secret}, 32), true, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mnemonic(t *testing.T, id string, c chain.ID, n chain.Network) wallet.Entry {
	t.Helper()
	e, err := wallet.FromMnemonic(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), []byte(words), nil, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// disk is a ledger's storage in memory.
type disk struct{ log, mark []byte }

func (d *disk) Load() ([]byte, error)     { return bytes.Clone(d.log), nil }
func (d *disk) Append(b []byte) error     { d.log = append(d.log, b...); return nil }
func (d *disk) Truncate(n int64) error    { d.log = d.log[:n]; return nil }
func (d *disk) LoadMark() ([]byte, error) { return d.mark, nil }
func (d *disk) StoreMark(b []byte) error  { d.mark = bytes.Clone(b); return nil }

func psbtSession(t *testing.T, entries ...wallet.Entry) *offline.Session {
	t.Helper()
	own, err := identity.FromSeed(bytes.Repeat([]byte{2}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Create(&disk{}, ledger.OwnerOf(own), func() time.Time { return time.Unix(1_790_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	s := &offline.Session{Keys: &purse{entries}, Identity: own, Ledger: book, Random: rand.Reader, Paired: func(identity.Public) bool { return false }}
	s.Signers = sign.Families{signutxo.Signer{Chains: []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH}}}
	s.Policy = policy.Default(s.Signers)
	return s
}

// packetFor is a PSBT that spends one output of each script, of 100,000, to a
// stranger.
func packetFor(t *testing.T, id chain.ID, n chain.Network, keys []psbt.Key, scripts ...[]byte) []byte {
	t.Helper()
	prev, msg := wire.NewMsgTx(2), wire.NewMsgTx(2)
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{1}}})
	for _, s := range scripts {
		prev.AddTxOut(wire.NewTxOut(100_000, s))
	}
	for i := range scripts {
		msg.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash(), Index: uint32(i)}, Sequence: wire.MaxTxInSequenceNum})
	}
	msg.AddTxOut(wire.NewTxOut(int64(len(scripts))*100_000-2_000, append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, append(bytes.Repeat([]byte{9}, 20), txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)...)))
	var raw bytes.Buffer
	if err := prev.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	table, err := utxo.NewTable([][]byte{raw.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)
	decoded, err := utxo.Decode(chain.Coin{Chain: id, Network: n}, tx, context, table)
	if err != nil {
		t.Fatal(err)
	}
	p, err := psbt.Make(decoded, table, [][]byte{raw.Bytes()}, keys)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func scriptsOf(secret byte) [][]byte {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{secret}, 32))
	return psbttest.Scripts(key.PubKey())
}

func mustJudge(t *testing.T, s *offline.Session, file []byte, only chain.ID) *offline.Judged {
	t.Helper()
	j, err := JudgePSBT(s, file, only)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A PSBT is judged, agreed to, recorded and signed as a request of one item
// is, and what comes out is final in any program.
func TestPSBTIsSigned(t *testing.T) {
	s := psbtSession(t, single(t, "other", chain.BTC, chain.Testnet, 8), single(t, "mine", chain.BTC, chain.Testnet, 7))
	file := packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)...)
	j := mustJudge(t, s, file, "")
	it := j.Batch.Items[0]
	if it.Refused() || !j.IsUnasked() || !j.Batch.PSBT || it.Network != chain.Testnet || it.Facts.Fee != chain.NewAmount(2_000) || len(it.Facts.UnusedKeys) != 0 {
		t.Fatalf("%+v", it)
	}
	unsigned := psbttest.Read(file).UnsignedTx.TxHash().String()
	if it.ID != "psbt-"+unsigned[:24] {
		t.Errorf("id %s", it.ID)
	}
	if _, err := s.AgreeByDigest(j, j.Request.Digest); !errors.Is(err, offline.ErrNotReviewed) {
		t.Errorf("agreed to what was not reviewed: %v", err)
	}
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
	consent, err := s.AgreeByDigest(j, j.Request.Digest)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, consent, "digest")
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.Answer(done)
	if err != nil {
		t.Fatal(err)
	}
	if got := psbttest.Extract(out).TxHash().String(); got != done.Outcomes[0].Signed.TxID || !psbttest.Read(out).IsComplete() {
		t.Errorf("%s is extracted, %s was signed", got, done.Outcomes[0].Signed.TxID)
	}
	if _, ok := s.Ledger.Signed(it.ID); !ok {
		t.Error("the ledger does not have it")
	}
	again := mustJudge(t, s, file, "")
	if again.Request.Digest != j.Request.Digest || again.Batch.Items[0].Findings[0].Code != chain.FlagSignedBefore {
		t.Errorf("the second time: %+v", again.Batch.Items[0])
	}
	redone, err := s.Sign(again, policy.Agree(again.Request.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	if same, err := again.Answer(redone); err != nil || !bytes.Equal(same, out) {
		t.Errorf("other bytes the second time (%v)", err)
	}
}

// Consent is for what was reviewed: whatever changes in it changes the digest.
func TestPSBTDigest(t *testing.T) {
	s := psbtSession(t, single(t, "mine", chain.BTC, chain.Testnet, 7), single(t, "litecoin", chain.LTC, chain.Testnet, 7))
	file := packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)[4])
	digests := map[bundle.Digest]string{}
	for name, b := range map[string][]byte{
		"as it is":      file,
		"other value":   psbttest.Change(file, func(p *library.Packet) { p.UnsignedTx.TxOut[0].Value-- }),
		"claimed":       psbttest.Change(file, func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil }),
		"other claim":   psbttest.Change(file, func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil; p.Inputs[0].WitnessUtxo.Value++ }),
		"refused":       psbttest.Change(file, func(p *library.Packet) { p.Inputs[0].SighashType = 3 }),
		"other refused": psbttest.Change(file, func(p *library.Packet) { p.Inputs[0].SighashType = 3; p.UnsignedTx.LockTime++ }),
	} {
		d := mustJudge(t, s, b, chain.BTC).Request.Digest
		if other, twice := digests[d]; twice {
			t.Errorf("%s and %s have one digest", name, other)
		}
		digests[d] = name
	}
	if d := mustJudge(t, s, file, chain.LTC).Request.Digest; digests[d] != "" {
		t.Error("for another chain it has the same digest")
	}
}

// Keys of mnemonics are found by what the PSBT says of them, and by that only
// if it is true.
func TestPSBTFindsMnemonics(t *testing.T) {
	e := mnemonic(t, "words", chain.BTC, chain.Mainnet)
	account, err := psbt.OpenAccount(e.XPub)
	if err != nil {
		t.Fatal(err)
	}
	p, err := utxo.ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	child, err := account.Child(5)
	if err != nil {
		t.Fatal(err)
	}
	public, err := btcec.ParsePubKey(child.Public)
	if err != nil {
		t.Fatal(err)
	}
	below := func(from psbt.Fingerprint, path ...uint32) []psbt.Key {
		return []psbt.Key{{Public: child.Public, From: from, Path: path}}
	}
	full := psbt.TatumPath(p)
	for name, x := range map[string]struct {
		keys  []psbt.Key
		found bool
	}{
		"by the extended key":      {below(account.Fingerprint(), 5), true},
		"by the whole path":        {below(psbt.Fingerprint{1, 2, 3, 4}, append(full[:4:4], 5)...), true},
		"without origin":           {nil, false},
		"by another extended key":  {below(psbt.Fingerprint{1, 2, 3, 4}, 5), false},
		"by another index":         {below(account.Fingerprint(), 6), false},
		"by another path":          {below(account.Fingerprint(), 1, 5), false},
		"by a hardened index":      {below(account.Fingerprint(), 5|1<<31), false},
		"by the fingerprint alone": {below(account.Fingerprint()), false},
	} {
		for i, script := range psbttest.Scripts(public) {
			s := psbtSession(t, mnemonic(t, "others", chain.BTC, chain.Testnet), e)
			j := mustJudge(t, s, packetFor(t, chain.BTC, chain.Mainnet, x.keys, script), "")
			it := j.Batch.Items[0]
			if it.Refused() == x.found || (it.Refused() && it.Refusals[0].Code != chain.NoKeyForInput) {
				t.Errorf("%s, script %d: %+v", name, i, it)
			}
			if x.found && (it.Network != chain.Mainnet || j.Request.Items[0].Keys[0] != chain.Key{SignatureID: "words", Index: 5}) {
				t.Errorf("%s: %+v", name, j.Request.Items[0])
			}
		}
	}
}

func TestPSBTRefuses(t *testing.T) {
	s := psbtSession(t, single(t, "mine", chain.BTC, chain.Testnet, 7))
	file := packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)[0], scriptsOf(7)[1])
	for name, x := range map[string]struct {
		file []byte
		want chain.Code
	}{
		"foreign input": {packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)[0], scriptsOf(8)[1]), chain.NoKeyForInput},
		"only foreign":  {packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(8)[1]), chain.NoKeyForInput},
		"SINGLE":        {psbttest.Change(file, func(p *library.Packet) { p.Inputs[1].SighashType = txscript.SigHashSingle }), chain.SighashNotAll},
		"claimed":       {psbttest.Change(file, func(p *library.Packet) { p.Inputs[1].WitnessUtxo.Value += 5 }), chain.AmountMismatch},
		"unproven": {psbttest.Change(file, func(p *library.Packet) {
			prev := p.Inputs[0].NonWitnessUtxo
			for i := range p.Inputs {
				p.Inputs[i].NonWitnessUtxo, p.Inputs[i].WitnessUtxo = nil, prev.TxOut[i]
			}
		}), chain.UnprovenAmount},
		"nothing known":  {psbttest.Change(file, func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil }), chain.UnprovenAmount},
		"dust":           {psbttest.Change(file, func(p *library.Packet) { p.UnsignedTx.TxOut[0].Value = 100 }), chain.Dust},
		"signed already": {psbttest.Signer{Key: keyOf(7)}.Sign(file), chain.ForeignScript},
	} {
		j := mustJudge(t, s, x.file, "")
		it := j.Batch.Items[0]
		if !it.Refused() || it.Refusals[0].Code != x.want {
			t.Errorf("%s: %+v", name, it)
		}
		done, err := s.Sign(j, policy.Agree(j.Request.Digest), "typed")
		if err != nil || done.Outcomes[0].Err == nil {
			t.Errorf("%s: signed (%v)", name, err)
		}
		if out, err := j.Answer(done); out != nil || err != nil {
			t.Errorf("%s: a PSBT came out (%v)", name, err)
		}
	}
	if _, err := JudgePSBT(s, file[:50], ""); !errors.Is(err, psbt.ErrInvalid) {
		t.Errorf("%v", err)
	}
	s.Keys = struct{ sign.Keys }{s.Keys}
	if _, err := JudgePSBT(s, file, ""); err == nil || !strings.Contains(err.Error(), "searched") {
		t.Errorf("keys that cannot be searched: %v", err)
	}
}

func keyOf(secret byte) *btcec.PrivateKey {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{secret}, 32))
	return key
}

// A taproot input may come without its previous transaction: its signature
// holds only if the amount is as claimed.
func TestPSBTTaprootWithoutProof(t *testing.T) {
	s := psbtSession(t, single(t, "mine", chain.BTC, chain.Testnet, 7))
	file := psbttest.Change(packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)[4]), func(p *library.Packet) { p.Inputs[0].NonWitnessUtxo = nil })
	j := mustJudge(t, s, file, "")
	if it := j.Batch.Items[0]; it.Refused() || len(it.Findings) == 0 || it.Findings[0].Code != chain.FlagCommitted {
		t.Fatalf("%+v", it)
	}
	done, err := s.Sign(j, policy.Agree(j.Request.Digest), "typed")
	if err != nil || done.Outcomes[0].Err != nil {
		t.Fatalf("%v %v", err, done.Outcomes[0].Err)
	}
	var text bytes.Buffer
	if err := j.Batch.Text(&text); err != nil || !strings.Contains(text.String(), "signature commits to it") || !strings.Contains(text.String(), "a PSBT") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Which chain a PSBT is for is known by its keys, or has to be said.
func TestPSBTWhichChain(t *testing.T) {
	both := []wallet.Entry{single(t, "m", chain.BTC, chain.Mainnet, 7), single(t, "t", chain.BTC, chain.Testnet, 7)}
	file := packetFor(t, chain.BTC, chain.Testnet, nil, scriptsOf(7)[0])
	s := psbtSession(t, both...)
	for range 20 { // the order in which places are looked at is not fixed
		if it := mustJudge(t, s, file, "").Batch.Items[0]; it.Network != chain.Mainnet || it.Refused() {
			t.Fatalf("%+v", it)
		}
	}
	s.Only = chain.Testnet
	if it := mustJudge(t, s, file, "").Batch.Items[0]; it.Network != chain.Testnet || !it.Refused() || it.Refusals[0].Code != chain.SharedKey {
		t.Errorf("it may spend a coin of mainnet: %+v", it)
	}
	s = psbtSession(t, append(both, single(t, "d", chain.DOGE, chain.Mainnet, 7), single(t, "c", chain.BCH, chain.Mainnet, 7))...)
	if _, err := JudgePSBT(s, file, ""); !errors.Is(err, ErrWhichChain) {
		t.Errorf("%v", err)
	}
	for _, id := range []chain.ID{chain.BTC, chain.DOGE} {
		if it := mustJudge(t, s, file, id).Batch.Items[0]; it.Chain != id {
			t.Errorf("%+v", it)
		}
	}
	s = psbtSession(t, single(t, "c", chain.BCH, chain.Mainnet, 7))
	if it := mustJudge(t, s, file, "").Batch.Items[0]; !it.Refused() || it.Refusals[0].Code != chain.NoKeyForInput {
		t.Errorf("a key of BCH signs a PSBT: %+v", it)
	}
}

// The search ends.
func TestPSBTSearchIsBounded(t *testing.T) {
	e := mnemonic(t, "words", chain.BTC, chain.Mainnet)
	account, err := psbt.OpenAccount(e.XPub)
	if err != nil {
		t.Fatal(err)
	}
	child, err := account.Child(5)
	if err != nil {
		t.Fatal(err)
	}
	origins := []psbt.Origin{{Public: child.Public, From: child.From, Path: child.Path}, {Public: child.Public, From: child.From, Path: []uint32{6}}}
	f := search{origins: origins}
	if got := f.indices(e); len(got) != 1 || got[0] != 5 || f.derived != 2 {
		t.Errorf("%v after %d derivations", got, f.derived)
	}
	f.derived = maxDerivations
	if got := f.indices(e); len(got) != 0 || f.derived != maxDerivations {
		t.Errorf("%v after the limit", got)
	}
}
