package online

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// What is signed and withheld is held: it is not sent until a person decides,
// by retry or reject. That Tatum changes its mind again decides nothing.

// heldFor says why a signed item is held.
var heldFor = map[chain.Code]string{
	chain.ContentChanged: "Tatum asks for something else under this id than what was signed",
	CodeUnknown:          "Tatum does not have it any more, or it was made with another API key",
	CodeOtherTxID:        "Tatum says that something else completed it",
	journal.Dropping:     "a rejection of it was cut short",
	journal.Unwanted:     "a person wants it rejected, and that has not worked yet",
}

// heldBack leaves a signed item to a person. said is Tatum's word; may be nil.
func (s *step) heldBack(ctx context.Context, said error) error {
	why := fmt.Errorf("ALARM: it is signed (%s) and held, since %s. %s. To send it all the same: kms-online retry %s; to give it up: kms-online reject %s --why TEXT. Who has a copy of the result can send it", s.item.TxID, heldFor[s.item.Withheld], s.left(ctx), s.item.ID, s.item.ID)
	if said != nil {
		why = fmt.Errorf("%w: %w", why, said)
	}
	return s.alarms(ctx, journal.SignedDropped, s.item.TxID, why)
}

// left says whether the bytes have left, as far as the journal knows.
func (s *step) left(ctx context.Context) string {
	words, _, err := s.leaving(ctx, s.item)
	if err != nil {
		return "Nobody can say now whether it was sent: it may be paid"
	}
	return words
}

// leaving says whether the bytes of an item have left, as far as the journal
// knows. never is set only where the journal has a whole record of that.
func (r *Relay) leaving(ctx context.Context, it journal.Item) (words string, never bool, err error) {
	if it.HandedKnown {
		return fmt.Sprintf("It was handed to the network at %s, and nobody knows what came of it: it may be paid", it.Handed.Format(time.RFC3339)), false, nil
	}
	made, err := r.journal.Unrecorded(ctx, it)
	switch {
	case err != nil:
		return "", false, err
	case !made.IsZero() && (it.Signed != nil || !it.Handed.IsZero()):
		return fmt.Sprintf("This journal was restored from a backup of %s: it may have been sent since, and may be paid", made.Format(time.RFC3339)), false, nil
	case !it.Handed.IsZero():
		return "It was signed before this program kept a record of what it sends: it may have been sent, and may be paid", false, nil
	}
	return "It was not sent from here", true, nil
}

// turnsUp goes on with an item that the network has. Where it was given up, that
// is an alarm.
func (s *step) turnsUp(ctx context.Context) error {
	m := journal.Move{ID: s.item.ID, From: s.item.State, To: journal.Broadcast, Lease: s.lease}
	if s.item.State == journal.Failed && slices.Contains(givenUp, s.item.Code) {
		s.problem = &Problem{ID: s.item.ID, Code: CodePaidRejected, Reason: fmt.Sprintf("ALARM: the payment is made (%s), though it was given up here (%s). %s; else somebody sent a copy of the result: find out who has one. Do not have it paid anew; correct the account", s.item.TxID, s.item.Code, s.left(ctx))}
		m.Alarm = s.problem.alarm(s.item.TxID)
	}
	if err := s.journal.Move(ctx, m); err != nil {
		return err
	}
	s.item.State, s.sent = journal.Broadcast, true
	return s.heal(ctx, "the network has "+s.item.TxID+" after all")
}

// compare looks whether Tatum still asks for what was signed.
func (s *step) compare(ctx context.Context, now json.RawMessage) error {
	if s.item.Accepted == chain.ContentChanged || !differs(s.item, now) {
		return nil
	}
	if !withdrawn(s.item) {
		s.item.Withheld = chain.ContentChanged
	}
	return s.noteChanged(ctx, journal.Item{ID: s.item.ID, Content: sha256.Sum256(now)})
}

// differs reports whether a reply asks for something else than the item. What
// the reply does not say is as it was.
func differs(it journal.Item, reply json.RawMessage) bool {
	if bytes.Equal(reply, it.Pending) {
		return false
	}
	var then, now map[string]json.RawMessage
	if json.Unmarshal(it.Pending, &then) != nil || json.Unmarshal(reply, &now) != nil {
		return false
	}
	if text := now["serializedTransaction"]; len(text) == 0 || string(text) == "null" {
		return false // it is not a whole one
	}
	for field, value := range then {
		if text := now[field]; len(text) == 0 || string(text) == "null" {
			now[field] = value
		}
	}
	now["id"] = then["id"]
	whole, err := json.Marshal(now)
	if err != nil {
		return true
	}
	tx, err := pending.Parse(whole)
	if err != nil {
		_, before := pending.Parse(it.Pending)
		return before == nil
	}
	sum := sha256.Sum256(tx.Content())
	return !bytes.Equal(sum[:], it.Content[:])
}
