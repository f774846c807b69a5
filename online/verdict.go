package online

import (
	"context"
	"fmt"
	"time"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// Whether a transaction can confirm is decided in one place: for broadcast and
// watch, which call it dead; for reject, which gives a withdrawal back; and for
// its children. It never can only on positive evidence: another transaction,
// whose bytes are here, spends an output that ours spends, with a script that
// verifies; by all of Tatum's replies it is in a block (evidence.go), as deep as
// the relay demands, at two looks, and ours is not in that block; Tatum's record
// of the payment exists and does not name ours; and the network does not have
// ours.

// verdict is what is known of whether a transaction can confirm. Only
// the zero verdict says that nothing was found.
type verdict struct {
	never bool       // it cannot, and that is for good
	code  chain.Code // of the problem; "": nothing was found that stands in its way
	by    string     // txid of what stands in its way
	same  string     // why that one may be the same payment; "": it pays nobody that ours pays
	why   string     // a clause: why it may confirm all the same, or that it cannot
	words string     // for a person, and what to do
}

// rival is another transaction that spends what ours spends.
type rival struct {
	spender
	placed
	same string // as in verdict
}

// verdict judges the item. It is the only place that does.
func (s *step) verdict(ctx context.Context) (verdict, error) {
	if parent, err := s.deadParent(ctx); err != nil || parent != nil {
		if err != nil {
			return verdict{}, err
		}
		return s.childOf(ctx, parent)
	}
	v, r, err := s.contest(ctx)
	if err == nil && !v.never {
		err = s.journal.Unlooked(ctx, s.item.ID) // what was found at the first look is not found now
	}
	switch {
	case err == nil && v.code == "":
		return s.contestedParent(ctx)
	case err != nil || !v.never:
		return v, err
	}
	if named, left, err := s.oursAfterAll(ctx); err != nil || left.code != "" {
		return left, err
	} else if named { // then it is not for the relay to say who is right
		v.never, v.why = false, fmt.Sprintf("transaction %s spends what it spends; but Tatum has ours on record as the payment", v.by)
		v.words = fmt.Sprintf("transaction %s spends %s, which ours spends, and has %d confirmations, and the network does not have ours; but Tatum has ours on record as the payment. It was replaced: find out what signed that one (another wallet with this key, an old KMS?), and correct the account", v.by, r.used(), r.depth)
		return v, nil
	}
	again, err := s.firstLook(ctx, r.evidence)
	if err == nil && !again.IsZero() {
		from, also := again.UTC().Format(time.RFC3339), ""
		v.never, v.why = false, fmt.Sprintf("transaction %s spends what it spends, and has %d confirmations, and one look is no evidence: reject it again from %s on", v.by, r.depth, from)
		if v.same != "" {
			also = "; " + v.same
		}
		v.words = fmt.Sprintf("transaction %s spends %s, which ours spends, and has %d confirmations, and one look is no evidence%s. Do not have anything paid anew yet: it is looked at once more, from %s on", v.by, r.used(), r.depth, also, from)
	}
	return v, err
}

// contest looks for a rival, and judges it by one look at the chain.
func (s *step) contest(ctx context.Context) (v verdict, r rival, err error) {
	found, err := s.rival(ctx)
	if err != nil || found == nil {
		return v, r, err
	}
	r = *found
	v = verdict{code: CodeInputsSpent, by: r.spender.txid, same: r.same}
	placed, doubt, err := s.place(ctx, v.by, tatum.Mined{}, r.spender.rival.After...)
	if err != nil {
		return v, r, err
	}
	r.placed = placed
	if doubt == "" && r.with[s.item.TxID] {
		doubt = fmt.Sprintf("block %d has ours", r.height)
	}
	want := s.depth()
	switch {
	case doubt != "":
		v.why = fmt.Sprintf("Tatum says that transaction %s spends what it spends, but %s", v.by, doubt)
		v.words = fmt.Sprintf("Tatum says that transaction %s spends %s, which ours spends, but %s. Nothing is taken as decided. Do not have anything paid anew yet, and look for both in an independent block explorer", v.by, r.used(), doubt)
	case r.depth < want:
		v.why = fmt.Sprintf("transaction %s spends what it spends, and has %d of %d confirmations", v.by, r.depth, want)
		v.words = fmt.Sprintf("transaction %s spends %s, which ours spends, and has %d of %d confirmations. Do not have anything paid anew yet: which of the two stays is not decided. Find out what signed it (another wallet with this key, an old KMS?)", v.by, r.used(), r.depth, want)
	default:
		v.never, v.why = true, fmt.Sprintf("transaction %s spends what it spends", v.by)
		v.words = r.words(s.item.TxID)
	}
	return v, r, nil
}

// rival looks for another transaction that spends what ours spends; nil: none
// was found.
func (s *step) rival(ctx context.Context) (*rival, error) {
	f, err := s.search(ctx)
	if err != nil {
		return nil, err
	}
	var r *rival
	found, err := f.spenders(ctx, func(sp spender) bool {
		if sp.rival != nil {
			r = &rival{spender: sp, same: f.Same(sp.rival.Tx, f.Payers())}
		}
		return r != nil
	})
	if err != nil || found.ours {
		return nil, err
	}
	return r, nil
}

// oursAfterAll asks, last of all, whether Tatum names our transaction, and
// whether the network has it. What leaves that open is the verdict.
func (s *step) oursAfterAll(ctx context.Context) (named bool, v verdict, err error) {
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	if err != nil && !tatum.IsNotFound(err) {
		return false, v, err
	}
	known, err := s.known(ctx)
	if err == nil && known {
		v = verdict{code: CodeUnseen, why: "the network has it", words: "another transaction was found that spends what it spends, and the network has ours; the next run looks again"}
	}
	return txid != "" && (s.item.Signed == nil || txid == s.item.TxID), v, err
}

// notAnew follows why another transaction is, or may be, the same payment. It
// fits both: that one is confirmed by Tatum's word only.
const notAnew = ": do NOT have it paid anew before you know from the payee that nothing came"

// used is what both transactions use up.
func (r rival) used() string { return r.spender.rival.Used }

// words say what a person is to know and do. To have it paid anew is advised
// only where the other transaction pays nobody that ours pays.
func (r rival) words(ours string) string {
	other := r.spender.txid
	text := fmt.Sprintf("%s is spent by transaction %s, which has %d confirmations: ours can never confirm now. Find out what signed that one (another wallet with this key, an old KMS?)", r.used(), other, r.depth)
	if r.same != "" {
		return text + "; " + r.same + notAnew
	}
	return text + "; " + look(ours, other) + "have the payment made anew under a new id. This one stays signed and is never signed again; retry looks, and sends the same bytes once more"
}

// look sends a person to somebody else than Tatum, whose word all of it is.
func look(ours, other string) string {
	return fmt.Sprintf("all of this is Tatum's word: look in an independent block explorer first, for ours (%s) and for the other (%s). Only if that one is confirmed there and ours is not, ", ours, other)
}

// mayConfirm says why our transaction may be paid or confirm yet, as far as is
// known; "" where it cannot, and what took its place pays nobody that it pays.
// Then dead says so. Of a verdict it has the very words that status shows.
func (s *step) mayConfirm(ctx context.Context) (why, dead string, err error) {
	v, err := s.verdict(ctx)
	switch {
	case err != nil:
		return "", "", err
	case v.code == "":
		return "nor is anything else that spends what it spends", "", nil
	case v.same != "", !v.never:
		return v.words, "", nil
	}
	return "", v.words, nil
}
