package online

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// completedByOther handles an item that another transaction completed, by what Tatum
// says. The item fails if its own bytes cannot have reached the network.
func (s *step) completedByOther(ctx context.Context, txid string) error {
	why := fmt.Sprintf("ALARM: Tatum says that %.80q completed it, our transaction is %s: something else signs for "+
		"this id", txid, s.item.TxID)
	if err := s.Sleep(ctx, 2*lookPause); err != nil {
		return err
	}
	again, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	if err == nil && again != txid {
		err = fmt.Errorf("the record at Tatum named transaction %s, and a moment later %q; "+
			"the next run asks again", txid, again)
	}
	if err != nil {
		return s.trouble(ctx, CodeNetwork, err)
	}
	seen, err := s.seen(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case seen:
		return s.paidAnyway(ctx, CodeOtherTxID, txid,
			errors.New(why+"; the network has ours too, so it may be paid twice"))
	}
	words, never, err := s.leaving(ctx, s.item)
	if err != nil {
		return err
	}
	why += ". " + words + ". " + otherTxIDAdvice(txid)
	if never {
		return s.fails(ctx, CodeOtherTxID, txid, why)
	}
	return s.recordAgainst(ctx, txid, why)
}

// recordAgainst handles an item that may have been sent, and that another transaction
// completed by Tatum's record. The record alone is no evidence that it is dead.
func (s *step) recordAgainst(ctx context.Context, txid, why string) error {
	if dead, err := s.deadEnd(ctx); err != nil || dead {
		return err
	}
	return s.alarms(ctx, CodeOtherTxID, txid, errors.New(why))
}

// namedRightly heals the alarm that another transaction completed the item; says is
// what Tatum's record does now.
func (s *step) namedRightly(ctx context.Context, says string) error {
	if !slices.Contains(s.alarmed, CodeOtherTxID) {
		return nil
	}
	s.alarmed = slices.DeleteFunc(s.alarmed, func(c chain.Code) bool { return c == CodeOtherTxID })
	return s.journal.Heal(ctx, s.item.ID, CodeOtherTxID,
		fmt.Sprintf("Tatum's record %s (ours is %s)", says, s.item.TxID))
}

// otherTxIDAdvice says what a person can do about an item that Tatum says another
// transaction completed.
func otherTxIDAdvice(txid string) string {
	return fmt.Sprintf("Do not have it paid anew, and do not retry it, before you know what that transaction is: "+
		"look for %.80q in a block explorer that is not Tatum's. If it makes this payment, the payment is made: "+
		"find what else signs (a second KMS, a copy of the key) and stop it, then kms-online acknowledge ALARM "+
		"--why TEXT. If the network does not have it, have Tatum put its record right; then kms-online "+
		"watch lets this one go on", txid)
}
