package policy

import (
	"encoding/hex"
	"fmt"
	"strings"

	"coldkms/shared/chain"
)

func memoryRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "replacement", mode: &f.Replacement, usual: modeRefuse, strict: true,
				about: "A transaction that spends what is signed into another one"}}
		},
		judge: (*judgement).memory,
	}
}

// memory compares with what was signed before.
func (j *judgement) memory() {
	s := j.subject
	as, known := SignedAs(s, j.history)
	before, signed := j.history.Signed(s.ID)
	switch {
	case known && (!signed || before == as) && j.releasedOnce(as):
	case signed && known && before == as && j.again:
		j.find(chain.FlagSignedBefore, "was signed before: the same bytes again")
	case signed && known && before == as:
		j.find(chain.FlagSameAgain, "was signed before, and the ledger does not say which bytes: it is judged like a new one")
	case signed && j.otherClaims(before):
	case signed:
		j.refuse(chain.ContentChanged, "pending id %s was signed before with other content", s.ID)
	case j.again:
		r, _ := j.history.Record(as)
		j.find(chain.FlagSignedBefore, "the same transaction was signed before under pending id %.80q (ledger line %d): the same bytes again", r.ID, r.Line)
		j.find(chain.FlagSameAgain, "the same transaction was signed under another pending id: it pays once only")
	}
	mode, code := j.policy.file.Replacement, chain.AlreadySpent
	if mode == modeFlag {
		code = chain.FlagReplaces
	}
	disproved := make(map[[32]byte]bool)
	for _, op := range s.Facts.Exclusive {
		if other, ok := j.history.Spender(op); ok && other != as && !j.disproved(other, disproved) {
			j.do(mode, code, "outpoint %s is already signed into %s", op, j.taker(other))
		}
		j.freed(op, as)
	}
}

// releasedOnce finds a transaction that a person released comes again, and reports
// whether it is one.
func (j *judgement) releasedOnce(as [32]byte) bool {
	r, ok := j.history.Record(as)
	if !ok || r.Released == 0 {
		return false
	}
	j.find(chain.FlagReplaces, "this very transaction was signed before "+
		"under pending id %.80q (ledger line %d), and a person "+
		"released it (line %d) so that it can be paid otherwise: signed again, what it spends is taken again, "+
		"and what was to replace it is refused", r.ID, r.Line, r.Released)
	return true
}

// freed finds an outpoint that a person released: what was signed with it
// stays valid, and who reads the review is to know that this one replaces it.
func (j *judgement) freed(op string, as [32]byte) {
	other, was := j.history.Freed(op)
	if r, ok := j.history.Record(other); was && ok && other != as && r.Bare != j.subject.Bare {
		j.find(chain.FlagReplaces, "outpoint %s was released by a person: it is signed into another transaction too (pending id %.80q, ledger line %d), and one at most of both is mined", op, r.ID, r.Line)
	}
}

// taker describes the signed content that keeps an outpoint taken, and the way
// out where it was never sent, or can never be mined.
func (j *judgement) taker(content [32]byte) string {
	r, ok := j.history.Record(content)
	what := "another transaction, of which one at most is mined"
	if ok && r.Bare == j.subject.Bare {
		what = "this transaction with other amounts or scripts of its inputs"
	}
	if !ok {
		return what
	}
	what += fmt.Sprintf("; what was signed (pending id %.80q, ledger line %d)", r.ID, r.Line)
	if len(r.Claims) > 0 {
		return what + fmt.Sprintf(" rests on %s: if it can never be mined, `kms-offline ledger release` frees the outpoint", chain.Count(len(r.Claims), "claim"))
	}
	return what + " stays valid: if it was never sent and this one is to replace it, `kms-offline ledger release` frees the outpoint (docs/OPERATIONS.md)"
}

// otherClaims judges an item whose id was signed before with the same
// transaction under other claims, and reports whether it is one.
func (j *judgement) otherClaims(before [32]byte) bool {
	r, ok := j.history.Record(before)
	if !ok || r.Bare != j.subject.Bare {
		return false
	}
	if r.Released == 0 {
		j.refuse(chain.ClaimsChanged, "this transaction was signed before under pending id %s, and amounts or scripts of its inputs are others now: %s. Its signature would be a new one. Find out which is true; if the first was never sent, `kms-offline ledger release %s` frees the id for this transaction", j.subject.ID, j.changed(r), j.subject.ID)
	}
	return true
}

// changed says how the claims differ from those of before.
func (j *judgement) changed(r Record) string {
	var list []string
	was := claimsOf(r)
	for i, in := range j.subject.Facts.Sources {
		claim, claimed := was[in.ID]
		switch now := in.Claim(); {
		case !claimed && !in.Proven:
			list = append(list, fmt.Sprintf("input %d was not a claim and is one now, of %s", i, j.amount(in.Amount)))
		case claimed && claim.Amount != now.Amount:
			list = append(list, fmt.Sprintf("input %d was %s and is %s now", i, j.amount(claim.Amount), j.amount(now.Amount)))
		case claimed && claim != now:
			list = append(list, fmt.Sprintf("input %d had another script", i))
		case claimed && in.Proven:
			list = append(list, fmt.Sprintf("input %d was a claim and is proven now", i))
		}
	}
	if more := len(list) - 3; more > 0 {
		list = append(list[:3], fmt.Sprintf("and %d more", more))
	}
	list = append(list, fmt.Sprintf("the fee was %s and is %s now", j.amount(r.Fee), j.amount(j.subject.Facts.Fee)))
	return strings.Join(list, "; ")
}

// amount writes an amount of the coin.
func (j *judgement) amount(v chain.Amount) chain.Sum {
	return chain.Sum{Amount: v, Asset: j.subject.Facts.Asset}
}

func claimsOf(r Record) map[string]chain.Claim {
	was := make(map[string]chain.Claim, len(r.Claims))
	for _, c := range r.Claims {
		was[c.ID] = c
	}
	return was
}

// disproved reports whether signed content is shown to be invalid by what is
// proven now: a signature of a taproot input commits to amount and script of
// every input (BIP 341), so it is worth nothing where one of them was claimed
// wrongly. Older signatures do not, and may be valid. known remembers.
func (j *judgement) disproved(content [32]byte, known map[[32]byte]bool) bool {
	if is, have := known[content]; have {
		return is
	}
	r, _ := j.history.Record(content)
	was := claimsOf(r)
	known[content] = false
	for i, in := range j.subject.Facts.Sources {
		claim, claimed := was[in.ID]
		if claimed && in.Proven && claim != in.Claim() && j.commits(claim) {
			known[content] = true
			j.find(chain.FlagDisproved, "input %d (%s) was signed into another transaction as a claim of %s; what is proven now shows that claim to be false and that signature to be invalid", i, in.ID, j.amount(claim.Amount))
			break
		}
	}
	return known[content]
}

// commits reports whether the signature for a claim committed to every amount.
func (j *judgement) commits(c chain.Claim) bool {
	coin, ok := j.policy.coin(j.subject.Facts.Coin)
	lock, err := hex.DecodeString(c.Lock)
	return ok && err == nil && coin.Commits(lock)
}
