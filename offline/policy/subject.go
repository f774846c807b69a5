package policy

import (
	"iter"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Subject is one transaction under judgement.
type Subject struct {
	ID      string   // Tatum's pending id
	Content [32]byte // digest of what is signed, claims included
	Bare    [32]byte // digest of the transaction alone; Content if nothing is claimed
	Hashed  int      // KiB that its signatures hash which each hash the whole transaction
	Facts   chain.Facts
	Vouched []identity.Public // keys whose signature over exactly this content was verified
	Shared  []SharedKey       // keys that sign it and that another coin or network has too
	Origins []bundle.Digest   // batches with which it was asked for before and not signed
}

// Circumstances hold for a whole batch.
type Circumstances struct {
	Batch   bundle.Digest // what was signed of it before counts towards it
	Created int64         // when the request was made, Unix seconds by the relay's clock; 0: nobody says
	Offline bool          // all network interfaces are known to be down
}

// History is what the ledger remembers.
type History interface {
	// Signed returns the content that was signed under a pending id.
	Signed(id string) (content [32]byte, ok bool)
	// Spender returns the content of the signed transaction that spends an outpoint.
	Spender(exclusive string) (content [32]byte, ok bool)
	// Freed returns the content that spent an outpoint until a person released it.
	Freed(exclusive string) (content [32]byte, ok bool)
	// Record tells how signed content was signed.
	Record(content [32]byte) (Record, bool)
	// Now is the ledger's own clock in Unix seconds. It never goes back.
	Now() int64
	// Payments goes through what was paid since a time of that clock, each
	// signed content once.
	Payments(since int64) iter.Seq[Payment]
}

// Record is how content was signed.
type Record struct {
	TxID, Final [32]byte      // id and SHA-256 of the finished transaction; Final is zero in lines of before
	Fee         chain.Amount  // as it was computed then
	Bare        [32]byte      // digest of the transaction alone
	Claims      []chain.Claim // on which it rests
	Released    uint64        // line in which a person released it; 0: none, or it was signed again since
	ID          string        // pending id under which it was signed first
	Line        uint64        // of the ledger, where it was
}

// Payment is what one movement that was signed pays beyond change, or the fee of
// a transaction that was signed.
type Payment struct {
	Clock int64 // Unix seconds by the ledger's clock
	chain.Coin
	Token   string // of the coin; none: the coin itself
	To      string // canonical name of the destination; none of a fee
	Value   chain.Amount
	Fee     bool
	Changed bool   // of a fee: its transaction had change
	Size    uint32 // of a fee: what its rate is per; 0 where the ledger does not say it
	Content [32]byte
	Batch   bundle.Digest   // of which it was signed first
	Origins []bundle.Digest // batches with which it had been asked for before and not signed
}

func (s *Subject) coin() chain.Coin { return s.Facts.Coin }

// to names where a movement goes, as the ledger does.
func (s *Subject) to(out chain.Movement) destination {
	return destination{s.coin(), out.To}
}

// again reports whether exactly this was signed before, under this id or
// another, and the ledger knows the bytes: the signer compares them before
// anything leaves, so it pays nothing anew. Lines of before do not have them;
// of those, content counts that nothing claimed can have changed. What a person
// released is to be paid otherwise: it is judged like a new one.
func again(s *Subject, h History) bool {
	content, ok := SignedAs(s, h)
	if !ok {
		return false
	}
	r, ok := h.Record(content)
	switch {
	case !ok || r.Released != 0:
		return false
	case r.Final != [32]byte{}:
		return true
	}
	for _, in := range s.Facts.Sources {
		if !in.Proven || in.Commits {
			return false
		}
	}
	return r.Fee == s.Facts.Fee
}

// SignedAs returns the content under which the ledger has a subject as signed,
// under its id or another, and whether it has. That is its own content, or that
// of the same transaction with the same amounts and scripts, of which other ones
// were claims then: a previous transaction that comes, or goes, changes nothing
// that is signed.
func SignedAs(s *Subject, h History) ([32]byte, bool) {
	before, ok := h.Signed(s.ID)
	if ok && sameAs(s, before, h) {
		return before, true
	}
	for _, op := range s.Facts.Exclusive {
		for _, of := range [...]func(string) ([32]byte, bool){h.Spender, h.Freed} {
			if by, taken := of(op); taken && by != before && sameAs(s, by, h) {
				return by, true
			}
		}
	}
	return s.Content, false
}

// sameAs reports whether a subject is content that was signed. What was proven
// then, and is a claim now, has to give the same fee; its signature is compared
// before it leaves.
func sameAs(s *Subject, content [32]byte, h History) bool {
	if content == s.Content {
		return true
	}
	r, ok := h.Record(content)
	if !ok || r.Final == [32]byte{} || r.Bare != s.Bare || r.Fee != s.Facts.Fee {
		return false
	}
	was := claimsOf(r)
	for _, in := range s.Facts.Sources {
		if claim, claimed := was[in.ID]; claimed && claim != in.Claim() {
			return false
		}
	}
	return true
}

// tally is a sum and a number of payments. A sum that does not fit stays at
// the highest value there is, which no limit reaches.
type tally struct {
	sum   chain.Amount
	count int64
}

func (t *tally) add(value chain.Amount) {
	t.count++
	t.fee(value)
}

// fee adds to the sum what is no payment.
func (t *tally) fee(value chain.Amount) { t.sum = t.sum.Plus(value) }

// join adds another tally.
func (t *tally) join(other tally) {
	t.count += other.count
	t.fee(other.sum)
}
