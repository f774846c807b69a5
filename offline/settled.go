package offline

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/shared/identity"
)

// ErrUnsettled is returned where the wallet is not the one that the ledger
// speaks of: one of the two is an old copy, or a change was interrupted.
var ErrUnsettled = errors.New("the wallet and its ledger do not agree")

// Kept is what a wallet file holds, and says about who may ask and who may approve.
type Kept struct {
	Operators []operator.Operator
	Relays    []identity.Public
	Keys      []string // signature ids
	Known     []byte   // hash of the ledger's last line when the file was written; may be nil
}

// Difference is one thing that wallet and ledger say differently. To settle
// it, Line is recorded, and what it takes away is removed from the wallet.
type Difference struct {
	Text     string
	Line     ledger.Line
	Operator string          // name to remove from the wallet, if any
	Relay    identity.Public // to remove from the wallet, if not zero
	Key      string          // signature id to remove from the wallet, if it is there
	Lost     string          // key that the wallet does not hold, if it is about one
}

// Differences compares a wallet with the ledger's last line about each key,
// operator and relay, with the last one about what was taken from the wallet,
// and with the ledger's length when the wallet was written.
func Differences(kept Kept, book *ledger.Ledger) []Difference {
	var list []Difference
	if len(kept.Known) > 0 && !book.Knows(kept.Known) {
		head := hex.EncodeToString(kept.Known)
		list = append(list, Difference{
			Text: fmt.Sprintf("the wallet was written when the ledger ended with line %.16s…, which it does not contain: the ledger is an old copy", head),
			Line: ledger.Line{Kind: ledger.KindAccepted, Head: head},
		})
	}
	list = append(list, keyDifferences(kept.Keys, book)...)
	list = append(list, takenDifferences(kept.Known, book)...)
	list = append(list, operatorDifferences(kept.Operators, book.Operators())...)
	return append(list, relayDifferences(kept.Relays, book.Relays())...)
}

// takenDifferences finds a wallet that was written before its password was
// changed or a key removed. Both bring back what was taken from it.
func takenDifferences(known []byte, book *ledger.Ledger) (list []Difference) {
	at, _ := book.Line(known)
	for _, taken := range book.TakenSince(at) {
		what := "the password was changed"
		if taken.Act == ledger.ActRemove {
			what = fmt.Sprintf("key %.80q was removed", taken.ID)
		}
		list = append(list, Difference{
			Text: fmt.Sprintf("by line %d of the ledger %s, and the wallet was written before: it is an old copy, or the change was interrupted", taken.Line, what),
			Line: ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActSettle, ID: taken.ID},
			Key:  taken.ID,
		})
	}
	return list
}

// keyDifferences finds keys that were added and are not in the wallet. What was
// paid to them can be spent only with a copy that holds them.
func keyDifferences(kept []string, book *ledger.Ledger) (list []Difference) {
	have := make(map[string]struct{}, len(kept))
	for _, id := range kept {
		have[id] = struct{}{}
	}
	for _, key := range book.KeysIn() {
		if _, is := have[key.ID]; !is {
			list = append(list, Difference{
				Text: fmt.Sprintf("key %.128q was added by line %d of the ledger (%s), and is not in the wallet: an old copy of the wallet was put back, or the command that made the key was cut short", key.ID, key.Line, key.Time),
				Line: ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActLost, ID: key.ID}, Lost: key.ID,
			})
		}
	}
	if n := book.UnnamedMissing(kept); n > 0 {
		list = append(list, Difference{
			Text: fmt.Sprintf("%d of the keys that the ledger has on record as a number only are not in the wallet: an old copy of the wallet was put back, or the command that made them was cut short", n),
			Line: ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActLost, Items: n}, Lost: fmt.Sprintf("%d keys without names", n),
		})
	}
	return list
}

func operatorDifferences(kept []operator.Operator, recorded []string) (list []Difference) {
	removal := func(who string) ledger.Line {
		return ledger.Line{Kind: ledger.KindOperator, Act: ledger.ActRemove, Operators: []string{who}}
	}
	var have []string
	for _, o := range kept {
		have = append(have, o.String())
		if !slices.Contains(recorded, o.String()) {
			list = append(list, Difference{Text: fmt.Sprintf("operator %s (%s) is in the wallet, and by the ledger is none", o.Name, o.Key.Fingerprint()),
				Line: removal(o.String()), Operator: o.Name})
		}
	}
	for _, who := range recorded {
		if !slices.Contains(have, who) {
			name, _, _ := strings.Cut(who, " ")
			list = append(list, Difference{Text: fmt.Sprintf("operator %.40q was enrolled by the ledger, and is not in the wallet", name), Line: removal(who)})
		}
	}
	return list
}

func relayDifferences(kept []identity.Public, recorded []string) (list []Difference) {
	removal := func(relay string) ledger.Line {
		return ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActUnpair, Relay: relay}
	}
	var have []string
	for _, key := range kept {
		relay := key.Fingerprint()
		have = append(have, relay)
		if !slices.Contains(recorded, relay) {
			list = append(list, Difference{Text: fmt.Sprintf("relay %s is paired in the wallet, and not by the ledger", relay), Line: removal(relay), Relay: key})
		}
	}
	for _, relay := range recorded {
		if !slices.Contains(have, relay) {
			list = append(list, Difference{Text: fmt.Sprintf("relay %.40q is paired by the ledger, and not in the wallet", relay), Line: removal(relay)})
		}
	}
	return list
}

// Unsettled returns ErrUnsettled with the first of the differences, or nil if
// there are none.
func Unsettled(list []Difference) error {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w: %s", ErrUnsettled, list[0].Text)
	}
	return fmt.Errorf("%w: %s (and %d more)", ErrUnsettled, list[0].Text, len(list)-1)
}
