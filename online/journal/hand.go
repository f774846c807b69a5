package journal

import (
	"context"
	"fmt"
)

// Hand records that the bytes of an item are about to be handed to the
// network: whatever comes of it, they may have arrived. An item that is
// withheld is ErrState, and must not be sent.
func (j *Journal) Hand(ctx context.Context, id string, l Lease) error {
	return j.together(ctx, "hand", func(t tx) error {
		fence, args := l.fence()
		args = append([]any{j.now().Unix(), id}, args...)
		done, err := t.ExecContext(ctx, "UPDATE items SET handed = CASE WHEN handed_known = 0 THEN ? ELSE handed END, handed_known = 1 WHERE id = ? AND state IN ('signed', 'broadcast', 'completed') AND withheld = ''"+fence, args...)
		return t.met(ctx, done, err, id, l)
	})
}

// Offer is what Tatum has in the place of an item that it asked for.
type Offer struct {
	Digest     string // of the content, in hex; OfferNone where it has nothing
	Withdrawal string
}

// Values of Offer.Digest that stand for no content.
const (
	OfferNone   = "unknown-at-tatum" // Tatum does not have the item at all
	OfferUnseen = "not-looked-at"    // nobody has looked since the item was given up
)

// Values of Content that are not digits of a digest.
const (
	ContentNone   = "none"
	ContentUnseen = "unseen"
)

// contentDigits is how many digits of a digest people read and type: 128 bits, so
// that nobody can make a second content with the same ones.
const contentDigits = 32

// Content is how a person names an offer, "" for the very same as was signed.
func (o Offer) Content() string {
	switch o.Digest {
	case OfferNone:
		return ContentNone
	case OfferUnseen:
		return ContentUnseen
	}
	return o.Digest[:min(len(o.Digest), contentDigits)]
}

// Offered records what Tatum has in the place of an item, the zero Offer where
// it has the very same.
func (j *Journal) Offered(ctx context.Context, id string, o Offer) error {
	return j.change(ctx, "offered", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET offered = ?, offered_withdrawal = ? WHERE id = ?", o.Digest, words(o.Withdrawal), id)
		return err
	})
}

// Accept records that a person has a signed item sent in spite of one offer,
// by its Digest, or of none any more.
func (j *Journal) Accept(ctx context.Context, id, offer string) error {
	return j.change(ctx, "accept", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET accepted = ? WHERE id = ?", offer, id)
		return err
	})
}

// SeenBy records under which API key, by its fingerprint, Tatum was seen to have
// an item.
func (j *Journal) SeenBy(ctx context.Context, id, fingerprint string) error {
	return j.change(ctx, "seen", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET seen_by = ? WHERE id = ? AND seen_by <> ?", fingerprint, id, fingerprint)
		return err
	})
}

// Has reports whether the journal has an item.
func (j *Journal) Has(ctx context.Context, id string) (known bool, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT EXISTS (SELECT 1 FROM items WHERE id = ?)"), id).Scan(&known)
	})
	if err != nil {
		return false, fmt.Errorf("journal: %.80q: %w", id, err)
	}
	return known, nil
}
