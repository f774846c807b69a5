package simchain

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// fixture is a chain with one key that has coins on it.
type fixture struct {
	*testing.T
	*Chain
	key    *btcec.PrivateKey
	script []byte // P2PKH
	segwit []byte // P2WPKH
}

func newFixture(t *testing.T, id chain.ID) *fixture {
	t.Helper()
	p, err := utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, Chain: New(p, func() time.Time { return time.Unix(1_800_000_000, 0) })}
	f.key, _ = btcec.PrivKeyFromBytes([]byte{31: 5})
	_, legacy := p.KeyAddress(f.key.PubKey().SerializeCompressed())
	if f.script, err = p.ScriptOf(legacy); err != nil {
		t.Fatal(err)
	}
	f.segwit = append([]byte{txscript.OP_0, txscript.OP_DATA_20}, f.script[3:23]...)
	return f
}

// issue makes one output.
func (f *fixture) issue(value int64, script []byte) (wire.OutPoint, *wire.TxOut) {
	f.Helper()
	out := wire.NewTxOut(value, script)
	tx, err := f.Issue(context.Background(), []*wire.TxOut{out})
	if err != nil {
		f.Fatal(err)
	}
	return wire.OutPoint{Hash: tx.TxHash()}, out
}

// spend makes and signs a payment of one output, as Bitcoin does.
func (f *fixture) spend(op wire.OutPoint, prev *wire.TxOut, change ...func(*wire.MsgTx)) *wire.MsgTx {
	f.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&op, nil, nil))
	tx.AddTxOut(wire.NewTxOut(prev.Value-1000, f.script))
	for _, c := range change {
		c(tx)
	}
	var err error
	if txscript.IsPayToWitnessPubKeyHash(prev.PkScript) {
		hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(prev.PkScript, prev.Value))
		tx.TxIn[0].Witness, err = txscript.WitnessSignature(tx, hashes, 0, prev.Value, prev.PkScript, txscript.SigHashAll, f.key, true)
	} else {
		tx.TxIn[0].SignatureScript, err = txscript.SignatureScript(tx, 0, prev.PkScript, txscript.SigHashAll, f.key, true)
	}
	if err != nil {
		f.Fatal(err)
	}
	return tx
}

// wants sends and wants these words; none: it is taken.
func (f *fixture) wants(tx *wire.MsgTx, says string) {
	f.Helper()
	err := f.Send(context.Background(), tx)
	var refused *sandbox.NodeError
	switch {
	case says == "" && err != nil:
		f.Errorf("refused: %v", err)
	case says != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Message, says)):
		f.Errorf("got %v, want %q", err, says)
	}
}

func (f *fixture) mine(blocks int) {
	f.Helper()
	if err := f.Mine(context.Background(), blocks); err != nil {
		f.Fatal(err)
	}
}

// Each output is spent once, in the mempool and in the chain.
func TestSpentOnce(t *testing.T) {
	for _, id := range []chain.ID{chain.LTC, chain.DOGE} {
		f := newFixture(t, id)
		op, out := f.issue(1e8, f.script)
		first := f.spend(op, out)
		second := f.spend(op, out, func(tx *wire.MsgTx) { tx.TxOut[0].Value -= 1 })
		f.wants(first, "")
		f.wants(first, "txn-already-in-mempool")
		f.wants(second, "txn-mempool-conflict")
		next := wire.OutPoint{Hash: first.TxHash()}
		f.wants(f.spend(next, first.TxOut[0]), "") // of what is in no block yet
		f.mine(1)
		f.wants(first, "already in block chain")
		f.wants(second, "missingorspent")
		f.wants(f.spend(wire.OutPoint{Hash: chainhash.Hash{1}}, out), "missingorspent")
		f.wants(f.spend(wire.OutPoint{Hash: op.Hash, Index: 1}, out), "missingorspent")
		if spent, _ := f.Spent(context.Background(), op); !spent {
			t.Errorf("%s: not spent", id)
		}
		if len(f.mempool) != 0 {
			t.Errorf("%s: %d left in the mempool", id, len(f.mempool))
		}
	}
}

// What no node would take is not taken.
func TestRefused(t *testing.T) {
	f := newFixture(t, chain.LTC)
	op, out := f.issue(1e8, f.script)
	for says, change := range map[string]func(*wire.MsgTx){
		"bad-txns-in-belowout":      func(tx *wire.MsgTx) { tx.TxOut[0].Value = 1e8 + 1 },
		"bad-txns-vout-toolarge":    func(tx *wire.MsgTx) { tx.TxOut[0].Value = 84e14 + 1 },
		"bad-txns-vout-empty":       func(tx *wire.MsgTx) { tx.TxOut = nil },
		"bad-txns-inputs-duplicate": func(tx *wire.MsgTx) { tx.AddTxIn(wire.NewTxIn(&op, nil, nil)) },
		"bad-txns-nonfinal":         func(tx *wire.MsgTx) { tx.LockTime, tx.TxIn[0].Sequence = 100, 0 },
	} {
		f.wants(f.spend(op, out, change), says)
	}
	wrong := f.spend(op, out)
	wrong.TxOut[0].Value-- // after it was signed
	f.wants(wrong, "mandatory-script-verify-flag-failed")
	f.wants(f.spend(wire.OutPoint{Index: wire.MaxPrevOutIndex}, out), "coinbase")
	f.wants(wire.NewMsgTx(2), "bad-txns-vin-empty")
	f.wants(f.spend(op, out), "")
}

// The rules of the coins differ: witnesses for LTC only, Schnorr for BCH only.
func TestRulesOfTheCoin(t *testing.T) {
	for id, says := range map[chain.ID]string{chain.LTC: "", chain.DOGE: "knows no witnesses", chain.BCH: "knows no witnesses"} {
		f := newFixture(t, id)
		f.wants(f.spend(f.issue(1e8, f.segwit)), says)
	}
	f := newFixture(t, chain.BCH)
	f.wants(f.spend(f.issue(1e8, f.script)), "mandatory-script-verify-flag-failed")
	f = newFixture(t, chain.DOGE)
	f.wants(f.spend(f.issue(1e18, f.script)), "") // beyond what a float holds, and no supply
}

// What blocks and records hold makes the same chain again.
func TestRestored(t *testing.T) {
	ctx := context.Background()
	f := newFixture(t, chain.LTC)
	op, out := f.issue(1e8, f.script)
	f.mine(2)
	sent := f.spend(op, out)
	f.wants(sent, "")
	unmined, _ := f.issue(5, f.segwit)

	g := newFixture(t, chain.LTC)
	for height := int64(1); height <= 2; height++ {
		block, err := f.Block(ctx, height)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Submit(ctx, height+1, block); err == nil {
			t.Errorf("block %d was taken in the place of another", height)
		}
		if err := g.Submit(ctx, height, block); err != nil {
			t.Fatal(err)
		}
	}
	for _, tx := range f.mempool {
		if err := g.Restore(ctx, tx.Msg); err != nil {
			t.Error(err)
		}
		if err := g.Restore(ctx, tx.Msg); err == nil {
			t.Error("restored twice")
		}
	}
	before, _ := f.Tip(ctx)
	after, _ := g.Tip(ctx)
	if before != after || len(g.mempool) != 2 {
		t.Errorf("tip %+v and %d unmined, want %+v and 2", after, len(g.mempool), before)
	}
	for _, id := range []chainhash.Hash{op.Hash, sent.TxHash(), unmined.Hash} {
		was, _ := f.Tx(ctx, id)
		is, err := g.Tx(ctx, id)
		if err != nil || is.Height != was.Height || is.Block != was.Block || is.Time != was.Time {
			t.Errorf("%s: %+v (%v), want %+v", id, is, err, was)
		}
	}
	if _, err := f.Block(ctx, 3); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("block 3: %v", err)
	}
}

// The history of a script has what pays to it and what spends from it, newest
// first.
func TestHistory(t *testing.T) {
	f := newFixture(t, chain.LTC)
	op, out := f.issue(1e8, f.segwit)
	f.mine(1)
	f.issue(2e8, f.segwit)
	f.wants(f.spend(op, out), "")
	var got []int64
	for skip := 0; ; skip += 2 {
		page, err := f.History(context.Background(), f.segwit, skip, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range page {
			got = append(got, tx.Msg.TxOut[0].Value)
		}
		if len(page) < 2 {
			break
		}
	}
	if len(got) != 3 || got[0] != 1e8-1000 || got[1] != 2e8 || got[2] != 1e8 {
		t.Errorf("history: %v", got)
	}
}
