package online

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// share is how many items a relay claims at a time: few enough that others
// get some of them.
const share = 64

// job is what is done with items that are chosen.
type job struct {
	filter  journal.Filter
	due     bool          // only with items whose time has come to be tried again
	purpose tatum.Purpose // of the calls to Tatum
	do      func(*step, context.Context) error
	atOnce  int // 0: workers
	lends   int // places more, for as many items whose calls hang
}

// work does a job, first with the items that were not tried in vain before: a
// few that fail again and again hold up no other. It returns the steps of all
// items, as far as they came.
func (r *Relay) work(ctx context.Context, j job) ([]step, error) {
	if j.due && len(j.filter.IDs) == 0 {
		j.filter.Due = r.Now()
	}
	total, err := r.journal.Count(ctx, j.filter)
	if err != nil || total == 0 { // then nothing is written: a relay with nothing to do leaves the disk alone
		return nil, err
	}
	w := work{Relay: r, job: j, total: total, seen: make(map[string]bool)}
	w.filter.Fresh = true
	err = w.run(ctx)
	if ctx.Err() != nil {
		return w.steps, err
	}
	w.filter.Fresh = false
	again := w.run(ctx)
	w.withHeld(ctx)
	if err != nil && again != nil && err.Error() == again.Error() {
		return w.steps, err
	}
	return w.steps, errors.Join(err, again)
}

// work is a job that is being done.
type work struct {
	*Relay
	job
	total int
	seen  map[string]bool
	steps []step
}

// run claims what the filter chooses, a share at a time, and does the job with
// each item that is its own then.
func (w *work) run(ctx context.Context) error {
	lines := &lines{}
	many := len(w.Accounts) > 0
	f := w.filter
	f.Max = share
	for {
		lease, items, err := w.claim(ctx, f)
		if err != nil || len(items) == 0 {
			return errors.Join(err, lines.troubles(many))
		}
		f.After = items[len(items)-1].After()
		err = w.share(ctx, lease, items, lines)
		if err := errors.Join(err, w.release(ctx, lease)); err != nil {
			return err
		}
		if !many && lines.dead() { // then nothing is done with what is left, either
			return lines.troubles(many)
		}
	}
}

// withHeld adds, as problems, the items that others hold.
func (w *work) withHeld(ctx context.Context) {
	if len(w.steps) >= w.total {
		return
	}
	problems, err := w.held(ctx, w.filter)
	if err != nil {
		return // the next run says so
	}
	for _, p := range problems {
		w.steps = append(w.steps, step{Relay: w.Relay, item: journal.Item{ID: p.ID}, problem: &p})
	}
}

// share does the job with claimed items.
func (w *work) share(ctx context.Context, lease journal.Lease, items []journal.Item, lines *lines) error {
	defer w.keep(ctx, lease)()
	fresh := items[:0]
	for _, it := range items {
		if !w.seen[it.ID] {
			w.seen[it.ID] = true
			fresh = append(fresh, it)
		}
	}
	alarmed, err := w.lasting(ctx, fresh)
	if err != nil {
		return err
	}
	stand := sync.OnceValues(func() (standing, error) { return w.standingOf(ctx, fresh) })
	steps := make([]step, len(fresh))
	atOnce := w.atOnce
	if atOnce == 0 {
		atOnce = workers
	}
	err = w.partOf(len(w.steps), w.total).eachOf(ctx, len(fresh), atOnce, w.lends, func(ctx context.Context, i int) error {
		s := &steps[i]
		*s = step{Relay: w.Relay, item: fresh[i], line: lines.of(fresh[i].Account, fresh[i].Chain), lease: lease,
			alarmed: alarmed[fresh[i].ID], standing: stand}
		mine, err := w.As(s.item.Account)
		if err != nil {
			return s.stays(ctx, CodeOtherKey, err)
		}
		s.Relay = mine.calling(purposeOf(w.purpose, s.item))
		return s.alone(ctx, w.do)
	})
	w.steps = append(w.steps, steps...)
	return err
}

// stubborn is after how many tries in vain an item uses no more of what is
// reserved of a budget for what is signed.
const stubborn = 3

func purposeOf(p tatum.Purpose, it journal.Item) tatum.Purpose {
	if p == tatum.Settle && it.Tries >= stubborn {
		return tatum.Retry
	}
	return p
}

// calling returns the relay as it calls Tatum for a purpose.
func (r *Relay) calling(p tatum.Purpose) *Relay {
	if r.Tatum == nil {
		return r
	}
	mine := *r
	mine.Tatum = r.Tatum.For(p)
	return &mine
}

// keep renews a lease again and again, until the function that it returns is
// called: however long the items take, they are this relay's.
func (r *Relay) keep(ctx context.Context, l journal.Lease) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tatum.Sleep(ctx, r.lease/3) == nil {
			_ = r.journal.Extend(ctx, l) // a lease that ran out shows where it is used
		}
	}()
	return func() { cancel(); <-done }
}

// partOf is the relay with the progress of a part of something longer.
func (r *Relay) partOf(before, total int) *Relay {
	part := *r
	if r.Progress != nil {
		part.Progress = func(done, n int) { r.Progress(before+done, max(total, before+n)) }
	}
	return &part
}

// step takes one item as far as it goes. Its methods return an error only
// where nothing else will work either; otherwise problem says why it stays.
type step struct {
	*Relay
	item      journal.Item
	lease     journal.Lease
	line      *breaker
	sent      bool
	completed bool         // marked at Tatum
	ended     bool         // completed here, though not as Tatum has it
	healed    bool         // it goes on though it was failed
	marked    bool         // Tatum's reply to the broadcast says that it marked it
	deep      bool         // for watch: it has as many confirmations as are demanded
	alarmed   []chain.Code // alarms about it whose cause was there when the job began, acknowledged or not
	standing  func() (standing, error)
	problem   *Problem
	done      string // what was done outside, in a sentence, for an error of the journal
}

// idsOf returns the pending ids of items.
func idsOf(items []journal.Item) []string {
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return ids
}

// family returns the family of the item's chain.
func (s *step) family() (prepare.Family, error) {
	if f := s.families.Of(s.item.Chain); f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("%w: %.20q", ErrNotBuilt, s.item.Chain)
}

// alone confines a chain that fails, or an API key, to its own items: nothing more
// is done about that, and its trouble is reported at the end.
func (s *step) alone(ctx context.Context, do func(*step, context.Context) error) error {
	if s.line.down() != nil {
		return nil
	}
	err := s.held(ctx, do)
	if ctx.Err() != nil || !(tatum.IsAuth(err) || tatum.IsTransient(err)) {
		return err
	}
	s.line.fails(err)
	return nil
}

// errSlow is why an item is left for later.
var errSlow = errors.New("it took too long in one go")

// held does something with the item while it is this relay's, and ends it
// where the lease ends. What came too late is another relay's to go on with.
func (s *step) held(ctx context.Context, do func(*step, context.Context) error) error {
	err := s.renewed(ctx)
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, s.lease.Left(s.Now()))
		defer cancel()
		err = unnoted(s.item.ID, s.done, do(s, bounded))
		late := err != nil && bounded.Err() != nil && ctx.Err() == nil
		switch {
		case late && errors.Is(err, journal.ErrAway):
			err = journal.ErrLeased // the lease ran out while the database was away
		case late && errors.Is(err, context.DeadlineExceeded):
			err = s.stays(ctx, CodeNetwork, fmt.Errorf("%w: %w", errSlow, err))
		}
	}
	if elsewhere(err) {
		s.problem = &Problem{ID: s.item.ID, Code: CodeOtherRelay, Reason: "another relay went on with it meanwhile"}
		return nil
	}
	return err
}

// renewed makes a lease that has waited for its turn good for a whole one.
func (s *step) renewed(ctx context.Context) (err error) {
	if s.lease.Left(s.Now()) < s.Relay.lease*3/4 {
		s.lease, err = s.journal.Renew(ctx, s.lease, s.item.ID)
	}
	return err
}

// delay is how long an item is left alone after one more try in vain: twice as
// long each time. What time alone may mend is tried again sooner than what
// somebody has to mend.
func delay(code chain.Code, tries int) time.Duration {
	first, most := time.Minute, journal.MaxDelay
	switch code {
	case CodeNetwork, CodeUnseen, CodeNotMarked, CodeUnknown, CodeNoAnswer, CodeOtherKey:
		first, most = 10*time.Second, 10*time.Minute
	}
	return min(first<<min(tries, 20), most)
}
