package online

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// ErrNoMatch is returned for a signed transaction that nobody here asked for.
var ErrNoMatch = errors.New("it signs no transaction that this relay has exported")

// MaxForeignTx bounds a finished transaction in bytes: what fits into a block.
const MaxForeignTx = 4_000_000

// Importer takes files of any kind into one report: Results, and PSBTs and
// finished transactions of other signers.
type Importer struct {
	relay    *Relay
	report   *Imported
	indexed  bool // the journal knows the unsigned txids of all that was exported
	requests map[bundle.Digest]opened
}

type opened struct {
	items map[string]bundle.Item
	table *utxo.Table
}

// Importer starts an import.
func (r *Relay) Importer(report *Imported) *Importer {
	return &Importer{relay: r, report: report, requests: make(map[bundle.Digest]opened)}
}

// File takes one file. listed says that it was found in a folder and not
// named: then what is not signed, or not ours, is passed over with a note.
func (im *Importer) File(ctx context.Context, name string, file []byte, listed bool) error {
	err := im.file(ctx, file, listed)
	stranger := listed && filepath.Ext(name) != resultEnding
	if stranger && (errors.Is(err, psbt.ErrInvalid) || errors.Is(err, ErrNoMatch) || errors.Is(err, bundle.ErrInvalid)) {
		im.report.Notes = append(im.report.Notes, fmt.Sprintf("%s was passed over: %v", name, err))
		return nil
	}
	return err
}

func (im *Importer) file(ctx context.Context, file []byte, listed bool) error {
	if psbt.Is(file) {
		p, err := psbt.Decode(file)
		if err != nil || listed && p.Unsigned() {
			return err
		}
		return im.adopt(ctx, p.UnsignedID(), p.Finished)
	}
	if msg := parseFinal(file); msg != nil {
		return im.adopt(ctx, unsignedID(msg), func(*utxo.Tx) (*wire.MsgTx, error) { return msg, nil })
	}
	return im.relay.Import(ctx, file, im.report)
}

// parseFinal reads a finished transaction, binary or in hex, or gives nil.
func parseFinal(file []byte) *wire.MsgTx {
	if len(file) > 2*MaxForeignTx+2 {
		return nil
	}
	if text, err := hex.DecodeString(string(bytes.TrimSpace(file))); err == nil {
		file = text
	}
	if _, err := utxo.StripWitness(file); err != nil || len(file) > MaxForeignTx { // bounds every count before the decoder makes room
		return nil
	}
	var msg wire.MsgTx
	if err := msg.Deserialize(bytes.NewReader(file)); err != nil {
		return nil
	}
	return &msg
}

func unsignedID(msg *wire.MsgTx) chainhash.Hash {
	bare := msg.Copy()
	for _, in := range bare.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	return bare.TxHash()
}

// adopt finds the item that asked for a transaction, lets finish put
// signatures into the journal's own, runs every script, and journals what
// stands. Nothing else is taken from the file.
func (im *Importer) adopt(ctx context.Context, unsigned chainhash.Hash, finish func(*utxo.Tx) (*wire.MsgTx, error)) error {
	it, err := im.find(ctx, unsigned)
	if err != nil || it == nil {
		return err
	}
	tx, err := im.transaction(ctx, *it)
	if err != nil {
		return err
	}
	f := final{outcome: bundle.Outcome{ID: it.ID}}
	msg, err := finish(tx)
	if err == nil {
		var done utxo.Final
		done, err = tx.Adopt(msg)
		f.tx = prepare.Final{Raw: done.Raw, TxID: done.TxID}
	}
	f.err = err
	switch p := f.against(*it); {
	case p != nil:
		return im.problem(ctx, *it, *p)
	case it.Signed != nil: // known already
		return nil
	}
	if err := im.relay.journal.Adopt(ctx, f.signedFor(*it)); err != nil {
		return err
	}
	im.report.took(*it)
	return im.relay.ownAfterAll(ctx, *it, f.tx.TxID)
}

func (im *Importer) problem(ctx context.Context, it journal.Item, p Problem) error {
	im.report.Problems = append(im.report.Problems, p)
	if p.evidence != "" {
		if err := im.relay.journal.Raise(ctx, *p.alarm(p.evidence)); err != nil {
			return err
		}
	}
	if it.State != journal.Exported {
		return nil
	}
	return im.relay.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
}

// find returns the item that asked for a transaction. Where two ask for the very
// same one, nothing says which of them it pays: that is a problem of both.
func (im *Importer) find(ctx context.Context, unsigned chainhash.Hash) (*journal.Item, error) {
	if err := im.index(ctx); err != nil {
		return nil, err
	}
	ids, err := im.relay.journal.AskedFor(ctx, unsigned.String())
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w (unsigned txid %s)", ErrNoMatch, unsigned)
	}
	items, err := im.relay.journal.Items(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return nil, err
	}
	rejected := func(it journal.Item) bool { return it.State == journal.Rejected }
	if live := slices.DeleteFunc(slices.Clone(items), rejected); len(live) > 0 {
		items = live
	}
	if len(items) == 1 {
		return &items[0], nil
	}
	for _, it := range items {
		p := Problem{ID: it.ID, Code: chain.BatchConflict, Reason: fmt.Sprintf("%d pending ids ask for this very transaction, which pays once: reject all but one", len(items))}
		if err := im.problem(ctx, it, p); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// index makes what was exported be found by its unsigned txid.
func (im *Importer) index(ctx context.Context) error {
	if im.indexed {
		return nil
	}
	if err := im.relay.hashAsked(ctx); err != nil {
		return err
	}
	im.indexed = true
	return nil
}

// transaction decodes an item from the Request in which it went out last.
func (im *Importer) transaction(ctx context.Context, it journal.Item) (*utxo.Tx, error) {
	req, known := im.requests[it.Request]
	if !known {
		sealed, err := im.relay.openOwn(ctx, it.Request)
		if err != nil {
			return nil, err
		}
		if req.table, err = utxo.NewTable(sealed.Previous); err != nil {
			return nil, fmt.Errorf("request %.16s in the journal is damaged: %w", it.Request, err)
		}
		req.items = make(map[string]bundle.Item, len(sealed.Items))
		for _, item := range sealed.Items {
			req.items[item.ID] = item
		}
		im.requests[it.Request] = req
	}
	item := req.items[it.ID]
	return utxo.Decode(item.Coin, item.Tx, item.Context, req.table)
}
