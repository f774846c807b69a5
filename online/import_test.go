package online_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

func TestImportWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	good := w.signer.Sign(req, nil)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":         {nil, bundle.ErrInvalid},
		"cut short":     {good[:len(good)-3], bundle.ErrInvalid},
		"a request":     {req.File, bundle.ErrInvalid},
		"other request": {w.signer.Sign(req, func(r *bundle.Result) { r.Request[0] ^= 1 }), online.ErrOtherRequest},
		"one missing":   {w.signer.Sign(req, func(r *bundle.Result) { r.Outcomes = r.Outcomes[:1] }), online.ErrMismatch},
		"other order": {w.signer.Sign(req, func(r *bundle.Result) {
			r.Outcomes[0], r.Outcomes[1] = r.Outcomes[1], r.Outcomes[0]
		}), online.ErrMismatch},
		"other id":     {w.signer.Sign(req, func(r *bundle.Result) { r.Outcomes[0].ID = id(9) }), online.ErrMismatch},
		"other signer": {relaytest.NewSigner(9).Sign(req, nil), online.ErrOtherSigner},
	} {
		if got, err := w.tryImport(c.file); !errors.Is(err, c.want) || got.Imported != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if _, err := w.tryImport(bad); !errors.Is(err, bundle.ErrInvalid) {
			t.Fatalf("bit flipped at %d: %v", i, err)
		}
	}
	w.wantState(id(1), "exported")
	if got := w.imports(good); got.Imported != 2 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.imports(good); got.Imported != 0 || got.Refused != 0 || len(got.Problems) != 0 || len(got.Notes) != 0 {
		t.Errorf("again: %+v", got)
	}
}

// A signature that does not verify holds back its item and no other.
func TestImportBadSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 3 {
		w.pay(n+1, nil)
	}
	w.fetch()
	req := w.exported(online.ExportOptions{})
	for name, change := range map[string]func(*bundle.Result){
		"another item's": func(r *bundle.Result) { r.Outcomes[1].Signatures = r.Outcomes[0].Signatures },
		"too many":       func(r *bundle.Result) { r.Outcomes[1].Signatures = append(r.Outcomes[1].Signatures, []byte{1}) },
		"rubbish":        func(r *bundle.Result) { r.Outcomes[1].Signatures = [][]byte{make([]byte, 65)} },
		"a bit": func(r *bundle.Result) {
			r.Outcomes[1].Signatures[0][40] ^= 1
		},
	} {
		got := w.imports(w.signer.Sign(req, change))
		if len(got.Problems) != 1 || got.Problems[0].ID != id(2) || got.Problems[0].Code != chain.Incomplete {
			t.Errorf("%s: %+v", name, got)
		}
		w.wantState(id(1), "signed")
		w.wantState(id(2), "exported")
	}
	if got := w.status(id(2)); got.Code != chain.Incomplete {
		t.Errorf("on record: %+v", got)
	}
	if got := w.imports(w.signer.Sign(req, nil)); got.Imported != 1 || len(got.Problems) != 0 {
		t.Errorf("the right ones: %+v", got)
	}
}

// One pending id, two different valid transactions: the second is an alarm.
func TestImportOtherBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	if got := w.imports(w.signer.Sign(req, nil)); got.Imported != 1 {
		t.Fatalf("%+v", got)
	}
	before := w.status(id(1))
	w.signer.OtherNonce = true
	got := w.imports(w.signer.Sign(req, nil))
	if got.Imported != 0 || codes(got.Problems) != "other-bytes " {
		t.Errorf("%+v", got)
	}
	w.broadcast()
	if after := w.status(id(1)); after.TxID != before.TxID || len(w.server.Sent()) != 1 {
		t.Errorf("%+v became %+v", before, after)
	}
}

func TestImportRefusalThenOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	no := w.signer.Sign(req, refuse(1, chain.FeeAbovePolicy))
	yes := w.signer.Sign(req, nil)
	if got := w.imports(no); got.Refused != 1 || got.Imported != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.status(id(1)); got.State != "refused" || got.Code != chain.FeeAbovePolicy || got.Reason != "because" {
		t.Errorf("%+v", got)
	}
	if got := w.imports(no); got.Refused != 0 || len(got.Problems) != 0 {
		t.Errorf("again: %+v", got)
	}
	if got := w.imports(yes); got.Imported != 0 || codes(got.Problems) != "signed-after-refusal " {
		t.Errorf("signed after all: %+v", got)
	}
	w.wantState(id(1), "failed")
	if got := w.broadcast(); len(got.Broadcast) != 0 || len(w.server.Sent()) != 0 {
		t.Errorf("sent although a person said no: %+v", got)
	}
	r := w.open()
	defer r.Close()
	if exported, err := r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}); err != nil || !exported || w.server.Calls("DELETE") != 1 {
		t.Errorf("%v, %v", exported, err)
	}
	if state, err := r.Retry(t.Context(), id(1), ""); err != nil || state != "signed" {
		t.Errorf("%s, %v", state, err)
	}
}

// A refused item was started again; then the signature of the first Request
// turns up.
func TestImportAfterRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	yes := w.signer.Sign(req, nil)
	w.imports(w.signer.Sign(req, refuse(1, chain.FeeAbovePolicy)))
	if _, err := with(w, func(r *online.Relay) (any, error) { return r.Retry(t.Context(), id(1), "") }); err != nil {
		t.Fatal(err)
	}
	w.wantState(id(1), "fetched")
	if got := w.imports(yes); got.Imported != 1 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.broadcast(); len(got.Completed) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestImportLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 3 {
		w.pay(n+1, nil)
	}
	w.fetch()
	for n, c := range []struct {
		length uint64
		head   byte
		noted  bool
	}{{5, 5, false}, {4, 4, true}, {5, 6, true}} {
		req := w.exported(online.ExportOptions{IDs: []string{id(n + 1)}})
		got := w.imports(w.signer.Sign(req, func(r *bundle.Result) {
			r.LedgerLen, r.LedgerHead = c.length, []byte(strings.Repeat(string(c.head), 32))
		}))
		if got.Imported != 1 || (len(got.Notes) == 1) != c.noted {
			t.Errorf("length %d head %d: %+v", c.length, c.head, got)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.kmsres", "a.kmsres", "c.kmsreq", "d.txt", ".e.kmsres", ".b.kmsres.tmp-0", "f.psbt", "g.txn", ".h.psbt", "i.psbt.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := online.Files(durable.OS{}, dir)
	if err != nil || len(got) != 4 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []string{"a.kmsres", "b.kmsres", "f.psbt", "g.txn"} {
		if filepath.Base(got[i].Path) != want || !got[i].Listed {
			t.Errorf("%v, want %s", got[i], want)
		}
	}
	if got, err := online.Files(durable.OS{}, filepath.Join(dir, "d.txt")); err != nil || len(got) != 1 || got[0].Listed {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := online.Files(durable.OS{}, filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// The signer refuses what it has signed before: a signature may be out. The item
// stays exported, with an alarm; Tatum is told of no refusal, and the result of
// then is taken as ever.
func TestImportSignedEarlier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	no := w.signer.Sign(req, refuse(1, chain.SignedEarlier))
	yes := w.signer.Sign(req, nil)
	for range 2 {
		if got := w.imports(no); got.Refused != 0 || got.Imported != 0 || codes(got.Problems) != "signed-earlier " {
			t.Errorf("%+v", got)
		}
		w.wantState(id(1), "exported")
	}
	if open := w.openAlarms(); open != "signed-earlier " {
		t.Errorf("alarms %s", open)
	}
	if got := w.imports(yes); got.Imported != 1 {
		t.Errorf("the result of then: %+v", got)
	}
}
