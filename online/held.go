package online

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
	CodeUnknown:          "Tatum said that it does not have it (dropped there, or made with another API key)",
	CodeOtherKey:         "Tatum does not know it under the API key that has its name now",
	CodeOtherTxID:        "Tatum says that something else completed it",
	journal.Dropping:     "a rejection of it was cut short",
	journal.Unwanted:     "a person wants it rejected, and that has not worked yet",
	CodeGivenUp:          "it was given up: Tatum was not to have it any more, and what a withdrawal took may have been given back there",
	CodeRestored:         "the journal was restored, and Tatum has not listed it since",
	CodePaidUnknown:      "the network was seen to have it",
	CodeSameID:           "its pending id differs from another one in letter case only",
}

// heldBack leaves a signed item to a person. said is Tatum's word; may be nil.
func (s *step) heldBack(ctx context.Context, said error) error {
	why := fmt.Errorf("ALARM: it is signed (%s) and held, since %s. %s. %s", s.item.TxID, s.heldWords(), s.left(ctx), journal.HeldAdvice(s.item.ID, contentOf(s.item)))
	if said != nil {
		why = fmt.Errorf("%w: %w", why, said)
	}
	return s.alarms(ctx, journal.SignedDropped, heldEvidence(s.item.TxID, s.item.Offered), why)
}

// heldEvidence identifies what was signed, and what Tatum has in its place.
func heldEvidence(txid string, o journal.Offer) string {
	if o.Digest == "" {
		return txid
	}
	return txid + " " + o.Digest
}

// heldWords say why the item is held.
func (s *step) heldWords() string {
	var whys []string
	for _, code := range s.item.Marks() {
		whys = append(whys, heldFor[code])
	}
	words := strings.Join(whys, ", and ")
	changed := s.item.Marked(chain.ContentChanged)
	again := changed || s.item.Marked(CodeUnknown, CodeGivenUp, CodeRestored)
	switch s.item.Offered.Digest {
	case "":
		if again {
			words += "; by now it asks for the very same again"
		}
		return words
	case journal.OfferNone:
		if !s.item.Marked(CodeUnknown) {
			words += "; by now Tatum does not have it"
		}
		return words
	}
	if !changed {
		words += "; by now it asks for something else"
	}
	return words + offerWords(s.item.Offered) + "; a retry stands for that only"
}

// left reports whether the bytes have left, as far as the journal knows.
func (s *step) left(ctx context.Context) string {
	words, _, err := s.leaving(ctx, s.item)
	if err != nil {
		return "Nobody can say now whether it was sent: it may be paid"
	}
	return words
}

// leaving reports whether the bytes of an item have left, as far as the journal
// knows. never is set only where the journal has a whole record of that.
func (r *Relay) leaving(ctx context.Context, it journal.Item) (words string, never bool, err error) {
	if it.HandedKnown {
		return fmt.Sprintf("It was handed to the network at %s, and nobody knows what came of it: it may be paid", it.Handed.Format(time.RFC3339)), false, nil
	}
	all, err := r.journal.Restorations(ctx)
	lost := unrecorded(all, it)
	switch {
	case err != nil:
		return "", false, err
	case lost != "":
		return sentence(lost), false, nil
	case !it.Handed.IsZero():
		return "It was signed before this program kept a record of what it sends: it may have been sent, and may be paid", false, nil
	}
	return "It was not sent from here", true, nil
}

// unrecorded says because of which restorations the journal may lack what became
// of an item, "" if it lacks nothing.
func unrecorded(all []journal.Restoration, it journal.Item) string {
	var words []string
	for _, r := range journal.Unrecorded(all, it) {
		words = append(words, r.String())
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "; ") + ": it may have been sent between, and may be paid"
}

// turnsUp goes on with an item that the network has. Where it was given up, that
// is an alarm.
func (s *step) turnsUp(ctx context.Context) error {
	if s.item.State == journal.Failed {
		if payer, err := s.journal.Payer(ctx, s.item.TxID); err != nil || payer != s.item.ID {
			return err // it pays that one
		}
	}
	m := journal.Move{ID: s.item.ID, From: s.item.State, To: journal.Broadcast, Lease: s.lease}
	if s.item.State == journal.Failed && slices.Contains(givenUp, s.item.Code) || s.item.Marked(CodeGivenUp) {
		s.problem = &Problem{ID: s.item.ID, Code: CodePaidRejected, Reason: fmt.Sprintf("ALARM: the payment is made (%s), though it was given up here (%s). %s. Do not have it paid anew; correct the account", s.item.TxID, s.item.Code, s.sentBy(ctx))}
		m.Alarm = s.problem.alarm(s.item.TxID)
	}
	refused, err := s.refusedBy(ctx)
	if err != nil {
		return err
	}
	if refused != "" {
		p := Problem{ID: s.item.ID, Code: CodePaidRefused, Reason: fmt.Sprintf("ALARM: the payment is made (%s), though %s. %s. Do not have it paid anew; correct the account", s.item.TxID, refused, s.sentBy(ctx))}
		m.Also = p.alarm(s.item.TxID)
		if s.problem == nil { // else that it was given up is told here
			s.problem = &p
		}
	}
	if err := s.journal.Move(ctx, m); err != nil {
		return err
	}
	s.healed = m.From == journal.Failed
	s.item.State, s.sent = journal.Broadcast, refused == "" || s.item.HandedKnown
	s.item.Code, s.item.Reason = m.Code, m.Reason
	if s.item.Marked(CodeRestored) { // that was about whether it was paid
		if err := s.journal.Unwithhold(ctx, s.item.ID, CodeRestored); err != nil {
			return err
		}
		s.item.Unmark(CodeRestored)
	}
	return s.heal(ctx, "the network has "+s.item.TxID+" after all")
}

// sentBy says who sent what the network has, as far as the journal knows.
func (s *step) sentBy(ctx context.Context) string {
	words, never, err := s.leaving(ctx, s.item)
	switch {
	case err == nil && never:
		return words + ": somebody sent a copy of the result. Find out who has one"
	case err == nil && s.item.HandedKnown:
		return fmt.Sprintf("It was handed to the network from here at %s", s.item.Handed.Format(time.RFC3339))
	}
	return s.left(ctx) + "; else somebody sent a copy of the result: find out who has one"
}

// refusedBy says who does not want a signed item sent, "" if nobody.
func (s *step) refusedBy(ctx context.Context) (string, error) {
	if s.item.State != journal.Signed {
		return "", nil
	}
	if s.item.HandedKnown && slices.Contains(s.alarmed, journal.SignedDropped) { // that alarm ends with it
		return "", nil
	}
	vetoes, err := s.journal.Vetoes(ctx, s.item.ID)
	switch {
	case err != nil:
		return "", err
	case len(vetoes) > 0:
		return "the approval service (" + hostOf(vetoes[0]) + ") said no", nil
	case s.item.Marked(journal.Unwanted):
		return "you wanted it rejected", nil
	}
	return "", nil
}

// compare looks whether Tatum still asks for what was signed. A person's retry
// stands for the very offer that it was about; any other holds the item again.
func (s *step) compare(ctx context.Context, now json.RawMessage) error {
	offer := offerOf(s.item, now)
	if (offer == journal.Offer{}) {
		return s.offered(ctx, offer)
	}
	if offer.Digest == s.item.Accepted {
		return s.offered(ctx, offer)
	}
	if !withdrawn(s.item) {
		s.item.Withheld = chain.ContentChanged
	}
	s.item.Offered = offer
	return s.noteChanged(ctx, s.item.ID, offer, now)
}

// offered has the journal know what Tatum has in the place of the item.
func (s *step) offered(ctx context.Context, now journal.Offer) error {
	if s.item.Offered == now {
		return nil
	}
	s.item.Offered = now
	return s.journal.Offered(ctx, s.item.ID, now)
}

// offerOf returns what a reply asks for in the place of the item, the zero Offer
// where that is the same. What the reply does not say is as it was.
func offerOf(it journal.Item, reply json.RawMessage) journal.Offer {
	if bytes.Equal(reply, it.Pending) {
		return journal.Offer{}
	}
	var then, now map[string]json.RawMessage
	if json.Unmarshal(it.Pending, &then) != nil || json.Unmarshal(reply, &now) != nil {
		return journal.Offer{}
	}
	if text := now["serializedTransaction"]; len(text) == 0 || string(text) == "null" {
		return journal.Offer{} // it is not a whole one
	}
	for field, value := range then {
		if text := now[field]; len(text) == 0 || string(text) == "null" {
			now[field] = value
		}
	}
	now["id"] = then["id"]
	whole, err := json.Marshal(now)
	if err != nil {
		return offerFrom(reply, "")
	}
	tx, err := pending.Parse(whole)
	if err != nil {
		if _, before := pending.Parse(it.Pending); before != nil {
			return journal.Offer{}
		}
		return offerFrom(reply, "")
	}
	if content := tx.Content(); sha256.Sum256(content) != it.Content {
		return offerFrom(content, tx.WithdrawalID)
	}
	return journal.Offer{}
}

func offerFrom(content []byte, withdrawal string) journal.Offer {
	sum := sha256.Sum256(content)
	return journal.Offer{Digest: hex.EncodeToString(sum[:]), Withdrawal: withdrawal}
}

// sentence begins words with a capital letter.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
