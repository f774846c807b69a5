package utxo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"iter"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/signtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// two is a wallet of two private keys of BTC testnet, "a" and "b", and one of
// mainnet, "m".
type two struct{}

func secretOf(id string) []byte { return bytes.Repeat([]byte{id[0]}, 32) }

func (two) Lookup(id string) (chain.Coin, bool) {
	if id == "m" {
		return chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, true
	}
	return chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, id == "a" || id == "b"
}
func (two) IsMnemonic(string) bool { return false }
func (two) Public(id string, _ int64) ([]byte, error) {
	_, public := btcec.PrivKeyFromBytes(secretOf(id))
	return public.SerializeCompressed(), nil
}
func (two) Private(id string, _ int64) (hd.Secret, error) {
	if id == "x" {
		return hd.Secret{}, errors.New("none")
	}
	return hd.Secret{Curve: hd.Secp256k1, Bytes: secretOf(id)}, nil
}

func scriptFor(id string) []byte {
	public, _ := two{}.Public(id, 0)
	return append([]byte{txscript.OP_0, 20}, btcaddr.Hash160(public)...)
}

// item spends one output of each of the keys in from, and names the keys in named.
func item(t *testing.T, network chain.Network, from, named []string) (bundle.Item, *utxo.Table) {
	t.Helper()
	it, parts := itemAndParts(t, network, from, named)
	table, err := utxo.NewTable(parts)
	if err != nil {
		t.Fatal(err)
	}
	return it, table
}

func itemAndParts(t *testing.T, network chain.Network, from, named []string) (bundle.Item, [][]byte) {
	t.Helper()
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{}}}
	msg := &wire.MsgTx{Version: 2, TxOut: []*wire.TxOut{{Value: 90_000, PkScript: scriptFor("z")}}}
	for _, id := range from {
		prev.TxOut = append(prev.TxOut, &wire.TxOut{Value: 100_000, PkScript: scriptFor(id)})
	}
	for i := range from {
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash(), Index: uint32(i)}, Sequence: wire.MaxTxInSequenceNum})
	}
	var raw bytes.Buffer
	if err := prev.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)
	it := bundle.Item{ID: "id", Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: network}, Tx: tx, Context: context}
	for _, id := range named {
		it.Keys = append(it.Keys, chain.Key{SignatureID: id, Index: chain.NoIndex})
	}
	return it, [][]byte{raw.Bytes()}
}

// The family keeps what the rest of the program rests on.
func TestConformance(t *testing.T) {
	it, parts := itemAndParts(t, chain.Testnet, []string{"a", "b"}, []string{"a", "b"})
	signtest.Run(t, signtest.Sample{Signer: Signer{Chains: []chain.ID{chain.BTC}}, Keys: two{}, Items: []bundle.Item{it}, Parts: parts})
}

type nothing struct{}

func (nothing) Signed(string) ([32]byte, bool)        { return [32]byte{}, false }
func (nothing) Freed(string) ([32]byte, bool)         { return [32]byte{}, false }
func (nothing) Spender(string) ([32]byte, bool)       { return [32]byte{}, false }
func (nothing) Record([32]byte) (policy.Record, bool) { return policy.Record{}, false }
func (nothing) Now() int64                            { return 0 }
func (nothing) Payments(int64) iter.Seq[policy.Payment] {
	return func(func(policy.Payment) bool) {}
}

// A key in the wallet that nobody named signs nothing, although it could.
func TestOnlyNamedKeysSign(t *testing.T) {
	signer := Signer{Chains: []chain.ID{chain.BTC}}
	for _, c := range []struct {
		named []string
		own   []bool
	}{
		{[]string{"a", "b"}, []bool{true, true}},
		{[]string{"b", "a"}, []bool{true, true}},
		{[]string{"a"}, []bool{true, false}},
	} {
		it, table := item(t, chain.Testnet, []string{"a", "b"}, c.named)
		job, err := signer.Prepare(it, table, two{})
		if err != nil {
			t.Fatal(err)
		}
		subject := job.Subject()
		for i, in := range subject.Facts.Sources {
			if in.Own != c.own[i] {
				t.Errorf("keys %v named: input %d is own: %v", c.named, i, in.Own)
			}
		}
		verdict := policy.Default(sign.Families{signer}).Judge([]policy.Subject{subject}, policy.Circumstances{}, nothing{})[0]
		batch := [32]byte{1}
		approval, err := verdict.Approve(batch, policy.Agree(batch))
		all := c.own[0] && c.own[1]
		if (err == nil) != all {
			t.Fatalf("keys %v named: approval: %v", c.named, err)
		}
		if _, err := job.Sign(approval); (err == nil) != all {
			t.Errorf("keys %v named: signed: %v", c.named, err)
		}
	}
}

// An approval for one transaction signs no other.
func TestApprovalOfAnotherSignsNothing(t *testing.T) {
	signer := Signer{Chains: []chain.ID{chain.BTC}}
	one, table := item(t, chain.Testnet, []string{"a"}, []string{"a"})
	other, otherTable := item(t, chain.Testnet, []string{"a", "b"}, []string{"a", "b"})
	first, err := signer.Prepare(one, table, two{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := signer.Prepare(other, otherTable, two{})
	if err != nil {
		t.Fatal(err)
	}
	batch := [32]byte{1}
	approval, err := policy.Default(sign.Families{signer}).Judge([]policy.Subject{first.Subject()}, policy.Circumstances{}, nothing{})[0].Approve(batch, policy.Agree(batch))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []policy.Approval{approval, {}} {
		if _, err := second.Sign(a); chain.CodeOf(err) != chain.RefusedByPerson {
			t.Errorf("signed without its approval: %v", err)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		signer  Signer
		network chain.Network
		named   string
		code    chain.Code
	}{
		"chain not built":  {Signer{Chains: []chain.ID{chain.LTC}}, chain.Testnet, "a", chain.UnsupportedChain},
		"unknown key":      {Signer{Chains: []chain.ID{chain.BTC}}, chain.Testnet, "c", chain.UnknownKey},
		"key of mainnet":   {Signer{Chains: []chain.ID{chain.BTC}}, chain.Testnet, "m", chain.WrongNetwork},
		"key of testnet":   {Signer{Chains: []chain.ID{chain.BTC}}, chain.Mainnet, "a", chain.WrongNetwork},
		"no network":       {Signer{Chains: []chain.ID{chain.BTC}}, chain.UnknownNetwork, "a", chain.WrongNetwork},
		"network 77":       {Signer{Chains: []chain.ID{chain.BTC}}, chain.Network(77), "a", chain.WrongNetwork},
		"no chain at all":  {Signer{}, chain.Testnet, "a", chain.UnsupportedChain},
		"chain of nowhere": {Signer{Chains: []chain.ID{"XYZ"}}, chain.Testnet, "a", chain.UnsupportedChain},
	} {
		it, table := item(t, c.network, []string{"a"}, []string{c.named})
		if _, err := c.signer.Prepare(it, table, two{}); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %s", name, err, c.code)
		}
	}
}

// Our own taproot signature is the published one: BIP 341's first vector of
// spending by key path (wallet-test-vectors.json), which has no script tree
// and zero auxiliary randomness, as ours have. Another auxiliary value, or
// another tweak, gives another signature that is valid all the same.
func TestTaprootNonceIsBIP340(t *testing.T) {
	for _, v := range []struct{ secret, digest, want string }{
		{"6b973d88838f27366ed61c9ad6367663045cb456e28335c109e30717ae0c6baa", "2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555",
			"ed7c1647cb97379e76892be0cacff57ec4a7102aa24296ca39af7541246d8ff14d38958d4cc1e2e478e4d4a764bbfd835b16d4e314b72937b29833060b87276c"},
	} {
		secret, digest := unhex(t, v.secret), unhex(t, v.digest)
		private, public := btcec.PrivKeyFromBytes(secret)
		for name, sign := range map[string]func(*btcec.PrivateKey, []byte) ([]byte, error){"signTaproot": signTaproot, "the signer's own": Signer{}.hands().taproot} {
			sig, err := sign(private, digest)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(sig); got != v.want {
				t.Errorf("%s: %s, BIP 341 has %s", name, got, v.want)
			}
			parsed, err := schnorr.ParseSignature(sig)
			if err != nil || !parsed.Verify(digest, txscript.ComputeTaprootKeyNoScript(public)) {
				t.Errorf("%s: it does not verify: %v", name, err)
			}
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Bitcoin Cash's signatures never share a nonce with ECDSA's over the same
// digest: two such signatures would give the key away.
func TestNoncesOfTheTwoSchemesDiffer(t *testing.T) {
	secret, digest := secretOf("a"), bytes.Repeat([]byte{9}, 32)
	private, _ := btcec.PrivKeyFromBytes(secret)
	schnorrSig := signSchnorr2019(private, digest)
	ecdsaSig, err := two{}.Private("a", 0)
	if err != nil || len(ecdsaSig.Bytes) != 32 {
		t.Fatal(err)
	}
	k := nonce2019(secret, digest).Bytes()
	rfc := btcec.NonceRFC6979(secret, digest, nil, nil, 0).Bytes()
	if k == rfc {
		t.Error("the nonce is ECDSA's")
	}
	if !bytes.Equal(signSchnorr2019(private, digest), schnorrSig) {
		t.Error("two signatures of one digest differ")
	}
}

// words is a wallet of one mnemonic, whose keys are those of two by index:
// 0 is "a", 1 is "b".
type words struct{ two }

func (words) IsMnemonic(string) bool { return true }
func (words) Lookup(string) (chain.Coin, bool) {
	return chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, true
}
func (w words) Public(_ string, index int64) ([]byte, error) {
	return w.two.Public(string(rune('a'+index)), 0)
}

// Index 0 of a named mnemonic is known, so that change to it is recognised;
// it does not sign unless it is named itself.
func TestChangeKeyDoesNotSign(t *testing.T) {
	signer := Signer{Chains: []chain.ID{chain.BTC}}
	it, table := item(t, chain.Testnet, []string{"a", "b"}, nil)
	it.Keys = []chain.Key{{SignatureID: "w", Index: 1}}
	prepared, err := signer.Prepare(it, table, words{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := prepared.(*job).signInputs(); chain.CodeOf(err) != chain.NoKeyForInput {
		t.Errorf("it signs, if asked: %v", err)
	}
	inputs := prepared.Subject().Facts.Sources
	if inputs[0].Own || !inputs[1].Own {
		t.Errorf("own: %v and %v, want only the named index to be", inputs[0].Own, inputs[1].Own)
	}
	it.Keys = append(it.Keys, chain.Key{SignatureID: "w", Index: chain.NoIndex})
	if _, err := signer.Prepare(it, table, words{}); chain.CodeOf(err) != chain.NoKeyForInput {
		t.Errorf("a mnemonic without an index: %v", err)
	}
}
