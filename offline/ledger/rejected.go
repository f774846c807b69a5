package ledger

import (
	"crypto/sha256"
	"encoding/hex"
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
	ids      map[string]At            // pending id → where it was taken out of a batch
	contents map[[sha256.Size]byte]At // the same by what would have been signed
	batches  map[string]At            // batch digest → where it was declined
	declined map[string]At            // Brief of a content → where a batch with it was declined
}

// Brief is how a declined line names content: its first 128 bits in hex.
func Brief(content [sha256.Size]byte) string { return hex.EncodeToString(content[:16]) }

func newNoes() noes {
	return noes{ids: map[string]At{}, contents: map[[sha256.Size]byte]At{}, batches: map[string]At{}, declined: map[string]At{}}
}

// hear follows a line about what a person decided.
func (n *noes) hear(line Line) {
	at := At{line.N, line.Time}
	switch line.Kind {
	case KindRefused:
		if line.Code != chain.RefusedByPerson {
			return
		}
		n.ids[line.ID] = at
		if content, err := bundle.ParseDigest(line.Content); err == nil {
			n.contents[content] = at
		}
	case KindLeftOut:
		n.reject(line)
	case KindDeclined:
		n.batches[line.Request] = at
		for _, content := range line.Declined {
			n.declined[content] = at
		}
	case KindAgreed: // to the rest
		delete(n.batches, line.Request)
		n.reject(line)
	case KindSigned:
		delete(n.ids, line.ID)
		if content, err := bundle.ParseDigest(line.Content); err == nil {
			delete(n.contents, content)
			delete(n.declined, Brief(content))
		}
	}
}

// reject follows the pending ids that a line takes out of a batch.
func (n *noes) reject(line Line) {
	for _, id := range line.Left {
		n.ids[id] = At{line.N, line.Time}
	}
}

// Rejected returns where a person last took this pending id, or this content
// under any id, out of a batch, if it was not signed since.
func (n *noes) Rejected(id string, content [sha256.Size]byte) (At, bool) {
	byID, is := n.ids[id]
	byContent, was := n.contents[content]
	if was && byContent.Line > byID.Line {
		return byContent, true
	}
	return byID, is
}

// DeclinedItem returns where a person last said no to a batch that had this
// content, if it was not signed since.
func (n *noes) DeclinedItem(content [sha256.Size]byte) (At, bool) {
	at, ok := n.declined[Brief(content)]
	return at, ok
}

// Declined returns where a person last said no to a batch, if nobody has said
// yes to it since.
func (n *noes) Declined(batch bundle.Digest) (At, bool) {
	at, ok := n.batches[batch.String()]
	return at, ok
}
