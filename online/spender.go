package online

import (
	"bytes"
	"context"
	"errors"

	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// What uses up the same as an item's transaction, such as an output that both
// spend, is found in the lists of addresses. What a list says is a claim: the
// bytes are looked up and verified.

// spender is a transaction that Tatum lists as one that uses up what the item's
// does.
type spender struct {
	txid  string
	rival *prepare.Rival // nil: no bytes of it are there that verify
}

// Bounds of one look for what conflicts with an item.
const (
	maxAddresses = 8
	maxPages     = 400 // of an address in one look, newest first
)

// search is one look for what conflicts with the item's transaction.
type search struct {
	*step
	prepare.Conflicts
	past bool // that a list has our own transaction ends nothing
}

// search knows what the item's transaction uses up from the journal's proofs.
func (s *step) search(ctx context.Context) (search, error) {
	ours, err := s.ourTx()
	if err != nil {
		return search{}, err
	}
	held, err := s.journal.Previous(ctx, ours.Parents())
	if err != nil {
		return search{}, err
	}
	parts := make([][]byte, 0, len(held))
	for _, raw := range held {
		parts = append(parts, raw)
	}
	family, err := s.family()
	if err != nil {
		return search{}, err
	}
	found, err := family.Conflicts(ours, chain.Coin{Chain: s.item.Chain, Network: s.item.Network}, parts)
	return search{s, found, false}, err
}

// looked is what came of a look for conflicting transactions.
type looked struct {
	ours bool   // a list has our own txid
	gap  string // why the lists may lack something, "" if they are whole
}

// spenders looks for conflicting transactions until take returns true. The lists
// are whole only where each has the transactions that made what is used up, and
// with them all that is newer.
func (f search) spenders(ctx context.Context, take func(spender) (done bool)) (found looked, err error) {
	addresses := f.Addresses()
	for _, address := range addresses[:min(len(addresses), maxAddresses)] {
		at, done, err := f.at(ctx, address, take)
		if err != nil || done || at.ours {
			return at, err
		}
		if found.gap == "" {
			found.gap = at.gap
		}
	}
	return found, nil
}

// prove looks at the very bytes of what is listed as a conflict.
func (f search) prove(ctx context.Context, txid string) (spender, error) {
	raw, err := f.Tatum.RawTransaction(ctx, f.item.Chain, txid)
	if err != nil && !tatum.IsNotFound(err) {
		return spender{}, err
	}
	return spender{txid, f.Rival(txid, raw)}, nil
}

// whole returns what tells the whole bytes of the item's transaction: those that
// are here, or others with signatures that verify for each input.
func (s *step) whole(ctx context.Context) tatum.Whole {
	return func(raw []byte) (txid string, whole bool) {
		family, err := s.family()
		if err != nil {
			return "", false
		}
		if txid, err = family.TxID(raw); err != nil {
			return "", false
		}
		if bytes.Equal(raw, s.item.Signed) {
			return txid, true
		}
		f, err := s.search(ctx)
		return txid, err == nil && f.Whole(raw)
	}
}

// known reports whether the network has the item's transaction. Before it is
// signed its txid is known only where no signature is a part of that.
func (s *step) known(ctx context.Context) (bool, error) {
	if s.item.Signed != nil {
		return s.Tatum.Known(ctx, s.item.Chain, s.item.TxID, s.whole(ctx))
	}
	ours, err := s.ourTx()
	if err != nil {
		return false, err
	}
	f, err := s.search(ctx)
	if err != nil || !f.Fixed() {
		return false, err
	}
	sp, err := f.prove(ctx, ours.TxID())
	return sp.rival != nil, err
}

// ourTx reads the item's transaction: the signed bytes, or what is asked for.
func (s *step) ourTx() (prepare.Tx, error) {
	if s.item.Signed == nil {
		d := s.drafted(s.item)
		if d.err != nil {
			return nil, d.err
		}
		return d.draft.Tx(), nil
	}
	family, err := s.family()
	if err != nil {
		return nil, err
	}
	tx, err := family.Read(s.item.Signed)
	if err != nil {
		return nil, errDamaged
	}
	return tx, nil
}

var errDamaged = errors.New("the signed bytes in the journal are damaged")
