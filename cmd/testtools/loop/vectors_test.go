//go:build unix

// Package loop has the tests that join both halves of Coldkms, and nothing else.
package loop

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/offline"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/offline/wallet"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	chainutxo "coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

// built are the chains whose vectors must pass; those of others are skipped
// and counted as such.
func built() []chain.ID { return []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} }

func isBuilt(name string) bool {
	for _, id := range built() {
		if string(id) == name {
			return true
		}
	}
	return false
}

// tally counts the vectors of one run.
type tally struct{ passed, failed, skipped int }

func (n *tally) check(t *testing.T, name string, err error) {
	t.Helper()
	if err != nil {
		n.failed++
		t.Errorf("%s: %v", name, err)
		return
	}
	n.passed++
}

// TestTatumVectors takes every transaction, wallet and wallet file that
// Tatum's own library made through the whole path. KMS_VECTORS names another
// folder of the same form.
func TestTatumVectors(t *testing.T) {
	dir := os.Getenv("KMS_VECTORS")
	if dir == "" {
		dir = "testdata/tatum"
	}
	var n tally
	pendingVectors(t, dir, &n)
	walletVectors(t, dir, &n)
	walletFileVectors(t, dir, &n)
	if n.passed == 0 {
		t.Errorf("no vector in %s", dir)
	}
	fmt.Printf("vectors: %d passed, %d failed, %d skipped\n", n.passed, n.failed, n.skipped)
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// vector is one file of pending/.
type vector struct {
	Name         string                      `json:"name"`
	Chain        string                      `json:"chain"`
	Testnet      bool                        `json:"testnet"`
	Pending      json.RawMessage             `json:"pending"`
	Wallet       map[string]tatumEntry       `json:"wallet"`
	PrevTxs      map[string]string           `json:"prevTxs"`
	SignedTx     *string                     `json:"signedTx"`
	TxID         *string                     `json:"txid"`
	DirectSigner *struct{ SignedTx *string } `json:"directSigner"`
	Expect       string                      `json:"expect"`
}

type tatumEntry struct {
	Mnemonic   string `json:"mnemonic"`
	PrivateKey string `json:"privateKey"`
	Chain      string `json:"chain"`
	Testnet    bool   `json:"testnet"`
}

func pendingVectors(t *testing.T, dir string, n *tally) {
	paths, err := filepath.Glob(filepath.Join(dir, "pending", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		var v vector
		readJSON(t, path, &v)
		if v.Expect == "" {
			continue // an index, not a vector
		}
		if !isBuilt(v.Chain) {
			n.skipped++
			continue
		}
		n.check(t, v.Name, v.run(t))
	}
}

// run takes one vector through the path and compares with what is expected.
func (v vector) run(t *testing.T) error {
	got, refused := v.sign(t)
	var want string
	if v.SignedTx != nil {
		want = *v.SignedTx
	}
	if v.DirectSigner != nil && v.DirectSigner.SignedTx != nil {
		want = *v.DirectSigner.SignedTx
	}
	switch {
	case chain.CodeOf(refused) == chain.InternalFailure && refused != nil:
		return fmt.Errorf("a fault and not a judgement: %w", refused)
	case v.Expect == "refuse" && refused == nil:
		return fmt.Errorf("was signed and must be refused")
	case v.Expect == "refuse", v.Expect == "policy" && refused != nil:
		return nil
	case refused != nil:
		return fmt.Errorf("was refused: %w", refused)
	case v.Expect == "policy" && want == "":
		return nil
	case got.Hex() != want:
		return fmt.Errorf("signed as\n%s, Tatum as\n%s", got.Hex(), want)
	case v.DirectSigner == nil && v.TxID != nil && got.TxID != *v.TxID:
		return fmt.Errorf("txid %s, want %s", got.TxID, *v.TxID)
	}
	return nil
}

// sign is the whole path: pending, request, judgement, signature, result,
// import. The error is a refusal, wherever on the path it was given.
func (v vector) sign(t *testing.T) (chainutxo.Final, error) {
	tx, err := pending.Parse(v.Pending)
	if err != nil {
		return chainutxo.Final{}, err
	}
	prepared, err := relaytest.Prepare(tx, chain.NetworkOf(v.Testnet), v.PrevTxs)
	if err != nil {
		return chainutxo.Final{}, err
	}
	s := newSigner(t, v.Wallet)
	items, attached := prepare.Bundle([]prepare.Prepared{prepared})
	request, err := bundle.SealRequest(bundle.Request{Signer: s.Identity.Public(), Created: 1_790_000_000, Items: items, Attachments: attached}, s.relay)
	if err != nil {
		t.Fatal(err)
	}
	judged, err := s.Judge(request.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(judged, policy.Agree(judged.Request.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	return importResult(t, request, done.Result.File)
}

// importResult does what the relay does with a result: its own request, the
// signatures of the result, every script run again.
func importResult(t *testing.T, request bundle.SealedRequest, file []byte) (chainutxo.Final, error) {
	result, err := bundle.OpenResult(file)
	if err != nil {
		t.Fatal(err)
	}
	outcome := result.Outcomes[0]
	if !outcome.Signed() {
		return chainutxo.Final{}, chain.Refuse(outcome.Code, "%s", outcome.Reason)
	}
	table, err := chainutxo.NewTable(request.Attached(chainutxo.Name))
	if err != nil {
		t.Fatal(err)
	}
	item := request.Items[0]
	tx, err := chainutxo.Decode(item.Coin, item.Tx, item.Context, table)
	if err != nil {
		t.Fatal(err)
	}
	final, err := tx.Finalize(outcome.Signatures)
	if err != nil {
		t.Fatalf("what the signer signed does not verify on import: %v", err)
	}
	return final, nil
}

// signer is a session over a wallet in a temporary folder.
type signer struct {
	offline.Session
	relay identity.Private
}

// cheap is a password derivation that costs nothing: what is tested here is
// not the password.
func cheap() wallet.Cost { return wallet.Cost{Memory: 64, Passes: 1, Lanes: 1} }

func newSigner(t *testing.T, entries map[string]tatumEntry) signer {
	t.Helper()
	store := wallet.Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.Reader, Cost: cheap()}
	path := filepath.Join(t.TempDir(), "wallet.kms")
	w, err := store.New(path, []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for id, e := range entries {
		entry, err := e.entry(id)
		if err != nil {
			continue // the import refuses it, so that the wallet does not have it
		}
		if err := w.Add(entry); err != nil {
			t.Fatal(err)
		}
	}
	own, err := w.Identity()
	if err != nil {
		t.Fatal(err)
	}
	relay, err := identity.FromSeed(bytes.Repeat([]byte{9}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Pair(wallet.Relay{Key: relay.Public()}); err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Create(ledger.NewFiles(durable.OS{}, path+".ledger"), ledger.OwnerOf(own), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return signer{relay: relay, Session: offline.Session{
		Keys: w, Identity: own, Paired: w.Paired, Ledger: book, Random: rand.Reader, Policy: policy.Default(sign.Families{utxo.Signer{Chains: built()}}),
		Signers: []sign.Signer{utxo.Signer{Chains: built()}},
	}}
}

// entry imports what Tatum's wallet has. A key of the other network, for one,
// is not taken over.
func (e tatumEntry) entry(id string) (wallet.Entry, error) {
	c, network := chain.ID(e.Chain), chain.NetworkOf(e.Testnet)
	if e.Mnemonic != "" {
		return wallet.FromMnemonic(id, hdtest.Coin(chain.Coin{Chain: c, Network: network}), []byte(e.Mnemonic), nil, time.Now())
	}
	key, compressed, err := hd.DecodeWIF([]byte(e.PrivateKey), hdtest.Coin(chain.Coin{Chain: c, Network: network}))
	if err != nil {
		return wallet.Entry{}, err
	}
	return wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: c, Network: network}), key, compressed, time.Now())
}

// A vector whose wallet has an entry that does not import is judged without
// that entry, and ends no other vector.
func TestVectorEntryThatDoesNotImport(t *testing.T) {
	paths, err := filepath.Glob("testdata/tatum/pending/btc-testnet-01-*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vector (%v)", err)
	}
	var v vector
	readJSON(t, paths[0], &v)
	wallet := v.Wallet
	v.Wallet = map[string]tatumEntry{"other": {PrivateKey: "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ", Chain: "BTC", Testnet: true}}
	for id, e := range wallet {
		v.Wallet[id] = e
	}
	if err := v.run(t); err != nil {
		t.Errorf("beside an entry of the other network: %v", err)
	}
	for id, e := range wallet {
		e.PrivateKey, e.Mnemonic = v.Wallet["other"].PrivateKey, ""
		v.Wallet[id] = e
	}
	if _, refused := v.sign(t); chain.CodeOf(refused) != chain.UnknownKey {
		t.Errorf("with nothing but that: %v", refused)
	}
}
