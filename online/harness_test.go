package online_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

const wallet = relaytest.SignatureID

// world is a Tatum, a relay's state directory and a signer.
type world struct {
	testing.TB
	server *tatumtest.Server
	dir    string // state
	out    string // the stick
	signer *relaytest.Signer

	families prepare.Families

	now    time.Time
	faults sync.Mutex // of what a test counts in a fault
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		TB: t, server: tatumtest.New(t), dir: filepath.Join(t.TempDir(), "state"), out: filepath.Join(t.TempDir(), "stick"),
		signer: relaytest.NewSigner(2), families: relaytest.Families(), now: time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC),
	}
	if _, err := online.Init(t.Context(), durable.OS{}, w.dir, bytes.NewReader(bytes.Repeat([]byte{1}, 64)), w.clock); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.out, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := with(w, func(r *online.Relay) (identity.Public, error) { return r.Pair(t.Context(), w.signer.Watch(1)) })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time { return w.now }

// open opens the relay anew, as each command does.
func (w *world) open() *online.Relay {
	w.Helper()
	r, err := online.Open(context.Background(), online.Options{Families: w.families, Dir: w.dir, FS: durable.OS{}, Now: w.clock})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = r.Close() })
	noSleep := func(context.Context, time.Duration) error { return nil }
	r.Sleep = noSleep
	if r.Tatum, err = tatum.New(tatum.Config{URL: w.server.URL, Key: tatumtest.Key, Sleep: noSleep}); err != nil {
		w.Fatal(err)
	}
	return r
}

// with runs one step on a relay that is opened for it.
func with[T any](w *world, f func(*online.Relay) (T, error)) (T, error) {
	w.Helper()
	r := w.open()
	defer r.Close()
	return f(r)
}

func (w *world) fetch() online.Fetched {
	w.Helper()
	got, err := w.tryFetch()
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func (w *world) tryFetch() (online.Fetched, error) {
	w.Helper()
	return with(w, func(r *online.Relay) (online.Fetched, error) {
		return r.Fetch(w.Context(), online.FetchOptions{Network: chain.Testnet})
	})
}

func (w *world) export(o online.ExportOptions) online.Exported {
	w.Helper()
	o.Dir = w.out
	got, err := with(w, func(r *online.Relay) (online.Exported, error) { return r.Export(w.Context(), o) })
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// exported exports and reads the file.
func (w *world) exported(o online.ExportOptions) bundle.SealedRequest {
	w.Helper()
	got := w.export(o)
	if got.Request == nil {
		w.Fatal("nothing exported")
	}
	file, err := os.ReadFile(*got.Request)
	if err != nil {
		w.Fatal(err)
	}
	req, err := bundle.OpenRequest(file)
	if err != nil || req.Digest.String() != *got.Digest || len(req.Items) != got.Items {
		w.Fatal(err, got)
	}
	return req
}

func (w *world) tryImport(file []byte) (online.Imported, error) {
	w.Helper()
	return with(w, func(r *online.Relay) (online.Imported, error) {
		var report online.Imported
		return report, r.Import(w.Context(), file, &report)
	})
}

func (w *world) imports(file []byte) online.Imported {
	w.Helper()
	r := w.open()
	defer r.Close()
	var report online.Imported
	if err := r.Import(w.Context(), file, &report); err != nil {
		w.Fatal(err)
	}
	return report
}

func (w *world) broadcast() online.Broadcasted {
	w.Helper()
	got, err := w.tryBroadcast()
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func (w *world) tryBroadcast() (online.Broadcasted, error) {
	w.Helper()
	return with(w, func(r *online.Relay) (online.Broadcasted, error) {
		return r.Broadcast(w.Context(), online.BroadcastOptions{})
	})
}

func (w *world) status(id string) online.Status {
	w.Helper()
	list, err := with(w, func(r *online.Relay) ([]online.Status, error) {
		return r.Status(w.Context(), chain.UnknownNetwork, id)
	})
	if err != nil {
		w.Fatal(err)
	}
	return list[0]
}

func (w *world) wantState(id, want string) {
	w.Helper()
	if got := w.status(id); string(got.State) != want {
		w.Errorf("%s is %s (%s %s), want %s", id, got.State, got.Code, got.Reason, want)
	}
}

func id(n int) string { return relaytest.ID(n) }

// pay puts a pending payment in front of Tatum, spending an output of a
// transaction of its own, and returns its id.
func (w *world) pay(n int, change func(map[string]any)) string {
	w.Helper()
	return w.payFrom(n, w.funding(n), change)
}

// funding is on the chain.
func (w *world) funding(n int) *wire.MsgTx {
	prev := w.signer.Funding(n)
	w.server.Chain(relaytest.Hex(prev))
	return prev
}

func (w *world) payFrom(n int, prev *wire.MsgTx, change func(map[string]any)) string {
	w.Helper()
	w.server.Add(w.signer.Payment(n, prev, change))
	return id(n)
}

func refuse(n int, code chain.Code) func(*bundle.Result) { return relaytest.Refuse(id(n), code) }

func jsonOf(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// toSigned takes new payments as far as signed.
func (w *world) toSigned(change func(map[string]any), ns ...int) {
	w.Helper()
	for _, n := range ns {
		w.pay(n, change)
	}
	w.fetch()
	if got := w.imports(w.signer.Sign(w.exported(online.ExportOptions{}), nil)); got.Imported != len(ns) {
		w.Fatalf("%+v", got)
	}
}

func codes(problems []online.Problem) string {
	s := ""
	for _, p := range problems {
		s += string(p.Code) + " "
	}
	return s
}

// unsignedOf names a transaction without its signatures.
func unsignedOf(t testing.TB, raw []byte) string {
	t.Helper()
	var msg wire.MsgTx
	if err := msg.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Errorf("what was sent is no transaction: %v", err)
		return ""
	}
	for _, in := range msg.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	return msg.TxHash().String()
}
