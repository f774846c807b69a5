package online

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	interoppsbt "coldkms/shared/interop/psbt"
)

// exported is a relay with one Request out that has these items.
func exported(t *testing.T, previous [][]byte, items ...bundle.Item) (*Relay, bundle.SealedRequest) {
	t.Helper()
	dir, now := filepath.Join(t.TempDir(), "state"), func() time.Time { return time.Unix(1_790_000_000, 0) }
	if _, err := Init(t.Context(), durable.OS{}, dir, bytes.NewReader(bytes.Repeat([]byte{1}, 64)), now); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), Options{Families: relaytest.Families(), Dir: dir, FS: durable.OS{}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	signer := relaytest.NewSigner(2)
	if _, err := r.Pair(t.Context(), signer.Watch(1)); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		added := journal.Item{ID: it.ID, Chain: it.Chain, Network: it.Network, Pending: []byte("{}")}
		if _, err := r.journal.Add(t.Context(), []journal.Item{added}); err != nil {
			t.Fatal(err)
		}
		if err := r.journal.Move(t.Context(), journal.Move{ID: it.ID, From: journal.Fetched, To: journal.Prepared}); err != nil {
			t.Fatal(err)
		}
	}
	req, err := bundle.SealRequest(bundle.Request{Signer: signer.Identity.Public(), Items: items, Attachments: bundle.AttachmentsOf(utxo.Name, previous)}, r.identity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.journal.Export(t.Context(), req, journal.Lease{}); err != nil {
		t.Fatal(err)
	}
	return r, req
}

// spending returns items, one a chain, that spend inputs outputs of one previous
// transaction with so much data in it.
func spending(t *testing.T, inputs, data int, chains ...chain.ID) ([][]byte, []bundle.Item) {
	t.Helper()
	prev, msg := wire.NewMsgTx(2), wire.NewMsgTx(2)
	prev.AddTxIn(&wire.TxIn{})
	script := append([]byte{0x76, 0xa9, 20}, append(make([]byte, 20), 0x88, 0xac)...)
	for range inputs {
		prev.AddTxOut(wire.NewTxOut(10_000, script))
	}
	prev.AddTxOut(wire.NewTxOut(0, append([]byte{0x6a}, make([]byte, data)...)))
	for i := range inputs {
		msg.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash(), Index: uint32(i)}})
	}
	msg.AddTxOut(wire.NewTxOut(9_000, script))
	var raw bytes.Buffer
	if err := prev.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return 0 }, nil)
	var items []bundle.Item
	for i, c := range chains {
		items = append(items, bundle.Item{ID: relaytest.ID(i + 1), Family: utxo.Name, Coin: chain.Coin{Chain: c, Network: chain.Testnet}, Tx: tx, Context: context})
	}
	return [][]byte{raw.Bytes()}, items
}

// Of a Request with an item that cannot be a PSBT the others are written, and
// the whole file is still to be written.
func TestWritePSBTsLeavesOut(t *testing.T) {
	t.Parallel()
	previous, items := spending(t, 1, 0, chain.BTC, chain.BCH)
	r, req := exported(t, previous, items...)
	var report Exported
	if err := r.write(t.Context(), ExportOptions{Dir: t.TempDir(), Format: &interoppsbt.Format{}}, req, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Foreign) != 1 || report.Items != 1 || len(report.Problems) != 1 || report.Problems[0].Code != chain.UnsupportedChain {
		t.Errorf("%+v", report)
	}
	if w, err := r.journal.Waiting(t.Context()); err != nil || len(w) != 1 || w[0].Written {
		t.Errorf("%+v, %v", w, err)
	}
}

// What cannot be a PSBT waits on, for an export to kms-offline.
func TestExportPSBTLeavesBCH(t *testing.T) {
	t.Parallel()
	previous, items := spending(t, 1, 0, chain.BTC)
	r, _ := exported(t, previous, items...)
	id := relaytest.ID(2)
	if _, err := r.journal.Add(t.Context(), []journal.Item{{ID: id, Chain: chain.BCH, Network: chain.Testnet, Pending: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	if err := r.journal.Move(t.Context(), journal.Move{ID: id, From: journal.Fetched, To: journal.Prepared}); err != nil {
		t.Fatal(err)
	}
	got, err := r.Export(t.Context(), ExportOptions{Dir: t.TempDir(), Format: &interoppsbt.Format{}, IDs: []string{id}})
	if err != nil || len(got.Problems) != 1 || got.Problems[0].Code != chain.UnsupportedChain {
		t.Errorf("%+v, %v", got, err)
	}
	if it, err := r.journal.Item(t.Context(), id); err != nil || it.State != journal.Prepared {
		t.Errorf("it is %s, %v", it.State, err)
	}
}

// A PSBT that no reader here takes is not written.
func TestWritePSBTsNotTooLarge(t *testing.T) {
	t.Parallel()
	previous, items := spending(t, 40, 900_000, chain.BTC)
	r, req := exported(t, previous, items...)
	var report Exported
	if err := r.write(t.Context(), ExportOptions{Dir: t.TempDir(), Format: &interoppsbt.Format{}}, req, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Foreign) != 0 || len(report.Problems) != 1 || report.Problems[0].Code != chain.Malformed {
		t.Errorf("%+v", report)
	}
}

// An item that went out anew in another Request is not of this one any more.
func TestWritePSBTsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	previous, items := spending(t, 1, 0, chain.BTC)
	r, old := exported(t, previous, items...)
	req := old.Request
	req.Created++
	newer, err := bundle.SealRequest(req, r.identity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.journal.Export(t.Context(), newer, journal.Lease{}); err != nil {
		t.Fatal(err)
	}
	for sealed, want := range map[*bundle.SealedRequest]int{&old: 0, &newer: 1} {
		var report Exported
		if err := r.write(t.Context(), ExportOptions{Dir: t.TempDir(), Format: &interoppsbt.Format{}}, *sealed, &report); err != nil || len(report.Foreign) != want {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

// What is no PSBT stays where it is, and is said.
func TestNoFormatForBCH(t *testing.T) {
	t.Parallel()
	var report Exported
	kept := writable(&interoppsbt.Format{}, []journal.Item{{ID: "a", Chain: chain.BCH}, {ID: "b", Chain: chain.LTC}, {ID: "c", Chain: chain.DOGE}}, &report)
	if len(kept) != 2 || kept[0].ID != "b" || len(report.Problems) != 1 || report.Problems[0].ID != "a" || report.Problems[0].Code != chain.UnsupportedChain {
		t.Errorf("%v, %+v", kept, report)
	}
}
