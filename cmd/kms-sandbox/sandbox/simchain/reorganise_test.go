package simchain

import (
	"context"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
)

// What was in a block that is gone waits again; what was lost can be sent again,
// and what spends it is not left without a parent.
func TestReorganise(t *testing.T) {
	f := newFixture(t, chain.LTC)
	op, out := f.issue(1e8, f.script)
	f.mine(1)
	before, _ := f.Tip(context.Background())
	parent := f.spend(op, out)
	f.wants(parent, "")
	f.mine(1)
	child := f.spend(wire.OutPoint{Hash: parent.TxHash()}, parent.TxOut[0])
	f.wants(child, "")
	f.mine(2)
	height := func(tx *wire.MsgTx) int64 {
		got, err := f.Tx(context.Background(), tx.TxHash())
		if err != nil {
			return 0
		}
		return got.Height
	}

	f.Reorganise(3, nil)
	if now, _ := f.Tip(context.Background()); now != before {
		t.Errorf("the tip is %+v, want %+v", now, before)
	}
	if height(parent) != sandbox.Unconfirmed || height(child) != sandbox.Unconfirmed {
		t.Errorf("heights %d and %d, want none", height(parent), height(child))
	}
	f.wants(child, "txn-already-in-mempool")
	f.mine(1)
	if height(parent) != 2 || height(child) != 2 {
		t.Errorf("heights %d and %d, want 2", height(parent), height(child))
	}

	all := func(*wire.MsgTx) bool { return true }
	f.Reorganise(1, func(tx *wire.MsgTx) bool { return tx.TxHash() == parent.TxHash() }) // its child keeps it
	if height(parent) != sandbox.Unconfirmed {
		t.Error("a parent was lost")
	}
	f.Reorganise(9, all)
	if height(parent) != 0 || height(child) != 0 {
		t.Error("not lost")
	}
	if spent, _ := f.Spent(context.Background(), op); spent {
		t.Error("spent by what is lost")
	}
	if list, _ := f.History(context.Background(), f.script, 0, 9); len(list) != 1 {
		t.Errorf("%d of the script's transactions are left, want the issue", len(list))
	}
	f.wants(child, "missingorspent")
	f.wants(parent, "")
	f.wants(child, "")
	f.mine(1)
	if height(child) != 1 || len(f.mempool) != 0 {
		t.Errorf("height %d, %d wait", height(child), len(f.mempool))
	}
}
