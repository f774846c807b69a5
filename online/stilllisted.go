package online

import (
	"context"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// What was given up here and is listed by Tatum all the same can be paid by
// whatever else signs for its key. That is an alarm until Tatum itself says that
// it does not have it any more: a list without it is no such word.

// stillListed raises an alarm for what was rejected or failed here and Tatum
// lists all the same; of what is failed only once nothing else about it is open.
func (r *Relay) stillListed(ctx context.Context, ids []string, report *Fetched) error {
	if len(ids) == 0 {
		return nil
	}
	items, err := r.journal.Items(ctx, journal.Filter{States: []journal.State{journal.Rejected, journal.Failed}, IDs: ids})
	if err != nil || len(items) == 0 {
		return err
	}
	known, err := r.saidListed(ctx, items)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.Code == CodeOtherTxID {
			continue // watch looks whether it goes on
		}
		payer, err := r.payerOf(ctx, it)
		if err != nil {
			return err
		}
		p := Problem{ID: it.ID, Code: CodeStillListed, Reason: listedWords(it, payer)}
		report.Problems = append(report.Problems, p)
		if known[it.ID] {
			continue
		}
		alarm := p.alarm(string(it.State) + " " + string(it.Code))
		alarm.Beside = it.State == journal.Failed // of which it has an alarm
		if err := r.journal.Raise(ctx, *alarm); err != nil {
			return err
		}
	}
	return nil
}

// listedWords say what it means that Tatum lists an item. payer is the one that its
// very transaction pays; may be nil.
func listedWords(it journal.Item, payer *journal.Item) string {
	text := fmt.Sprintf("ALARM: it is %s here (%s), but Tatum still lists it: whatever else signs for its key can pay it. ", it.State, it.Code)
	if payer != nil { // then it must not be dropped from here
		return text + sentence(paidByWords(it.ID, *payer))
	}
	drop := fmt.Sprintf("kms-online reject %s --why TEXT", it.ID)
	switch {
	case slices.Contains(deadCodes, it.Code): // reject wants evidence of today
		return text + drop +
			" drops it there once the network shows that it can never confirm, and says what is missing until then"
	case rejectable(it) && it.Code != CodeSameTx:
		return text + "Drop it there: " + drop
	}
	return text + "See its own alarm for what to do about it"
}

// saidListed reports of items whether there is an alarm already, which nobody
// has to be told of again.
func (r *Relay) saidListed(ctx context.Context, items []journal.Item) (map[string]bool, error) {
	alarms, err := r.journal.Alarms(ctx, journal.AlarmFilter{All: true, Items: idsOf(items)})
	known := make(map[string]bool)
	for _, a := range alarms {
		if a.Code == CodeStillListed { // the last one counts
			known[a.Item] = a.Healed.IsZero() && !a.ByItself()
		}
	}
	return known, err
}

// maxAfter bounds how many items are asked after in one fetch.
const maxAfter = 64

// listedNoMore asks Tatum what became of what it listed and does not list any
// more, though it was given up here.
func (r *Relay) listedNoMore(ctx context.Context, id chain.ID, listed map[string]bool, o FetchOptions, report *Fetched) error {
	alarms, err := r.journal.Alarms(ctx, journal.AlarmFilter{Lasts: CodeStillListed})
	if err != nil {
		return err
	}
	var ids []string
	for _, a := range alarms {
		if !listed[a.Item] {
			ids = append(ids, a.Item)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	items, err := r.journal.Items(ctx, journal.Filter{IDs: ids, Chains: []chain.ID{id}, Network: o.Network, Account: &r.Account, Max: maxAfter})
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := r.afterListed(ctx, it, report); err != nil {
			return err
		}
	}
	return nil
}

// afterListed asks Tatum what became of one of those.
func (r *Relay) afterListed(ctx context.Context, it journal.Item, report *Fetched) error {
	txid, err := r.Tatum.TxIDOf(ctx, it.ID)
	switch {
	case tatum.IsNotFound(err):
		return r.journal.Heal(ctx, it.ID, CodeStillListed, "Tatum does not have it any more")
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		report.Problems = append(report.Problems, Problem{ID: it.ID, Code: CodeNetwork, Reason: fmt.Sprintf("it was listed although it is %s, and what became of it is not known: %v", it.State, err)})
		return nil
	case txid == "":
		return nil // the list was short
	}
	p := Problem{ID: it.ID, Code: CodeOtherTxID, Reason: fmt.Sprintf("ALARM: Tatum says that %.80q completed it, though it is %s here: something else signs for its key, and it may be paid. %s", txid, it.State, otherTxIDAdvice(txid))}
	if txid == it.TxID {
		p.Code, p.Reason = CodePaidRejected, fmt.Sprintf("ALARM: Tatum says that our transaction %s completed it, though it is %s here: somebody sent a copy of the result. Do not have it paid anew before you have looked in a block explorer", txid, it.State)
	}
	report.Problems = append(report.Problems, p)
	if err := r.journal.Raise(ctx, *p.alarm(txid)); err != nil {
		return err
	}
	return r.journal.Heal(ctx, it.ID, CodeStillListed, "Tatum has it as completed by "+txid)
}
