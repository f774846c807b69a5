package online

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// What a program needs that runs the relay by itself and tells people of it.

// Unanswered is a Request that waits for its Result.
type Unanswered struct {
	Digest bundle.Digest
	Name   string // of its file
	Items  int
	File   []byte
}

// Waiting lists the Requests that wait for a Result, oldest first.
func (r *Relay) Waiting(ctx context.Context) ([]bundle.Digest, error) {
	waiting, err := r.journal.Waiting(ctx)
	var list []bundle.Digest
	for _, w := range waiting {
		if !w.Held { // being written, or taken into another one
			list = append(list, w.Digest)
		}
	}
	return list, err
}

// Unanswered returns a Request of this relay. One that this version cannot read
// is ErrUnreadable: Abandon it.
func (r *Relay) Unanswered(ctx context.Context, digest bundle.Digest) (Unanswered, error) {
	req, err := r.openOwn(ctx, digest)
	if err != nil {
		return Unanswered{}, err
	}
	return Unanswered{Digest: digest, Name: fileName(req), Items: len(req.Items), File: req.File}, nil
}

// Abandon makes a Request void that cannot be read: its items go into a new one.
func (r *Relay) Abandon(ctx context.Context, digest bundle.Digest) error {
	return r.journal.Void(ctx, journal.Voided{Digest: digest, Why: "this version of kms-online cannot read it"})
}

// Recall makes void what holds something that is not wanted any more, so that
// it is never placed again and the next export is without that. It returns
// what to tell people.
func (r *Relay) Recall(ctx context.Context) ([]string, error) {
	list, err := r.journal.Recall(ctx)
	notes := make([]string, len(list))
	for i, v := range list {
		notes[i] = fmt.Sprintf("request %.16s is void: item %s. Do not sign it; destroy its file, and its result if there is one. What else it holds goes into a new request", v.Digest, v.Why)
	}
	return notes, err
}

// Wrote says that an unanswered Request is where a person finds it.
func (r *Relay) Wrote(ctx context.Context, digest bundle.Digest) error {
	return r.journal.Written(ctx, digest)
}

// unsettled are the states of what is on its way.
var unsettled = []journal.State{journal.Fetched, journal.Prepared, journal.Exported, journal.Signed, journal.Broadcast}

// Counts returns how many items are in each state but completed and rejected,
// and when the oldest one that is on its way was journaled, the zero time where
// none is.
func (r *Relay) Counts(ctx context.Context) (counts map[journal.State]int, oldest time.Time, err error) {
	counts = map[journal.State]int{journal.Refused: 0, journal.Failed: 0}
	for _, s := range unsettled {
		counts[s] = 0
	}
	open, err := r.journal.Unfinished(ctx)
	for _, o := range open {
		counts[o.State] = o.Items
		if slices.Contains(unsettled, o.State) && (oldest.IsZero() || o.Oldest.Before(oldest)) {
			oldest = o.Oldest
		}
	}
	return counts, oldest, err
}

// Late lists what is on its way and has been in its state since before a
// moment, without what was told as that already.
func (r *Relay) Late(ctx context.Context, before time.Time) ([]Status, error) {
	items, err := r.journal.Items(ctx, journal.Filter{States: unsettled, Before: before, Max: maxLate})
	if err != nil {
		return nil, err
	}
	late := make([]Status, len(items))
	for i, it := range items {
		late[i] = statusOf(it)
	}
	return late, nil
}

// maxLate bounds how many items are told as late at a time.
const maxLate = 1000

// LateIn is what is remembered of an item that was told as late.
func LateIn(s journal.State) string { return journal.LatePrefix + string(s) }

// TellLate records that an item was told as late in its state.
func (r *Relay) TellLate(ctx context.Context, s Status) error {
	return r.journal.Tell(ctx, s.ID, LateIn(s.State))
}

// Still reads an item again of which something is to be told, and reports whether
// it is in its state without a break since then, and not completed and missing.
func (r *Relay) Still(ctx context.Context, was Status) (now Status, still bool, err error) {
	it, err := r.journal.Item(ctx, was.ID)
	if err != nil {
		return Status{}, false, err
	}
	now = statusOf(it)
	if still = now.State == was.State && now.Since == was.Since; still && it.State == journal.Completed {
		lasting, err := r.lasting(ctx, []journal.Item{it})
		return now, err == nil && !astray(it, lasting[it.ID]), err
	}
	return now, still, nil
}

// News is an item with an event that has not been reported yet.
type News struct {
	Status
	Event string // its state, or journal.HealedEvent
}

// AnyUntold reports whether there may be an alarm or an end that was not reported.
func (r *Relay) AnyUntold(ctx context.Context) (bool, error) { return r.journal.AnyUntold(ctx) }

// Untold lists, oldest first, the items whose end has not been reported yet, and
// those that go on though they were reported as failed. What is completed and is not with
// the network as it was waits until it is.
func (r *Relay) Untold(ctx context.Context, limit int) ([]News, error) {
	items, err := r.journal.Untold(ctx, limit, missingCodes...)
	if err != nil {
		return nil, err
	}
	list := make([]News, len(items))
	for i, it := range items {
		list[i] = News{statusOf(it), it.Event()}
	}
	return list, nil
}

// StartEvents records that events are reported from now on. The first call returns
// how many earlier ends of items are not reported: none with history.
func (r *Relay) StartEvents(ctx context.Context, history bool) (skipped int64, err error) {
	return r.journal.StartEvents(ctx, history)
}

// Tell records that the event of n was reported.
func (r *Relay) Tell(ctx context.Context, n News) error {
	return r.journal.Tell(ctx, n.ID, n.Event)
}

// Prepared says how many items could be exported.
func (r *Relay) Prepared(ctx context.Context, network chain.Network, ids []string) (int, error) {
	f := r.exportable(journal.Filter{States: []journal.State{journal.Prepared}, Network: network, IDs: ids})
	agreed, all, err := r.agreed(ctx, f)
	if err != nil || !all {
		return len(agreed), err
	}
	return r.journal.Count(ctx, f)
}

// Unheard records that an event was not heard, and reports whether it is given
// up now.
func (r *Relay) Unheard(ctx context.Context, id, event, reason string, refused bool) (dead bool, err error) {
	return r.journal.Unheard(context.WithoutCancel(ctx), id, event, reason, refused)
}

// Heard forgets that an event was not heard before.
func (r *Relay) Heard(ctx context.Context, id, event string) error {
	return r.journal.Heard(ctx, id, event)
}

// Later returns what reports whether an event is to be told again only later.
func (r *Relay) Later(ctx context.Context) (func(id, event string) bool, error) {
	letters, err := r.journal.Letters(ctx, false)
	later := make(map[[2]string]bool)
	for _, l := range letters {
		if left := l.Retry.Sub(r.Now()); left > 0 && left <= journal.MaxDelay {
			later[[2]string{l.ID, l.Event}] = true
		}
	}
	return func(id, event string) bool { return later[[2]string{id, event}] }, err
}

// DeadLetters lists the events that were given up.
func (r *Relay) DeadLetters(ctx context.Context) ([]journal.Letter, error) {
	return r.journal.Letters(ctx, true)
}

// Probe returns why the journal cannot be written to now, nil if it can. It ends
// with ctx.
func (r *Relay) Probe(ctx context.Context) error { return r.journal.Probe(ctx, r.owner) }

// Notices counts the open alarms by code, the events that were not
// delivered yet, and those that were given up.
func (r *Relay) Notices(ctx context.Context) (journal.Notices, error) { return r.journal.Notices(ctx) }

// Resend has the events that were given up told again, and counts them.
func (r *Relay) Resend(ctx context.Context) (int64, error) { return r.journal.Resend(ctx) }
