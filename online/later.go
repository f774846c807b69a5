package online

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coldkms/online/journal"
)

// maxLater is how many items that are left alone are named each by itself.
const maxLater = 20

// later returns as problems which items f chooses that a fetch leaves alone, because
// a try was in vain a short time ago, and until when. Those that it has just tried are
// problems already.
func (r *Relay) later(ctx context.Context, f journal.Filter, tried map[string]bool) ([]Problem, error) {
	f.After, f.Fresh, f.Wanted, f.Max = 0, false, true, 0
	all, err := r.journal.Later(ctx, f)
	if err != nil {
		return nil, err
	}
	var list []journal.Later
	for _, l := range all {
		if !tried[l.ID] {
			list = append(list, l)
		}
	}
	var problems []Problem
	for _, l := range list[:min(len(list), maxLater)] {
		reason := fmt.Sprintf("the last try was in vain, and it is left alone until %s: fetch again then, or now with: "+
			"kms-online fetch --transaction-ids %s", l.Until.Format(time.RFC3339), l.ID)
		problems = append(problems, Problem{ID: l.ID, Code: l.Code, Reason: reason})
	}
	if len(list) > maxLater {
		problems = append(problems, summedUp(list[maxLater:]))
	}
	return problems, nil
}

// summedUp makes one problem of many items that are left alone.
func summedUp(list []journal.Later) Problem {
	order := func(a, b journal.Later) int { return a.Until.Compare(b.Until) }
	first, last := slices.MinFunc(list, order).Until, slices.MaxFunc(list, order).Until
	return Problem{Code: CodeNetwork, Reason: fmt.Sprintf("the last try of %d more items was in vain, and they are left "+
		"alone, the first one until %s, the last one until %s: fetch again then",
		len(list), first.Format(time.RFC3339), last.Format(time.RFC3339))}
}
