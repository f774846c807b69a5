package online

import (
	"context"
	"fmt"
	"time"

	"coldkms/online/tatum"
)

// evidence is that a transaction is in a block. It is built in one place, from
// replies that agree with each other, and two looks compare all of it.
type evidence struct {
	txid   string
	height int64
	block  string // its hash
}

func (e evidence) String() string { return fmt.Sprintf("%s@%d:%s", e.txid, e.height, e.block) }

// placed is where a transaction is in the chain.
type placed struct {
	evidence
	depth  int64
	with   map[string]bool // txids in the same block
	absent bool            // a node shows the block of its height, without it
}

// maxParents bounds how many of the outputs that it spends are looked up.
const maxParents = 8

// place looks up the block of a transaction. at is an earlier reply about it, or
// the zero value. doubt is why the replies cannot all be true, or "" if they
// agree; the height itself is Tatum's claim.
func (s *step) place(ctx context.Context, txid string, at tatum.Mined, parents ...string) (p placed, doubt string, err error) {
	if at.Height == 0 {
		at, err = s.Tatum.Where(ctx, s.item.Chain, txid)
	}
	switch {
	case err != nil:
		doubt, err = unsure("its block is not known", err)
		return p, doubt, err
	case at.Height < 1:
		return p, "it is in no block of a known height", nil
	}
	if doubt, err := s.parentsBelow(ctx, at.Height, parents); err != nil || doubt != "" {
		return p, doubt, err
	}
	block, err := s.Tatum.Block(ctx, s.item.Chain, at.Height)
	switch {
	case err != nil:
		doubt, err = unsure(fmt.Sprintf("block %d cannot be looked at", at.Height), err)
		return p, doubt, err
	case !block.TxIDs[txid]:
		return placed{absent: true}, fmt.Sprintf("block %d does not have it", at.Height), nil
	case block.Confirmations < at.Confirmations-1 || block.Confirmations > at.Confirmations+1: // one may come in between
		return p, fmt.Sprintf("block %d has %d confirmations, and it %d", at.Height, block.Confirmations, at.Confirmations), nil
	}
	depth := min(at.Confirmations, block.Confirmations)
	return placed{evidence: evidence{txid, at.Height, block.Hash}, depth: depth, with: block.TxIDs}, "", nil
}

// parentsBelow says why a transaction with these parents, each given once, cannot
// be in the block of a height, "" if it can.
func (s *step) parentsBelow(ctx context.Context, height int64, parents []string) (string, error) {
	for _, txid := range parents[:min(len(parents), maxParents)] {
		parent, err := s.Tatum.Height(ctx, s.item.Chain, txid)
		switch {
		case err != nil:
			return unsure("the block of the output that it spends is not known", err)
		case parent < 1:
			return "the output that it spends is in no block yet", nil
		case parent > height:
			return fmt.Sprintf("it cannot be in block %d: the output that it spends is made in block %d", height, parent), nil
		}
	}
	return "", nil
}

// unsure makes a doubt of an error, unless that concerns every call.
func unsure(what string, err error) (string, error) {
	if general(err) {
		return "", err
	}
	return fmt.Sprintf("%s (%v)", what, err), nil
}

// lookApart is how long after evidence was first found it must be found again,
// the same in the same block, before it counts.
const lookApart = 10 * time.Minute

// firstLook notes that evidence was found, and returns from when on it counts if
// it is found again; zero: it does now.
func (s *step) firstLook(ctx context.Context, e evidence) (time.Time, error) {
	first, err := s.journal.Looked(ctx, s.item.ID, e.String())
	if err != nil {
		return time.Time{}, err
	}
	if again := first.Add(lookApart); s.Now().Before(again) {
		return again, nil
	}
	return time.Time{}, nil
}
