package online_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Three payments, one of them a withdrawal, once through.
func TestLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, func(p map[string]any) {
		p["withdrawalId"] = "w-2"
		p["withdrawalResponses"] = []any{map[string]any{"vIn": "-1", "amount": 0}, map[string]any{"vIn": "x", "amount": 0.1}}
	})
	w.pay(3, nil)
	if got := w.fetch(); got.Fetched != 3 || got.Prepared != 3 || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	if got := w.fetch(); got.Fetched != 0 || got.Prepared != 0 || len(got.Problems) != 0 {
		t.Fatalf("again: %+v", got)
	}
	req := w.exported(online.ExportOptions{})
	if len(req.Items) != 3 || len(req.Attached(utxo.Name)) != 3 || req.Created != w.now.Unix() || req.Signer != w.signer.Identity.Public() || len(req.LedgerHead) != 0 {
		t.Fatalf("%+v", req.Request)
	}
	if got := w.imports(w.signer.Sign(req, nil)); got.Imported != 3 || got.Refused != 0 || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	got := w.broadcast()
	if len(got.Broadcast) != 3 || len(got.Completed) != 3 || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	for i, s := range got.Broadcast {
		if s.ID != id(i+1) || w.server.TxID(s.ID) != s.TxID || w.status(s.ID).TxID != s.TxID {
			t.Errorf("%+v", s)
		}
		w.wantState(s.ID, "completed")
	}
	if n := w.server.Calls("GET /v3/bitcoin/transaction/"); n != 9 { // 3 previous, 3 look-ups before sending, 3 after
		t.Errorf("%d transaction calls", n)
	}
	if got := w.broadcast(); len(got.Broadcast)+len(got.Completed)+len(got.Problems) != 0 {
		t.Errorf("nothing to do: %+v", got)
	}
	w.pay(4, nil)
	w.fetch()
	if req := w.exported(online.ExportOptions{}); !bytes.Equal(req.LedgerHead, bytes.Repeat([]byte{1}, 32)) {
		t.Errorf("ledger head %x", req.LedgerHead)
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "state")
	_, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: dir, FS: durable.OS{}, Now: new(world).clock})
	if !errors.Is(err, online.ErrNotInitialised) {
		t.Errorf("before init: %v", err)
	}
	first, err := online.Init(t.Context(), durable.OS{}, dir, strings.NewReader(strings.Repeat("a", 64)), new(world).clock)
	if err != nil {
		t.Fatal(err)
	}
	again, err := online.Init(t.Context(), durable.OS{}, dir, strings.NewReader(strings.Repeat("b", 64)), new(world).clock)
	if err != nil || !first.New || again.New || again.Path != first.Path || again.Public != first.Public {
		t.Errorf("again: %v, %v", again, err)
	}
	file, err := os.ReadFile(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	if public, err := identity.ParseFile(file); err != nil || public != first.Public {
		t.Errorf("%v, %v", public, err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "identity.key": 0o600, "journal.db": 0o600, "lock": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open()
	if _, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: w.dir, FS: durable.OS{}, Now: w.clock}); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("second one: %v", err)
	}
	look, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: w.dir, FS: durable.OS{}, Now: w.clock, Read: true})
	if err != nil {
		t.Fatalf("looking: %v", err)
	}
	if err := errors.Join(look.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.open().Close(); err != nil {
		t.Errorf("after the first one ended: %v", err)
	}
}

// A key that others could have changed is not used.
func TestOpenKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := os.Chmod(filepath.Join(w.dir, "identity.key"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: w.dir, FS: durable.OS{}, Now: w.clock}); !errors.Is(err, durable.ErrInsecure) {
		t.Error(err)
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open()
	defer r.Close()
	if got, err := r.Pair(t.Context(), w.signer.Watch(5)); err != nil || got != w.signer.Identity.Public() {
		t.Errorf("newer: %v, %v", got, err)
	}
	if _, err := r.Pair(t.Context(), w.signer.Watch(4)); err == nil {
		t.Error("an older watch file is taken")
	}
	if _, err := r.Pair(t.Context(), relaytest.NewSigner(3).Watch(9)); !errors.Is(err, journal.ErrOtherPeer) {
		t.Errorf("another signer: %v", err)
	}
	file := w.signer.Watch(6)
	file[len(file)-1] ^= 1
	if _, err := r.Pair(t.Context(), file); !errors.Is(err, bundle.ErrInvalid) {
		t.Errorf("damaged: %v", err)
	}
}

func TestNotPaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dir = filepath.Join(t.TempDir(), "other")
	if _, err := online.Init(t.Context(), durable.OS{}, w.dir, strings.NewReader(strings.Repeat("a", 64)), w.clock); err != nil {
		t.Fatal(err)
	}
	r := w.open()
	defer r.Close()
	_, err1 := r.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet})
	_, err2 := r.Export(t.Context(), online.ExportOptions{Dir: w.out})
	if !errors.Is(err1, journal.ErrNoPeer) || !errors.Is(err2, journal.ErrNoPeer) {
		t.Errorf("%v, %v", err1, err2)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	got := w.status(id(1))
	if got.State != journal.Prepared || got.Chain != chain.BTC || got.Network != "testnet" || got.Updated != "2026-11-23T10:15:00Z" {
		t.Errorf("%+v", got)
	}
	r := w.open()
	defer r.Close()
	if _, err := r.Status(t.Context(), chain.UnknownNetwork, id(1), id(2)); !errors.Is(err, journal.ErrNoItem) {
		t.Error(err)
	}
	if list, err := r.Status(t.Context(), chain.Mainnet); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	c, healthy, reachable := r.Check(t.Context())
	if !healthy || !reachable || c.Items["prepared"] != 1 || c.Watched["BTC testnet"] != 1 || c.Signer != w.signer.Identity.Public().Fingerprint() {
		t.Errorf("%+v %v %v", c, healthy, reachable)
	}
}

func TestReject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 4 {
		w.pay(n+1, nil)
	}
	w.fetch()
	req := w.exported(online.ExportOptions{IDs: []string{id(2), id(3)}})
	r := w.open()
	reject := func(n int) (bool, error) { return r.Reject(t.Context(), id(n), online.Rejection{Why: "a mistake"}) }
	if exported, err := reject(1); exported || err != nil {
		t.Errorf("prepared: %v, %v", exported, err)
	}
	if exported, err := reject(2); !exported || err != nil {
		t.Errorf("exported: %v, %v", exported, err)
	}
	if exported, err := reject(2); !exported || err != nil {
		t.Errorf("again: %v, %v", exported, err)
	}
	if _, err := reject(9); !errors.Is(err, journal.ErrNoItem) {
		t.Errorf("unknown: %v", err)
	}
	w.server.FailOnce("DELETE /v3/kms/"+id(4), 403, `{"errorCode":"kms.missing"}`, func() { w.server.Change(id(4), "id", nil) }) // an earlier run did that much
	if _, err := reject(4); err != nil {
		t.Errorf("gone at Tatum: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.status(id(1)); got.State != journal.Rejected || got.Reason != "a mistake" {
		t.Errorf("%+v", got)
	}
	// The signer had item 2 already: its signature is reported and not used.
	got := w.imports(w.signer.Sign(req, nil))
	if got.Imported != 1 || codes(got.Problems) != "signed-after-drop " || got.Problems[0].ID != id(2) {
		t.Errorf("%+v", got)
	}
	r = w.open()
	if _, err := r.Reject(t.Context(), id(3), online.Rejection{Why: "too late"}); !errors.Is(err, online.ErrTooLate) {
		t.Errorf("signed: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	w.wantState(id(3), "signed")
	if got := w.broadcast(); len(got.Broadcast) != 1 || len(w.server.Sent()) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	w.fetch()
	first := w.exported(online.ExportOptions{})
	result := w.signer.Sign(first, refuse(1, chain.RefusedByPerson))
	if got := w.imports(result); got.Imported != 1 || got.Refused != 1 {
		t.Fatalf("%+v", got)
	}
	if got := w.server.Reported(); len(got) != 1 || got[0] != id(1) {
		t.Errorf("reported to Tatum: %v", got)
	}
	retry := func(n int) (journal.State, error) {
		return with(w, func(r *online.Relay) (journal.State, error) { return r.Retry(t.Context(), id(n), "") })
	}
	if to, err := retry(1); to != journal.Fetched || err != nil {
		t.Errorf("refused: %s, %v", to, err)
	}
	if _, err := retry(2); !errors.Is(err, journal.ErrState) {
		t.Errorf("signed: %v", err)
	}
	if got := w.fetch(); got.Prepared != 1 || got.Fetched != 0 {
		t.Errorf("%+v", got)
	}
	second := w.exported(online.ExportOptions{})
	if got := w.imports(result); got.Imported != 0 || got.Refused != 0 || len(got.Problems) != 0 {
		t.Errorf("the old refusal against the new request: %+v", got)
	}
	w.wantState(id(1), "exported")
	if got := w.imports(w.signer.Sign(second, nil)); got.Imported != 1 {
		t.Errorf("%+v", got)
	}
}
