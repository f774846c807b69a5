package online_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"coldkms/online"
	"coldkms/online/tatum"
	"coldkms/online/tatum/tatumtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// wallet is the signature id of the one key in these tests.
const wallet = "a2a2c281-fa8f-44fe-944f-7bb2f06f65fb"

// world is a Tatum, a relay's state directory and a signer.
type world struct {
	testing.TB
	server *tatumtest.Server
	dir    string // state
	out    string // the stick
	signer identity.Private
	coin   *btcec.PrivateKey
	now    time.Time
	ledger uint64

	otherNonce bool // signs validly, and not as RFC 6979 does
}

func newWorld(t testing.TB) *world {
	t.Helper()
	coin, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	w := &world{
		TB: t, server: tatumtest.New(t), dir: filepath.Join(t.TempDir(), "state"), out: filepath.Join(t.TempDir(), "stick"),
		signer: keyOf(2), coin: coin, now: time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC),
	}
	if _, err := online.Init(t.Context(), durable.OS{}, w.dir, bytes.NewReader(bytes.Repeat([]byte{1}, 64)), w.clock); err != nil {
		t.Fatal(err)
	}
	_, err := with(w, func(r *online.Relay) (identity.Public, error) { return r.Pair(t.Context(), w.watch(w.signer, 1)) })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func keyOf(n byte) identity.Private {
	key, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		panic(err)
	}
	return key
}

func (w *world) clock() time.Time { return w.now }

func (w *world) watch(signer identity.Private, created int64) []byte {
	sealed, err := bundle.SealWatch(bundle.Watch{Created: created, Entries: []bundle.WatchEntry{
		{SignatureID: wallet, Chain: chain.BTC, Network: chain.Testnet, PubKey: w.coin.PubKey().SerializeCompressed()},
		{SignatureID: "eth-entry", Chain: "ETH", Network: chain.Testnet},
	}}, signer)
	if err != nil {
		w.Fatal(err)
	}
	return sealed.File
}

// open opens the relay anew, as each command does.
func (w *world) open() *online.Relay {
	w.Helper()
	r, err := online.Open(context.Background(), online.Options{Dir: w.dir, FS: durable.OS{}, Now: w.clock})
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

func id(n int) string { return fmt.Sprintf("%024x", n) }

// pay puts a pending payment of 1,000 less in front of Tatum, spending an
// output of a transaction of its own, and gives its id.
func (w *world) pay(n int, change func(map[string]any)) string {
	w.Helper()
	return w.payFrom(n, w.funding(n), change)
}

func (w *world) script() []byte {
	return append([]byte{0x00, 0x14}, btcutil.Hash160(w.coin.PubKey().SerializeCompressed())...)
}

// funding is a transaction, with a witness, that pays 100,000 to the key.
func (w *world) funding(n int) *wire.MsgTx {
	prev := wire.NewMsgTx(2)
	from := sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash(from)}, Witness: wire.TxWitness{{1, 2, 3}}})
	prev.AddTxOut(wire.NewTxOut(int64(n), []byte{0x51}))
	prev.AddTxOut(wire.NewTxOut(100_000, w.script()))
	w.server.Chain(hexOf(w, prev))
	return prev
}

func (w *world) payFrom(n int, prev *wire.MsgTx, change func(map[string]any)) string {
	w.Helper()
	tx := wire.NewMsgTx(2)
	prevID := prev.TxHash()
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&prevID, 1), nil, nil))
	tx.AddTxOut(wire.NewTxOut(99_000, append([]byte{0x00, 0x14}, bytes.Repeat([]byte{byte(n)}, 20)...)))
	body := map[string]any{
		"hash": tx.TxHash().String(), "version": 2, "nLockTime": 0,
		"inputs": []any{map[string]any{"prevTxId": prevID.String(), "outputIndex": 1, "sequenceNumber": uint32(wire.MaxTxInSequenceNum), "script": "", "scriptString": "",
			"output": map[string]any{"satoshis": 100_000, "script": hex.EncodeToString(w.script())}}},
		"outputs": []any{map[string]any{"satoshis": 99_000, "script": hex.EncodeToString(tx.TxOut[0].PkScript)}},
	}
	p := map[string]any{"id": id(n), "chain": "BTC", "hashes": []string{wallet}, "index": nil, "withdrawalId": nil, "withdrawalResponses": nil}
	p["serializedTransaction"] = string(jsonOf(w, body))
	if change != nil {
		change(p)
	}
	w.server.Add(w, jsonOf(w, p))
	return id(n)
}

func jsonOf(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hexOf(t testing.TB, tx *wire.MsgTx) string {
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b.Bytes())
}

// sign answers a Request as the signer does. change may alter the Result.
func (w *world) sign(req bundle.SealedRequest, change func(*bundle.Result)) []byte {
	w.Helper()
	table, err := utxo.NewTable(req.Previous)
	if err != nil {
		w.Fatal(err)
	}
	w.ledger++
	res := bundle.Result{Request: req.Digest, LedgerHead: bytes.Repeat([]byte{byte(w.ledger)}, 32), LedgerLen: w.ledger}
	for _, it := range req.Items {
		tx, err := utxo.Decode(it.Chain, it.Network, it.Tx, it.Context, table)
		if err != nil {
			w.Fatal(err)
		}
		o := bundle.Outcome{ID: it.ID}
		digests := tx.Digester()
		for i := range tx.Spent() {
			digest, err := digests.Digest(i, nil)
			if err != nil {
				w.Fatal(err)
			}
			o.Signatures = append(o.Signatures, w.signature(digest))
		}
		res.Outcomes = append(res.Outcomes, o)
	}
	if change != nil {
		change(&res)
	}
	sealed, err := bundle.SealResult(res, w.signer)
	if err != nil {
		w.Fatal(err)
	}
	return sealed.File
}

func (w *world) signature(digest []byte) []byte {
	if !w.otherNonce {
		return ecdsa.SignCompact(w.coin, digest, true)
	}
	// Any nonce is a valid one; the recovery code is found by trying.
	var e, s btcec.ModNScalar
	e.SetByteSlice(digest)
	k := new(btcec.ModNScalar).SetInt(12345)
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	var r btcec.ModNScalar
	x := point.X.Bytes()
	r.SetByteSlice(x[:])
	s.Mul2(&r, &w.coin.Key).Add(&e).Mul(k.InverseNonConst())
	if s.IsOverHalfOrder() {
		s.Negate()
	}
	rb, sb := r.Bytes(), s.Bytes()
	for code := byte(31); code < 35; code++ {
		sig := append(append([]byte{code}, rb[:]...), sb[:]...)
		if key, _, err := ecdsa.RecoverCompact(sig, digest); err == nil && key.IsEqual(w.coin.PubKey()) {
			return sig
		}
	}
	w.Fatal("no recovery code fits")
	return nil
}

// refuse makes the signer refuse one item.
func refuse(n int, code chain.Code) func(*bundle.Result) {
	return func(r *bundle.Result) {
		for i := range r.Outcomes {
			if r.Outcomes[i].ID == id(n) {
				r.Outcomes[i] = bundle.Outcome{ID: id(n), Code: code, Reason: "because"}
			}
		}
	}
}

// toSigned takes new payments as far as signed.
func (w *world) toSigned(change func(map[string]any), ns ...int) {
	w.Helper()
	for _, n := range ns {
		w.pay(n, change)
	}
	w.fetch()
	if got := w.imports(w.sign(w.exported(online.ExportOptions{}), nil)); got.Imported != len(ns) {
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
