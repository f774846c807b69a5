package online

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// What spends the inputs of an item is found in the lists of the addresses that
// had them. What a list says is a claim: the bytes are looked up and verified.

// spender is a transaction that Tatum lists as one that spends what the item
// spends.
type spender struct {
	txid  string
	spent wire.OutPoint
	msg   *wire.MsgTx // nil: no bytes of it are there that verify
}

// Bounds of one look for what spends an input: it is made again.
const (
	maxAddresses = 8
	maxPages     = 4 // of an address, newest first
)

// search is one look for what spends the inputs of a transaction.
type search struct {
	*step
	params  utxo.Params
	outputs map[wire.OutPoint]utxo.Spent // what the transaction spends, as far as it is proven
}

func (s *step) search(ctx context.Context, msg *wire.MsgTx) (search, error) {
	params, err := utxo.ParamsOf(chain.Coin{Chain: s.item.Chain, Network: s.item.Network})
	if err != nil {
		return search{}, err
	}
	outputs, err := s.spentOutputs(ctx, msg)
	return search{s, params, outputs}, err
}

// spenders looks for what spends the inputs of a transaction until take returns
// true. ours is set where a list has our own txid; may be "".
func (f search) spenders(ctx context.Context, msg *wire.MsgTx, take func(spender) (done bool)) (ours bool, err error) {
	looked := make(map[string]bool)
	for _, in := range msg.TxIn {
		address := f.params.Address(f.outputs[in.PreviousOutPoint].Script)
		if address == "" || looked[address] || len(looked) == maxAddresses {
			continue
		}
		looked[address] = true
		if ours, done, err := f.at(ctx, address, take); ours || done || err != nil {
			return ours, err
		}
	}
	return false, nil
}

// at looks into the list of one address.
func (f search) at(ctx context.Context, address string, take func(spender) bool) (ours, done bool, err error) {
	for page := range maxPages {
		list, err := f.Tatum.Transactions(ctx, f.item.Chain, address, page*tatum.ListPage)
		if err != nil {
			return false, false, err
		}
		if f.item.TxID != "" && slices.ContainsFunc(list, func(l tatum.Listed) bool { return l.TxID == f.item.TxID }) {
			return true, false, nil
		}
		for _, l := range list {
			i := slices.IndexFunc(l.Spends, func(op wire.OutPoint) bool { _, shared := f.outputs[op]; return shared })
			if i < 0 {
				continue
			}
			sp, err := f.prove(ctx, l.TxID, l.Spends[i])
			if err != nil {
				return false, false, err
			}
			if take(sp) {
				return false, true, nil
			}
		}
		if len(list) < tatum.ListPage {
			break
		}
	}
	return false, false, nil
}

// prove looks at the very bytes of what is listed as a spender.
func (f search) prove(ctx context.Context, txid string, spent wire.OutPoint) (spender, error) {
	raw, err := f.Tatum.RawTransaction(ctx, f.item.Chain, txid)
	if err != nil && !tatum.IsNotFound(err) {
		return spender{}, err
	}
	msg := parseFinal(raw)
	if msg == nil || msg.TxHash().String() != txid {
		return spender{txid: txid, spent: spent}, nil
	}
	for i, in := range msg.TxIn {
		if out, shared := f.outputs[in.PreviousOutPoint]; shared && utxo.VerifyInput(f.params, msg, i, out) == nil {
			return spender{txid, in.PreviousOutPoint, msg}, nil
		}
	}
	return spender{txid: txid, spent: spent}, nil
}

// spentOutputs are what the transaction spends, from the journal's proofs.
func (s *step) spentOutputs(ctx context.Context, msg *wire.MsgTx) (map[wire.OutPoint]utxo.Spent, error) {
	var names []string
	for _, in := range msg.TxIn {
		names = append(names, in.PreviousOutPoint.Hash.String())
	}
	held, err := s.journal.Previous(ctx, names)
	if err != nil {
		return nil, err
	}
	raws := make([][]byte, 0, len(held))
	for _, raw := range held {
		raws = append(raws, raw)
	}
	table, err := utxo.NewTable(raws)
	if err != nil {
		return nil, err
	}
	outputs := make(map[wire.OutPoint]utxo.Spent, len(msg.TxIn))
	for _, in := range msg.TxIn {
		op := in.PreviousOutPoint
		at, ok := table.Find(op.Hash)
		if !ok {
			continue
		}
		if value, script, ok := table.Output(at, op.Index); ok {
			outputs[op] = utxo.Spent{Outpoint: op, Value: value, Script: script, Proven: true}
		}
	}
	return outputs, nil
}

// whole returns what tells the whole bytes of the item's transaction: those that
// are here, or others with signatures that verify for each input.
func (s *step) whole(ctx context.Context) tatum.Whole {
	return func(raw []byte) bool {
		if bytes.Equal(raw, s.item.Signed) {
			return true
		}
		msg := parseFinal(raw)
		if msg == nil {
			return false
		}
		f, err := s.search(ctx, msg)
		if err != nil {
			return false
		}
		for i, in := range msg.TxIn {
			if out, proven := f.outputs[in.PreviousOutPoint]; !proven || utxo.VerifyInput(f.params, msg, i, out) != nil {
				return false
			}
		}
		return len(msg.TxIn) > 0
	}
}

// known reports whether the network has the item's transaction. Before it is
// signed its txid is known only where no signature is a part of that.
func (s *step) known(ctx context.Context) (bool, error) {
	if s.item.Signed != nil {
		return s.Tatum.Known(ctx, s.item.Chain, s.item.TxID, s.whole(ctx))
	}
	msg, err := s.ourTx()
	if err != nil {
		return false, err
	}
	f, err := s.search(ctx, msg)
	if err != nil || !f.segwit(msg) {
		return false, err
	}
	sp, err := f.prove(ctx, msg.TxHash().String(), msg.TxIn[0].PreviousOutPoint)
	return sp.msg != nil, err
}

// segwit reports whether every input is known to spend a witness program.
func (f search) segwit(msg *wire.MsgTx) bool {
	return len(msg.TxIn) > 0 && !slices.ContainsFunc(msg.TxIn, func(in *wire.TxIn) bool {
		return !txscript.IsWitnessProgram(f.outputs[in.PreviousOutPoint].Script)
	})
}

// ourTx reads the item's transaction: the signed bytes, or what is asked for.
func (s *step) ourTx() (*wire.MsgTx, error) {
	if s.item.Signed == nil {
		d := parse(s.item)
		return d.draft.Unsigned(), d.err
	}
	if msg := parseFinal(s.item.Signed); msg != nil {
		return msg, nil
	}
	return nil, errDamaged
}

var errDamaged = errors.New("the signed bytes in the journal are damaged")
