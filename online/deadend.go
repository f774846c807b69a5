package online

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/wire"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// A signed transaction is a dead end only on positive evidence: another
// transaction, whose bytes are here, spends an output that ours spends, with a
// script that verifies, and is as deep in the chain as the relay demands,
// while Tatum's record does not name ours. That ours is not found, that an
// output is "spent", that a node refuses: none of this is evidence. Our own
// transaction makes all of it true while an index lags behind. Nor is a height
// that contradicts the rest of what Tatum says (verdict.go).

// Depths are the confirmations for each chain from which on a transaction is
// taken to stay.
type Depths map[chain.ID]int64

// DefaultDepths are an hour of blocks for BTC, half an hour for LTC, 40 minutes
// for DOGE, and for BCH what exchanges ask for.
func DefaultDepths() Depths {
	return Depths{chain.BTC: 6, chain.LTC: 12, chain.DOGE: 40, chain.BCH: 10}
}

// of is the depth for a chain: what was set, or the default, and never none.
func (d Depths) of(id chain.ID) int64 {
	if n := d[id]; n > 0 {
		return n
	}
	return max(DefaultDepths()[id], 1)
}

// refused deals with a transaction that a node does not take, and that is not
// found. It stays signed, whatever the node said, unless there is evidence
// that it can never confirm.
func (s *step) refused(ctx context.Context, said error) error {
	if tatum.IsKnownAlready(said) {
		return s.stays(ctx, CodeUnseen, fmt.Errorf("a node has it already, and it is not found by its txid yet; the next run looks again: %w", said))
	}
	if s.item.Withdrawal != "" && tatum.IsNotOpen(said) {
		return s.notOpen(ctx, said)
	}
	dead, err := s.deadEnd(ctx)
	if err != nil || dead {
		return err
	}
	if s.problem != nil { // another transaction was found, and is not deep enough
		return nil
	}
	return s.stays(ctx, CodeNodeRefused, said)
}

// deadEnd looks for evidence that the item can never confirm, and makes it
// failed if there is. One that may become a dead end is a problem.
func (s *step) deadEnd(ctx context.Context) (dead bool, err error) {
	if parent, err := s.deadParent(ctx); err != nil || parent != nil {
		return parent != nil, errors.Join(err, s.childOf(ctx, parent))
	}
	r, err := s.rival(ctx)
	switch {
	case err != nil:
		return false, s.trouble(ctx, CodeNetwork, err)
	case r == nil:
		return false, s.unlook(ctx)
	case r.depth < s.Depths.of(s.item.Chain):
		return false, errors.Join(s.unlook(ctx), s.alarms(ctx, CodeInputsSpent, r.txid, r.shallow(s.Depths.of(s.item.Chain))))
	}
	if why, err := s.doubt(ctx, r); err != nil {
		return false, s.trouble(ctx, CodeNetwork, err)
	} else if why != "" {
		return false, errors.Join(s.unlook(ctx), s.alarms(ctx, CodeInputsSpent, r.txid, r.doubtful(why)))
	}
	known, named, err := s.oursAfterAll(ctx)
	switch {
	case err != nil || known:
		return false, err
	case named: // then it is not for the relay to say who is right
		return false, s.alarms(ctx, CodeInputsSpent, r.txid, fmt.Errorf("ALARM: transaction %s spends %s, which ours spends, and has %d confirmations, and the network does not have ours; but Tatum has ours on record as the payment. It was replaced: find out what signed that one (another wallet with this key, an old KMS?), and correct the account", r.txid, r.spent, r.depth))
	}
	if again, err := s.firstLook(ctx, r); err != nil || !again.IsZero() {
		return false, errors.Join(err, s.alarms(ctx, CodeInputsSpent, r.txid, r.once(again)))
	}
	return true, s.fails(ctx, CodeInputsSpent, r.txid, r.words(s.item.TxID))
}

// oursAfterAll asks once more, last of all, whether the network has our
// transaction, and whether Tatum names it. What keeps it from asking is noted.
func (s *step) oursAfterAll(ctx context.Context) (known, named bool, err error) {
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	if err != nil && !tatum.IsNotFound(err) {
		return true, false, s.trouble(ctx, CodeNetwork, err)
	}
	if known, err = s.Tatum.Known(ctx, s.item.Chain, s.item.TxID); err != nil {
		return true, false, s.trouble(ctx, CodeNetwork, err)
	}
	if known {
		return true, false, s.stays(ctx, CodeUnseen, errors.New("another transaction was found that spends what it spends, and the network has ours; the next run looks again"))
	}
	return false, strings.EqualFold(txid, s.item.TxID), nil
}

// rival is another transaction that spends what ours spends.
type rival struct {
	txid  string
	spent wire.OutPoint
	depth int64
	at    int64 // height of its block, once that was looked at
	msg   *wire.MsgTx
	same  string // why it may be the same payment; "": it pays nobody that ours pays
}

func (r rival) shallow(want int64) error {
	return fmt.Errorf("ALARM: transaction %s spends %s, which ours spends, and has %d of %d confirmations. Do not have anything paid anew yet: which of the two stays is not decided. Find out what signed it (another wallet with this key, an old KMS?)", r.txid, r.spent, r.depth, want)
}

// words say what a person is to know and do. To have it paid anew is advised
// only where the other transaction pays nobody that ours pays.
func (r rival) words(ours string) string {
	text := fmt.Sprintf("%s is spent by transaction %s, which has %d confirmations: ours can never confirm now. Find out what signed that one (another wallet with this key, an old KMS?)", r.spent, r.txid, r.depth)
	if r.same != "" {
		return text + "; " + r.same + ": do NOT have it paid anew before you know that it was not"
	}
	return text + "; " + look(ours, r.txid) + "have the payment made anew under a new id. This one stays signed and is never signed again; retry looks, and sends the same bytes once more"
}

// look sends a person to somebody else than Tatum, whose word all of it is.
func look(ours, other string) string {
	return fmt.Sprintf("all of this is Tatum's word: look in an independent block explorer first, for ours (%s) and for the other (%s). Only if that one is confirmed there and ours is not, ", ours, other)
}

// Bounds of one look for a rival: it is made again.
const (
	maxAddresses = 8
	maxPages     = 4 // of an address, newest first
)

// rival looks for a transaction that spends one of our inputs, in the lists of
// the addresses that had them. What a list says is looked up and verified.
func (s *step) rival(ctx context.Context) (*rival, error) {
	msg := parseFinal(s.item.Signed)
	if msg == nil {
		return nil, errors.New("the signed bytes in the journal are damaged")
	}
	params, err := utxo.ParamsOf(s.item.Chain, s.item.Network)
	if err != nil {
		return nil, err
	}
	outputs, err := s.spentOutputs(ctx, msg)
	if err != nil {
		return nil, err
	}
	looked := make(map[string]bool)
	for _, in := range msg.TxIn {
		address := params.Address(outputs[in.PreviousOutPoint].Script)
		if address == "" || looked[address] || len(looked) == maxAddresses {
			continue
		}
		looked[address] = true
		if r, err := s.rivalAt(ctx, params, address, msg, outputs); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
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

func (s *step) rivalAt(ctx context.Context, params utxo.Params, address string, ours *wire.MsgTx, outputs map[wire.OutPoint]utxo.Spent) (*rival, error) {
	for page := range maxPages {
		list, err := s.Tatum.Transactions(ctx, s.item.Chain, address, page*tatum.ListPage)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			if l.TxID == s.item.TxID {
				return nil, nil // ours is there
			}
			for _, op := range l.Spends {
				if _, shared := outputs[op]; !shared {
					continue
				}
				if r, err := s.prove(ctx, params, l.TxID, ours, outputs); r != nil || err != nil {
					return r, err
				}
				break
			}
		}
		if len(list) < tatum.ListPage {
			break
		}
	}
	return nil, nil
}

// prove looks at the very bytes of what may be a rival, and how deep it is.
func (s *step) prove(ctx context.Context, params utxo.Params, txid string, ours *wire.MsgTx, outputs map[wire.OutPoint]utxo.Spent) (*rival, error) {
	raw, err := s.Tatum.RawTransaction(ctx, s.item.Chain, txid)
	if tatum.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	msg := parseFinal(raw)
	if msg == nil || msg.TxHash().String() != txid {
		return nil, nil
	}
	for i, in := range msg.TxIn {
		spent, shared := outputs[in.PreviousOutPoint]
		if !shared || utxo.VerifyInput(params, msg, i, spent) != nil {
			continue
		}
		seen, err := s.Tatum.Sight(ctx, s.item.Chain, txid)
		if err != nil || !seen.Known {
			return nil, err
		}
		return &rival{txid: txid, spent: in.PreviousOutPoint, depth: seen.Confirmations, msg: msg, same: samePayment(ours, msg, outputs)}, nil
	}
	return nil, nil
}

// samePayment says why another transaction may be the same payment as ours: it
// is ours with another signature, or it pays to an address that ours pays to
// and that is none of the payer's.
func samePayment(ours, other *wire.MsgTx, outputs map[wire.OutPoint]utxo.Spent) string {
	if unsignedID(ours) == unsignedID(other) {
		return "it IS this payment, under another signature, so it was paid"
	}
	own := make(map[string]bool)
	for _, spent := range outputs {
		own[string(spent.Script)] = true
	}
	paid := make(map[string]bool)
	for _, out := range other.TxOut {
		paid[string(out.PkScript)] = true
	}
	for i, out := range ours.TxOut {
		if script := string(out.PkScript); paid[script] && !own[script] {
			return fmt.Sprintf("it pays to the same address as output %d of ours, so it may be this payment", i)
		}
	}
	return ""
}
