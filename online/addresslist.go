package online

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/tatum"
)

// The list of an address may be longer than what one look reads. The next look then
// goes on where this one has stopped. It first reads what is new, up to the
// transaction that came first before. The transaction that was read last must be where
// it goes on; otherwise the list is read from its beginning.

// addressList is one look into the list of one address, newest first.
type addressList struct {
	search
	address string
	take    func(spender) (done bool)
	bounded bool            // it is read until all of made was found
	made    map[string]bool // txids that made what is used up, and were not found yet
	rivals  []string        // txids of what uses up the same
	pages   int             // that may still be read
	saved   bool            // an earlier look has read a part
	top     string          // txid that comes first
	last    string          // txid that was read last
	found   looked
	done    bool // take has what it wants
}

// at looks into the list of one address, as far as the transactions that made
// what is used up.
func (f search) at(ctx context.Context, address string, take func(spender) bool) (found looked, done bool, err error) {
	l := &addressList{search: f, address: address, take: take, made: make(map[string]bool), pages: maxPages}
	for _, txid := range f.Made(address) {
		l.made[txid] = true
	}
	l.bounded = len(l.made) > 0
	offset, anchor, err := l.resume(ctx)
	if err == nil && !l.ends() {
		err = l.read(ctx, offset, anchor)
	}
	return l.found, l.done, err
}

// ends reports whether nothing more is to be read.
func (l *addressList) ends() bool { return l.done || l.found.ours || l.found.gap != "" && l.pages == 0 }

// page reads some of the list.
func (l *addressList) page(ctx context.Context, offset int) ([]tatum.Listed, error) {
	l.pages--
	list, err := l.Tatum.Transactions(ctx, l.item.Chain, l.address, offset)
	if err != nil {
		return nil, err
	}
	isOurs := func(t tatum.Listed) bool { return t.TxID == l.item.TxID }
	if !l.past && l.item.TxID != "" && slices.ContainsFunc(list, isOurs) {
		l.found = looked{ours: true}
		return list, nil
	}
	for _, t := range list {
		delete(l.made, t.TxID)
		if t.TxID == "" {
			l.found.gap = fmt.Sprintf("a part of Tatum's list of the transactions of %s does not read", l.address)
		}
		if slices.ContainsFunc(t.Uses, l.Uses) && !slices.Contains(l.rivals, t.TxID) {
			l.rivals = append(l.rivals, t.TxID)
			if err := l.judge(ctx, t.TxID); err != nil || l.done {
				return list, err
			}
		}
	}
	if offset == 0 && len(list) > 0 {
		l.top = list[0].TxID
	}
	return list, nil
}

// judge proves what is listed as a conflict.
func (l *addressList) judge(ctx context.Context, txid string) error {
	sp, err := l.prove(ctx, txid)
	if err == nil {
		l.done = l.take(sp)
	}
	return err
}

// resume loads what an earlier look has read, and reads what is new since. It returns
// the offset to go on at, and the transaction that must be there, "" at the beginning.
func (l *addressList) resume(ctx context.Context) (offset int, anchor string, err error) {
	before, err := l.journal.Reading(ctx, l.item.ID, l.address)
	if err != nil || before == nil {
		return 0, "", err
	}
	l.saved, l.last = true, before.Last
	for _, txid := range before.Rivals {
		l.rivals = append(l.rivals, txid)
		if err := l.judge(ctx, txid); err != nil || l.done {
			return 0, "", err
		}
	}
	maps.DeleteFunc(l.made, func(txid string, _ bool) bool { return !slices.Contains(before.Left, txid) })
	for offset = 0; l.pages > 0; offset += tatum.ListPage {
		list, err := l.page(ctx, offset)
		if err != nil || l.ends() {
			return 0, "", err
		}
		if at := slices.IndexFunc(list, func(t tatum.Listed) bool { return t.TxID == before.Top }); at >= 0 {
			return max(before.Next+offset+at-tatum.ListPage, 0), before.Last, nil
		}
		if len(list) < tatum.ListPage {
			break
		}
	}
	return 0, "", l.anew(ctx)
}

// anew makes the next look begin at the beginning.
func (l *addressList) anew(ctx context.Context) error {
	l.pages = 0
	l.found.gap = fmt.Sprintf("Tatum's list of the transactions of %s does not go on where it was read before: it "+
		"is read from its beginning at the next look", l.address)
	return l.journal.KeepReading(ctx, l.item.ID, l.address, nil)
}

// read reads the list from offset. If anchor is not "", it must be in the first two
// pages.
func (l *addressList) read(ctx context.Context, offset int, anchor string) error {
	for page := 0; l.pages > 0; page++ {
		list, err := l.page(ctx, offset)
		if err != nil || l.found.ours {
			return err
		}
		if slices.ContainsFunc(list, func(t tatum.Listed) bool { return t.TxID == anchor }) {
			anchor = ""
		}
		if l.done && l.saved && anchor == "" { // this part is read again
			return l.keep(ctx, offset, true)
		}
		offset += len(list)
		if len(list) > 0 {
			l.last = list[len(list)-1].TxID
		}
		short := len(list) < tatum.ListPage
		switch {
		case l.done:
			return nil
		case anchor != "" && (short || page > 0):
			return l.anew(ctx)
		case anchor != "":
		case l.bounded && len(l.made) == 0, short && !l.bounded: // that is all of it
			return l.keep(ctx, offset, false)
		case short:
			l.found.gap = fmt.Sprintf("Tatum's list of the transactions of %s was read to its end, and does not "+
				"have the one that paid what is spent", l.address)
			return l.keep(ctx, offset, false)
		}
	}
	whole := l.found.gap == "" && l.top != ""
	if whole {
		l.found.gap = fmt.Sprintf("%d of Tatum's list of the transactions of %s were read, and the one that paid "+
			"what is spent was not among them: the next look reads on from there", offset, l.address)
	}
	return l.keep(ctx, offset, whole)
}

// keep records how far the list was read, or, unless on is set, that the next look is
// to begin at the beginning.
func (l *addressList) keep(ctx context.Context, offset int, on bool) error {
	if !on && !l.saved {
		return nil
	}
	var r *journal.Reading
	if on {
		r = &journal.Reading{Top: l.top, Last: l.last, Next: offset, Left: slices.Sorted(maps.Keys(l.made)),
			Rivals: l.rivals}
	}
	return l.journal.KeepReading(ctx, l.item.ID, l.address, r)
}
