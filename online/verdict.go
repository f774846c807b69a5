package online

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// lookApart is how long after a rival was first found as deep as is demanded
// it must be found again, the same in the same block, before it counts.
const lookApart = 10 * time.Minute

func (r rival) doubtful(why string) error {
	return fmt.Errorf("ALARM: Tatum says that transaction %s spends %s, which ours spends, and has %d confirmations, but %s. Nothing is taken as decided: do not have anything paid anew yet, and look for both in an independent block explorer", r.txid, r.spent, r.depth, why)
}

func (r rival) once(again time.Time) error {
	return fmt.Errorf("ALARM: transaction %s spends %s, which ours spends, and has %d confirmations. Do not have anything paid anew yet: it is looked at once more, from %s on", r.txid, r.spent, r.depth, again.UTC().Format(time.RFC3339))
}

// doubt says why a rival cannot be in the block that Tatum says it is in, ""
// where everything that can be asked agrees: heights are Tatum's word only. It
// notes the height.
func (s *step) doubt(ctx context.Context, r *rival) (string, error) {
	at, err := s.Tatum.Where(ctx, s.item.Chain, r.txid)
	if err != nil {
		return unsure("its block is not known", err)
	}
	parent, err := s.Tatum.Where(ctx, s.item.Chain, r.spent.Hash.String())
	switch {
	case err != nil:
		return unsure("the block of the output that it spends is not known", err)
	case at.Height < 1:
		return "it is in no block of a known height", nil
	case parent.Height < 1:
		return "the output that it spends is in no block yet", nil
	case parent.Height > at.Height:
		return fmt.Sprintf("it cannot be in block %d: the output that it spends is made in block %d", at.Height, parent.Height), nil
	}
	block, err := s.Tatum.Block(ctx, s.item.Chain, at.Height)
	switch {
	case err != nil:
		return unsure(fmt.Sprintf("block %d cannot be looked at", at.Height), err)
	case !block[r.txid]:
		return fmt.Sprintf("block %d does not have it", at.Height), nil
	case block[s.item.TxID]:
		return fmt.Sprintf("block %d has ours", at.Height), nil
	}
	r.at = at.Height
	return "", nil
}

// unsure makes a doubt of an error, unless that concerns every call.
func unsure(what string, err error) (string, error) {
	if general(err) {
		return "", err
	}
	return fmt.Sprintf("%s (%v)", what, err), nil
}

// firstLook notes that a rival was found, and returns from when on it counts if
// it is found again; zero: it does now.
func (s *step) firstLook(ctx context.Context, r *rival) (time.Time, error) {
	first, err := s.journal.Looked(ctx, s.item.ID, fmt.Sprintf("%s@%d", r.txid, r.at))
	if err != nil {
		return time.Time{}, err
	}
	if again := first.Add(lookApart); s.Now().Before(again) {
		return again, nil
	}
	return time.Time{}, nil
}

// unlook forgets the first look: what was found then is not found now.
func (s *step) unlook(ctx context.Context) error {
	if s.item.Code != CodeInputsSpent && !slices.Contains(s.alarmed, CodeInputsSpent) {
		return nil // there was none
	}
	return s.journal.Unlooked(ctx, s.item.ID)
}

// mayConfirm says why our transaction may confirm yet, as far as is known; ""
// where evidence, found twice, shows that it cannot and that what took its place
// pays nobody that it pays.
func (s *step) mayConfirm(ctx context.Context) (why string, err error) {
	r, err := s.rival(ctx)
	if err != nil {
		return "", err
	}
	if r == nil {
		return "nor is anything else that spends what it spends", s.journal.Unlooked(ctx, s.item.ID)
	}
	if want := s.Depths.of(s.item.Chain); r.depth < want {
		return fmt.Sprintf("transaction %s spends what it spends, and has %d of %d confirmations", r.txid, r.depth, want), s.journal.Unlooked(ctx, s.item.ID)
	}
	if r.same != "" {
		return fmt.Sprintf("transaction %s spends what it spends, and %s", r.txid, r.same), nil
	}
	if why, err = s.doubt(ctx, r); err != nil || why != "" {
		return fmt.Sprintf("Tatum says that transaction %s spends what it spends, but %s", r.txid, why), errors.Join(err, s.journal.Unlooked(ctx, s.item.ID))
	}
	again, err := s.firstLook(ctx, r)
	if err != nil || again.IsZero() {
		return "", err
	}
	return fmt.Sprintf("transaction %s spends what it spends, and has %d confirmations, and one look is no evidence: reject it again from %s on", r.txid, r.depth, again.UTC().Format(time.RFC3339)), nil
}
