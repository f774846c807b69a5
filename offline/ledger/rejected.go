package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// At is where a line of the ledger is, for people.
type At struct {
	Line uint64
	Time string // RFC 3339, the machine's clock
}

// Day returns the day of the line, or the time as it stands if it cannot be read.
func (a At) Day() string {
	t, err := time.Parse(time.RFC3339, a.Time)
	if err != nil {
		return a.Time
	}
	return t.UTC().Format(time.DateOnly)
}

// noes are what persons said no to and nobody has signed since.
type noes struct {
	ids       map[string]At            // pending id → where it was taken out of a batch
	contents  map[[sha256.Size]byte]At // the same by what would have been signed
	outpoints map[string]At            // the same by what it would have spent
	payees    map[destination][]unpaid // the same by whom it would have paid
	batches   map[string]At            // batch digest → where it was declined
	discarded map[string]bool          // batches whose last line there is of decisions that were discarded
	declined  map[string]DeclinedAt    // Brief of a content → where a batch with it was declined
	marks     map[string]DeclinedAt    // MarkID or MarkOutpoint → where a batch with it was declined
}

// DeclinedAt is where a person said no to a batch.
type DeclinedAt struct {
	At
	Batch string // digest in hex
}

// unpaid is what one payment that a person rejected would have paid to one
// destination.
type unpaid struct {
	At
	value Amount
	since Amount // paid to it since then in smaller payments
}

// Brief is how a declined line names content: its first 128 bits in hex.
func Brief(content [sha256.Size]byte) string { return hex.EncodeToString(content[:16]) }

// MarkID is how a line names the pending id of an item: 80 bits of a digest in hex.
func MarkID(id string) string { return markOf("coldkms declined id v1\n", id) }

// MarkOutpoint is how a line names an outpoint of an item, txid:index.
func MarkOutpoint(op string) string { return markOf("coldkms declined outpoint v1\n", op) }

// markOf allocates nothing but the mark: it is called for each outpoint of a batch.
func markOf(kind, name string) string {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], kind...), name...))
	return string(hex.AppendEncode(room[:0], sum[:10]))
}

func newNoes() noes {
	return noes{
		ids: map[string]At{}, contents: map[[sha256.Size]byte]At{}, outpoints: map[string]At{},
		payees: map[destination][]unpaid{}, batches: map[string]At{}, discarded: map[string]bool{},
		declined: map[string]DeclinedAt{}, marks: map[string]DeclinedAt{},
	}
}

// hear follows a line about what a person decided.
func (n *noes) hear(line Line) {
	at := At{line.N, line.Time}
	switch line.Kind {
	case KindRefused:
		if line.Code == chain.RefusedByPerson {
			n.refuse(line, at)
		}
	case KindLeftOut:
		n.reject(line)
	case KindDeclined:
		n.batches[line.Request], n.discarded[line.Request] = at, line.Act == ActDiscard
		for _, content := range line.Declined {
			n.declined[content] = DeclinedAt{at, line.Request}
		}
		for _, mark := range line.Marks {
			n.marks[mark] = DeclinedAt{at, line.Request}
		}
	case KindAgreed: // to the rest
		delete(n.batches, line.Request)
		n.reject(line)
	case KindSigned:
		n.accept(line)
	}
}

// refuse follows an item that a person rejected.
func (n *noes) refuse(line Line, at At) {
	n.ids[line.ID] = at
	if content, err := bundle.ParseDigest(line.Content); err == nil {
		n.contents[content] = at
	}
	for _, op := range line.Spent {
		n.outpoints[op] = at
	}
	for to, value := range line.pays() {
		n.payees[to] = append(n.payees[to], unpaid{At: at, value: value})
	}
}

// accept follows an item that was signed.
func (n *noes) accept(line Line) {
	delete(n.ids, line.ID)
	delete(n.marks, MarkID(line.ID))
	if content, err := bundle.ParseDigest(line.Content); err == nil {
		delete(n.contents, content)
		delete(n.declined, Brief(content))
	}
	for _, op := range line.Spent {
		delete(n.outpoints, op)
		delete(n.marks, MarkOutpoint(op))
	}
	for to, value := range line.pays() {
		n.pay(to, value)
	}
}

// pay drops the rejected payments that what is signed now makes, alone or with
// what was signed since they were rejected.
func (n *noes) pay(to destination, value Amount) {
	kept := n.payees[to][:0]
	for _, no := range n.payees[to] {
		if value.Cmp(no.value) < 0 { // perhaps a part of it
			no.since = no.since.Plus(value)
		}
		if !near(no.value, value) && !near(no.value, no.since) {
			kept = append(kept, no)
		}
	}
	if n.payees[to] = kept; len(kept) == 0 {
		delete(n.payees, to)
	}
}

// Sums are what is paid to each destination. One that does not fit stays at the
// highest value there is.
type Sums map[destination]Amount

func (s Sums) add(coin chain.Coin, p Payment) {
	if to := (destination{coin, p.Token, p.To}); !p.Value.IsZero() {
		s[to] = s[to].Plus(p.Value)
	}
}

// AddRejected adds a payment in a coin if a person rejected one to its destination:
// what others get is compared with nothing, and may be much.
func (n *noes) AddRejected(s Sums, coin chain.Coin, p Payment) {
	if len(n.payees[destination{coin, p.Token, p.To}]) > 0 {
		s.add(coin, p)
	}
}

// pays sums up what a line pays to each destination.
func (l Line) pays() Sums {
	sums := make(Sums, len(l.Paid))
	for _, p := range l.Paid {
		sums.add(l.coin(), p)
	}
	return sums
}

// near reports whether two sums of money differ by 1 % of the first at most.
func near(rejected, now Amount) bool {
	difference := rejected.Minus(now).Plus(now.Minus(rejected))
	return !rejected.IsZero() && !now.IsZero() && !difference.AbovePercent(1, rejected)
}

// reject follows the pending ids that a line takes out of a batch.
func (n *noes) reject(line Line) {
	for _, id := range line.Left {
		n.ids[id] = At{line.N, line.Time}
	}
}

// Proposal is an item that is asked for, as far as a rejected one is known
// again by it.
type Proposal struct {
	ID      string
	Content [sha256.Size]byte
	Spent   []string
	Pays    Sums
	Batch   Sums // what all of its batch pays
}

// Rejected returns where a person last rejected this item, or one that is taken
// for the same payment, and in words what they have in common. Nobody has signed
// it since.
func (n *noes) Rejected(p Proposal) (last At, what string, was bool) {
	take := func(at At, words string) {
		if at.Line > last.Line {
			last, what, was = at, words, true
		}
	}
	take(n.ids[p.ID], "this payment")
	take(n.contents[p.Content], "this payment")
	for _, op := range p.Spent {
		take(n.outpoints[op], "a payment that spends outpoint "+op)
	}
	for _, to := range slices.SortedFunc(maps.Keys(p.Pays), destination.compare) {
		for _, no := range n.payees[to] {
			if near(no.value, p.Pays[to]) || near(no.value, p.Batch[to]) || near(no.value, no.since.Plus(p.Batch[to])) {
				take(no.At, fmt.Sprintf("a payment of %d to %s", no.value, to.to))
			}
		}
	}
	return last, what, was
}

func (d destination) compare(other destination) int { return strings.Compare(d.to, other.to) }

// RejectedAs reports whether a person rejected exactly this content.
func (n *noes) RejectedAs(content [sha256.Size]byte) bool {
	_, was := n.contents[content]
	return was
}

// DeclinedItem returns where a person last said no to a batch that had this
// content, if it was not signed since.
func (n *noes) DeclinedItem(content [sha256.Size]byte) (DeclinedAt, bool) {
	at, ok := n.declined[Brief(content)]
	return at, ok
}

// DeclinedOther returns where a person last said no to a batch with another
// transaction under this id, or one that spends one of these outpoints, and which
// of the two. Nobody has signed either since.
func (n *noes) DeclinedOther(p Proposal) (last DeclinedAt, what string, was bool) {
	if len(n.marks) == 0 {
		return last, "", false
	}
	own, _ := n.DeclinedItem(p.Content) // no other, where the last no was to exactly it
	take := func(mark, words, outpoint string) {
		if at := n.marks[mark]; at.Line > max(last.Line, own.Line) {
			last, what, was = at, words+outpoint, true
		}
	}
	take(MarkID(p.ID), "another transaction under this id", "")
	for _, op := range p.Spent {
		take(MarkOutpoint(op), "another transaction that spends outpoint ", op)
	}
	return last, what, was
}

// Declined returns where a person last said no to a batch, if nobody has said
// yes to it since, and whether that was to decisions that could not be read.
func (n *noes) Declined(batch bundle.Digest) (at At, discarded, ok bool) {
	at, ok = n.batches[batch.String()]
	return at, n.discarded[batch.String()], ok
}
