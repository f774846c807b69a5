package online

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// A journal that was restored has lost what a person decided after its backup: an
// item that it has as wanted may have been given up, dropped at Tatum and paid in
// another way. Tatum's list and record show that only while they are not old, and
// nothing proves that they are not. So nothing that the lost journal may have had
// is sent before a person has said, after the restore, that it is to be paid.

// ErrOtherList is returned by ReleaseAll where other items wait by now than those
// that the person has read.
var ErrOtherList = errors.New("other items wait than those that were listed")

// ErrReleased is returned for an item that waits for no release.
var ErrReleased = errors.New("it does not wait for a release")

// Unreleased lists, oldest first, what is not sent before a person releases it, and
// returns the name of this list. Withheld items are not in it: retry and reject decide
// about those, by id.
func (r *Relay) Unreleased(ctx context.Context, network chain.Network) (list []Status, name string, err error) {
	items, err := r.doubtful(ctx, network)
	if err != nil || len(items) == 0 {
		return nil, "", err
	}
	list, err = r.Status(ctx, network, idsOf(items)...)
	return list, nameOf(items), err
}

// doubtful are the items that wait for a release.
func (r *Relay) doubtful(ctx context.Context, network chain.Network) ([]journal.Item, error) {
	restored, err := r.journal.Restorations(ctx)
	if err != nil || len(restored) == 0 {
		return nil, err
	}
	items, err := r.journal.Items(ctx, unreleasedOf(network))
	return doubtfulOf(items, restored), err
}

// unreleasedOf chooses the items that may have to wait for a release.
func unreleasedOf(network chain.Network) journal.Filter {
	return journal.Filter{
		States: append(slices.Clone(open), journal.Signed), Network: network,
		Wanted: true, Withheld: []chain.Code{CodeVetoed}, Unreleased: true,
	}
}

// doubtfulOf returns those items that the restored journal may lack something of.
func doubtfulOf(items []journal.Item, restored []journal.Restoration) []journal.Item {
	recorded := func(it journal.Item) bool { return len(journal.Unrecorded(restored, it)) == 0 }
	return slices.DeleteFunc(items, recorded)
}

// nameDigits is how many digits name a list: 64 bits, against a mistake.
const nameDigits = 16

// nameOf names a list of items, so that a person releases no other list.
func nameOf(items []journal.Item) string {
	h := sha256.New()
	for _, it := range items {
		_, _ = io.WriteString(h, it.ID+"\n")
		h.Write(it.Content[:])
	}
	return hex.EncodeToString(h.Sum(nil))[:nameDigits]
}

// Release records that a person has these items paid although the journal was
// restored.
func (r *Relay) Release(ctx context.Context, by string, network chain.Network, ids ...string) error {
	_, err := r.releases(ctx, by, network, func(items []journal.Item) ([]string, error) {
		for _, id := range ids {
			if !slices.ContainsFunc(items, func(it journal.Item) bool { return it.ID == id }) {
				return nil, fmt.Errorf("release: item %.80q: %w", id, ErrReleased)
			}
		}
		return ids, nil
	})
	return err
}

// ReleaseAll is Release for all items of the list of this name.
func (r *Relay) ReleaseAll(ctx context.Context, by string, network chain.Network, name string) ([]string, error) {
	return r.releases(ctx, by, network, func(items []journal.Item) ([]string, error) {
		if len(items) == 0 || nameOf(items) != name {
			return nil, fmt.Errorf("release: %w", ErrOtherList)
		}
		return idsOf(items), nil
	})
}

// releases records a person's word about those that choose returns, of the items that
// wait in that moment.
func (r *Relay) releases(ctx context.Context, by string, network chain.Network,
	choose func([]journal.Item) ([]string, error),
) ([]string, error) {
	restored, err := r.journal.Restorations(ctx)
	if err != nil {
		return nil, err
	}
	return r.journal.PermitOf(ctx, by, unreleasedOf(network), func(items []journal.Item) ([]string, error) {
		return choose(doubtfulOf(items, restored))
	})
}

// unreleased returns why a signed item of a restored journal is not sent, "" if it is.
func (s *step) unreleased(restored []journal.Restoration) string {
	if s.item.Released != "" {
		return ""
	}
	lost := unrecorded(restored, s.item)
	if lost == "" {
		return ""
	}
	return fmt.Sprintf("it is signed (%s) and waits for you: %s. It may have been given up there, too, "+
		"and paid in another way, and what Tatum says now may be old. kms-online release lists all that waits so, "+
		"and names the command that has it sent. "+
		"If it is not to be paid: kms-online reject %s --why TEXT", s.item.TxID, lost, s.item.ID)
}
