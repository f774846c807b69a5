package online_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/prepare/fakechain"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// accounts is how the Tatum of a test reads a chain with accounts.
type accounts struct{}

func (accounts) TxID(raw []byte) string {
	id, err := fakechain.Family{}.TxID(raw)
	if err != nil {
		return ""
	}
	return id
}

func (accounts) Sender(raw []byte) (from string, nonce uint64) {
	t, err := fakechain.Read(raw)
	if err != nil {
		return "", 0
	}
	return t.From, t.Nonce
}

// accountWorld is a world of a family with accounts, nonces and an expiry, and one
// account of it.
type accountWorld struct {
	*world
	key ed25519.PrivateKey
}

func newAccountWorld(t *testing.T) accountWorld {
	w := newWorld(t)
	w.families = prepare.Families{fakechain.Family{Chain: chain.BTC, Now: w.clock}}
	w.server.Accounts = accounts{}
	return accountWorld{w, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))}
}

// asks has Tatum ask for a payment.
func (w accountWorld) asks(n int, nonce uint64, to string) fakechain.Tx {
	w.Helper()
	tx := fakechain.Tx{From: hex.EncodeToString(w.key.Public().(ed25519.PublicKey)), Nonce: nonce, To: to, Amount: chain.NewAmount(7)}
	w.server.Add(jsonOf(w, map[string]any{"id": id(n), "chain": "BTC", "serializedTransaction": string(tx.Encode()), "hashes": []string{wallet}}))
	return tx
}

// signs answers a Request.
func (w accountWorld) signs(req bundle.SealedRequest) []byte {
	w.Helper()
	w.signer.Lines++
	res := bundle.Result{Request: req.Digest, LedgerHead: bytes.Repeat([]byte{byte(w.signer.Lines)}, 32), LedgerLen: w.signer.Lines}
	for _, it := range req.Items {
		tx, err := fakechain.Decode(it.Tx)
		if err != nil {
			w.Fatal(err)
		}
		signature, _ := tx.Sign(w.key)
		res.Outcomes = append(res.Outcomes, bundle.Outcome{ID: it.ID, Signatures: [][]byte{signature}})
	}
	sealed, err := bundle.SealResult(res, w.signer.Identity)
	if err != nil {
		w.Fatal(err)
	}
	return sealed.File
}

// A family without outputs and previous transactions goes all the way.
func TestAccountsLoop(t *testing.T) {
	t.Parallel()
	w := newAccountWorld(t)
	const items = 20
	for n := range items {
		w.asks(n+1, uint64(n), "bob")
	}
	if got := w.fetch(); got.Prepared != items || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	w.wantState(id(1), "prepared")
	req := w.exported(online.ExportOptions{})
	if len(req.Items) != items || req.Items[0].Family != fakechain.Name {
		t.Fatalf("%d items of %s", len(req.Items), req.Items[0].Family)
	}
	w.wantState(id(1), "exported")
	if got := w.imports(w.signs(req)); got.Imported != items || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	w.wantState(id(1), "signed")
	if got := w.broadcast(); len(got.Broadcast) != items || len(got.Completed) != items || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	w.server.Mine(3)
	if got := w.watch(); len(got.Confirmed) != items || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
	w.wantState(id(items), "completed")
}

// A signature that is not the account's is not taken.
func TestAccountsForgedSignature(t *testing.T) {
	t.Parallel()
	w := newAccountWorld(t)
	w.asks(1, 0, "bob")
	w.fetch()
	req := w.exported(online.ExportOptions{})
	own := w.key
	w.key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{6}, ed25519.SeedSize))
	forged := w.signs(req)
	w.key = own
	if got := w.imports(forged); got.Imported != 0 || codes(got.Problems) != "incomplete-signature " {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "exported")
}

// Another transaction with the same nonce in a block, deep enough and seen twice,
// ends a payment; one look does not.
func TestAccountsNonceConflict(t *testing.T) {
	t.Parallel()
	w := newAccountWorld(t)
	tx := w.asks(1, 4, "bob")
	w.fetch()
	if got := w.imports(w.signs(w.exported(online.ExportOptions{}))); got.Imported != 1 {
		t.Fatalf("%+v", got)
	}
	tx.To, tx.NotAfter = "carol", w.now.Add(time.Hour).Unix()
	_, raw := tx.Sign(w.key)
	other := w.server.Chain(hex.EncodeToString(raw))
	for n := range 120 { // what conflicts may be on any page of the account's list
		tx.Nonce = uint64(100 + n)
		_, more := tx.Sign(w.key)
		w.server.Chain(hex.EncodeToString(more))
	}
	tx.Nonce = 4
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	w.server.Mine(6)
	if got := w.broadcast(); codes(got.Problems) != "inputs-spent " {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "signed")
	w.now = w.now.Add(601 * time.Second)
	w.broadcast()
	s := w.status(id(1))
	if s.State != journal.Failed || !strings.Contains(s.Reason, tx.Slot()+" is spent by transaction "+other) {
		t.Errorf("%+v", s)
	}
}

// What expires unsigned is taken back, prepared anew with the same nonce, and
// exported again. The signature of the first form comes too late.
func TestAccountsExpiry(t *testing.T) {
	t.Parallel()
	w := newAccountWorld(t)
	tx := w.asks(1, 9, "bob")
	w.fetch()
	first := w.exported(online.ExportOptions{})
	late := w.signs(first)
	w.now = w.now.Add(fakechain.Valid - time.Second)
	w.exported(online.ExportOptions{})
	w.wantState(id(1), "exported") // not yet
	w.now = w.now.Add(2 * time.Second)
	if got := w.imports(late); got.Imported != 0 || codes(got.Problems) != "expired " {
		t.Errorf("%+v", got)
	}
	if got := w.export(online.ExportOptions{}); got.Items != 0 || codes(got.Problems) != "expired " {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "fetched")
	if got := w.fetch(); got.Prepared != 1 {
		t.Fatalf("%+v", got)
	}
	second := w.exported(online.ExportOptions{})
	anew, err := fakechain.Decode(second.Items[0].Tx)
	if err != nil || anew.Slot() != tx.Slot() || bytes.Equal(second.Items[0].Tx, first.Items[0].Tx) {
		t.Fatalf("%+v, %v", anew, err)
	}
	if got := w.imports(w.signs(second)); got.Imported != 1 || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	if got := w.imports(late); got.Imported != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.broadcast(); len(got.Completed) != 1 || len(w.server.Sent()) != 1 {
		t.Errorf("%+v, sent %d", got, len(w.server.Sent()))
	}
	w.wantState(id(1), "completed")
}
