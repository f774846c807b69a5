package online

import (
	"context"
	"fmt"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// Tatum knows an item only under the API key of its account there. The journal has a
// fingerprint of the key under which Tatum was seen to have each item: that Tatum does
// not have it under another key of the same name is no news of the item.

// keyName is the name of an API key in the file of keys.
func keyName(account string) string {
	if account == "" {
		return "default"
	}
	return account
}

// otherKey reports whether Tatum was seen to have an item under another key than the
// one in use.
func (r *Relay) otherKey(it journal.Item) bool {
	return it.SeenBy != "" && it.SeenBy != r.fingerprint()
}

// otherKeyWords say of such an item what is to be done.
func (r *Relay) otherKeyWords(it journal.Item) string {
	return fmt.Sprintf("the API key that is called %s now is another one than that under which Tatum had it, "+
		"and Tatum does not know it under this one: that says nothing of what became of it. It is held. "+
		"Give the right key under this name, and it goes on by itself. If the key was replaced for the same "+
		"account at Tatum, and you have seen there that the payment is gone: "+
		"kms-online reject %s --why TEXT --gone", keyName(r.Account), it.ID)
}

// holdForKey holds an item that is not signed while Tatum does not know it under a key
// that is another one. What is with the signer stays there.
func (r *Relay) holdForKey(ctx context.Context, it journal.Item) (*Problem, error) {
	p := &Problem{ID: it.ID, Code: CodeOtherKey, Reason: r.otherKeyWords(it)}
	if it.State != journal.Exported {
		if err := r.journal.Withhold(ctx, it.ID, CodeOtherKey, byRestore...); err != nil {
			return p, err
		}
	}
	return p, r.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
}

// heldForKey holds a signed item that Tatum does not know under a key that is another
// one.
func (s *step) heldForKey(ctx context.Context) error {
	if s.item.State == journal.Signed {
		if err := s.journal.Withhold(ctx, s.item.ID, CodeOtherKey); err != nil {
			return err
		}
	}
	return s.stays(ctx, CodeOtherKey, fmt.Errorf("%s", s.otherKeyWords(s.item)))
}

// keyIsBack lets an item go on that was held for its key: Tatum has it.
func (s *step) keyIsBack(ctx context.Context) error {
	if !s.item.Marked(CodeOtherKey) {
		return nil
	}
	if err := s.journal.Unwithhold(ctx, s.item.ID, CodeOtherKey); err != nil {
		return err
	}
	s.item.Unmark(CodeOtherKey)
	return nil
}

// renamedKey returns the problem that the API key in use has another name in what is
// open in the journal: with it, payments would be taken for those of another account.
// It is nil where that is not so, or where the file has this key under that name, too.
func (r *Relay) renamedKey(ctx context.Context, n chain.Network) (*Problem, error) {
	items, err := r.journal.Items(ctx, journal.Filter{
		States: unsettled, Network: n, SeenBy: r.fingerprint(), ButAccount: &r.Account, Max: 1,
	})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	was := items[0].Account
	if other, err := r.As(was); err == nil && other.fingerprint() == r.fingerprint() {
		return nil, nil
	}
	return &Problem{Code: CodeOtherKey, Reason: fmt.Sprintf("the API key that is called %s is the one that was "+
		"called %s when it fetched %s, which is %s: two names were swapped, or a key was renamed. Nothing was fetched "+
		"with it. Give each key its name again, at least until what it has fetched is completed",
		keyName(r.Account), keyName(was), items[0].ID, items[0].State)}, nil
}
