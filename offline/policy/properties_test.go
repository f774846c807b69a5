package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// TestProperties puts random policies, batches and pasts to the properties
// that every policy has. KMS_CASES says how many, KMS_SEED from where.
func TestProperties(t *testing.T) {
	cases, seed := number(t, "KMS_CASES", 2000), number(t, "KMS_SEED", 1)
	var failed, admitted, refused, next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := next.Add(1); n <= cases && failed.Load() < 5; n = next.Add(1) {
				w := &world{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(n)))}
				if why := w.run(); why != "" {
					failed.Add(1)
					t.Errorf("case %d of seed %d: %s", n, seed, why)
				}
				admitted.Add(w.admitted)
				refused.Add(w.refused)
			}
		})
	}
	workers.Wait()
	t.Logf("seed %d: %d items admitted, %d refused", seed, admitted.Load(), refused.Load())
	if admitted.Load() < cases/2 || refused.Load() < cases/2 {
		t.Error("the cases are one-sided: they prove little")
	}
	fmt.Printf("policy: %d cases, %d counter-examples (seed %d)\n", cases, failed.Load(), seed)
}

func number(t *testing.T, name string, otherwise int64) int64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q", name, text)
	}
	return n
}

// world is one random case.
type world struct {
	*rand.Rand
	history           book
	machine           int64 // the clock of the machine, which anybody can turn
	next              int   // pending id, content, outpoint
	admitted, refused int64
}

// book is a ledger as simple as can be: what was signed, when.
type book struct {
	clock   int64
	entries []signedEntry
}

type signedEntry struct {
	Subject
	clock     int64
	batch     int
	operators int
}

func (w *world) pick(n int) bool { return w.IntN(n) == 0 }

func one64(v int64) *int64 { return &v }

// memory returns the history as the ledger does: each content once, by the
// ledger's clock.
func (w *world) memory() *memory {
	m := &memory{signed: map[string][32]byte{}, spent: map[string][32]byte{}, now: max(w.history.clock, w.machine)}
	counted := map[[32]byte]bool{}
	for _, e := range w.history.entries {
		m.signed[e.ID] = e.Content
		for _, op := range e.Facts.Exclusive {
			m.spent[op] = e.Content
		}
		if counted[e.Content] {
			continue
		}
		counted[e.Content] = true
		for _, out := range e.Facts.Movements {
			if !out.IsChange() {
				m.paid = append(m.paid, Payment{Clock: e.clock, Coin: e.Facts.Coin, To: e.to(out).to, Value: out.Paid(), Content: e.Content})
			}
		}
		m.paid = append(m.paid, Payment{Clock: e.clock, Coin: e.Facts.Coin, Value: e.Facts.Fee, Fee: true, Content: e.Content})
	}
	return m
}

// run judges a few batches in a row, signs what is admitted, and checks.
func (w *world) run() string {
	w.machine = noon
	f := w.file()
	p, err := w.policyOf(f)
	if err != nil {
		return "a random file is no policy: " + err.Error()
	}
	shuffled, err := made(w.shuffled(f))
	if err != nil {
		return "shuffled rules are no policy: " + err.Error()
	}
	if !bytes.Equal(p.Hash(), shuffled.Hash()) {
		return "the order of rules changes the hash"
	}
	flipped, why := w.flipped(p)
	if why != "" {
		return why
	}
	for batch := range 1 + w.IntN(4) {
		w.turnClock()
		subjects := w.subjects(batch)
		of := Circumstances{Created: w.machine - w.Int64N(100)*hour, Offline: !w.pick(4)}
		consent := w.consent()
		m := w.memory()
		verdicts := p.Judge(subjects, of, m)
		for _, check := range []func() string{
			func() string { return w.defaultDeny(subjects, verdicts, of, m) },
			func() string { return w.orderIsIrrelevant(shuffled, subjects, of, m, verdicts) },
			func() string { return w.tighteningNeverAdmits(f, subjects, of, m, verdicts, consent) },
			func() string { return w.errorsDeny(p, flipped, subjects, of, m) },
			func() string { return w.againIsFree(subjects, verdicts, m) },
			func() string { return w.refusedCallNoOperators(p, subjects, of, m, verdicts) },
		} {
			if why := check(); why != "" {
				return why
			}
		}
		w.sign(subjects, verdicts, consent, batch)
	}
	return w.limitsHold(p)
}

// policyOf writes the file down and reads it, now and then; it takes long.
func (w *world) policyOf(f file) (Policy, error) {
	if !w.pick(4) {
		return made(clone(f))
	}
	text, err := json.Marshal(f)
	if err != nil {
		return Policy{}, err
	}
	return Parse(utxoCoins{}, text)
}

// made makes a policy of a file without writing it down.
func made(f file) (Policy, error) {
	f.fill(utxoCoins{})
	if err := f.normalise(utxoCoins{}); err != nil {
		return Policy{}, err
	}
	return compile(utxoCoins{}, f)
}

// flipped is what one flipped bit makes of a policy; nil: it still loads, as
// another one, or this case does without.
func (w *world) flipped(p Policy) (*Policy, string) {
	if !w.pick(4) {
		return nil, ""
	}
	bad, err := p.Canonical()
	if err != nil {
		return nil, err.Error()
	}
	bad[w.IntN(len(bad))] ^= 1 << w.IntN(8)
	other, err := Load(utxoCoins{}, bad)
	switch {
	case err != nil:
		return &other, ""
	case bytes.Equal(other.Hash(), p.Hash()):
		return nil, "a flipped bit is not found"
	}
	return nil, ""
}

// turnClock: time passes, or somebody turns the machine's clock, back or ahead.
func (w *world) turnClock() {
	switch w.IntN(4) {
	case 0:
		w.machine += w.Int64N(3 * day)
	case 1:
		w.machine -= w.Int64N(60 * 365 * day)
	case 2:
		w.machine += w.Int64N(hour)
	}
}

var batchDigest = [32]byte{42}

func (w *world) consent() Consent {
	operators := make([]identity.Public, w.IntN(4))
	for i := range operators {
		operators[i][0] = byte(1 + w.IntN(3))
	}
	return Agree(batchDigest, operators...)
}

func (w *world) sign(subjects []Subject, verdicts []Verdict, consent Consent, batch int) {
	now := max(w.history.clock, w.machine)
	for i, v := range verdicts {
		if _, err := v.Approve(batchDigest, consent); err != nil {
			w.refused++
			continue
		}
		w.admitted++
		w.history.clock = now
		w.history.entries = append(w.history.entries, signedEntry{Subject: subjects[i], clock: now, batch: batch, operators: consent.operators})
	}
}

// defaultDeny: nothing is admitted without a policy, a judgement, a consent,
// or for a coin that the policy does not name.
func (w *world) defaultDeny(subjects []Subject, verdicts []Verdict, of Circumstances, m *memory) string {
	for i, v := range (Policy{}).Judge(subjects, of, m) {
		if !v.Refused() {
			return "the zero policy admits"
		}
		for name, c := range map[string]Consent{"no consent": {}, "a consent to another batch": Agree([32]byte{1})} {
			if a, err := verdicts[i].Approve(batchDigest, c); err == nil || a.Covers(subjects[i].Content) {
				return name + " admits"
			}
		}
	}
	if a, err := (Verdict{}).Approve(batchDigest, Agree(batchDigest)); err == nil || a.valid {
		return "the zero verdict admits"
	}
	if len(verdicts) != len(subjects) {
		return "not every item has its verdict"
	}
	return ""
}

// orderIsIrrelevant: neither that of the rules nor that of the items changes
// a verdict, nor the order of the rules the hash.
func (w *world) orderIsIrrelevant(shuffled Policy, subjects []Subject, of Circumstances, m *memory, verdicts []Verdict) string {
	order := w.Perm(len(subjects))
	others := make([]Subject, len(subjects))
	for to, from := range order {
		others[to] = subjects[from]
	}
	for to, v := range shuffled.Judge(others, of, m) {
		was := verdicts[order[to]]
		n, _ := v.Quorum()
		before, _ := was.Quorum()
		if v.Refused() != was.Refused() || n != before || !slices.Equal(v.Codes(), was.Codes()) {
			return fmt.Sprintf("order changes a verdict from %v to %v", was.Codes(), v.Codes())
		}
	}
	return ""
}

// shuffled is the same file, its lists in another order.
func (w *world) shuffled(f file) file {
	f = clone(f)
	w.Shuffle(len(f.Chains), func(i, j int) { f.Chains[i], f.Chains[j] = f.Chains[j], f.Chains[i] })
	w.Shuffle(len(f.Allow), func(i, j int) { f.Allow[i], f.Allow[j] = f.Allow[j], f.Allow[i] })
	w.Shuffle(len(f.Deny), func(i, j int) { f.Deny[i], f.Deny[j] = f.Deny[j], f.Deny[i] })
	for i := range f.Chains {
		c := &f.Chains[i]
		w.Shuffle(len(c.Limits), func(i, j int) { c.Limits[i], c.Limits[j] = c.Limits[j], c.Limits[i] })
		w.Shuffle(len(c.Quorum), func(i, j int) { c.Quorum[i], c.Quorum[j] = c.Quorum[j], c.Quorum[i] })
	}
	if a := f.Approvers; a != nil {
		w.Shuffle(len(a.Keys), func(i, j int) { a.Keys[i], a.Keys[j] = a.Keys[j], a.Keys[i] })
	}
	return f
}

// clone copies what tightening and shuffling change.
func clone(f file) file {
	f.Chains, f.Allow, f.Deny = slices.Clone(f.Chains), slices.Clone(f.Allow), slices.Clone(f.Deny)
	for i := range f.Chains {
		c := &f.Chains[i]
		c.Limits, c.DestinationLimits, c.Quorum = slices.Clone(c.Limits), slices.Clone(c.DestinationLimits), slices.Clone(c.Quorum)
	}
	if f.Approvers != nil {
		f.Approvers = &approvers{f.Approvers.Needed, slices.Clone(f.Approvers.Keys)}
	}
	return f
}

// refusedCallNoOperators: what is refused asks for no operator, and the others
// need those that they need where the refused ones are not in the batch.
func (w *world) refusedCallNoOperators(p Policy, subjects []Subject, of Circumstances, m *memory, verdicts []Verdict) string {
	var left []Subject
	var was []Verdict
	for i, v := range verdicts {
		if !v.Refused() {
			left, was = append(left, subjects[i]), append(was, v)
		} else if n, _ := v.Quorum(); n != 0 {
			return "what is refused asks for operators"
		}
	}
	for i, v := range p.Judge(left, of, m) {
		n, _ := v.Quorum()
		if before, why := was[i].Quorum(); n != before {
			return fmt.Sprintf("%d operators with what is refused, %d without it: %s", before, n, why)
		}
	}
	return ""
}

// tighteningNeverAdmits: whatever is made stricter, nothing that was refused
// is admitted. Fewer operators approve where less can be signed.
func (w *world) tighteningNeverAdmits(f file, subjects []Subject, of Circumstances, m *memory, verdicts []Verdict, consent Consent) string {
	g, what := clone(f), ""
	for range 1 + w.IntN(3) {
		what += w.tighten(&g) + "; "
	}
	p, err := made(g)
	if err != nil {
		return "tightened rules are no policy: " + what + err.Error()
	}
	stricter := p.Judge(subjects, of, m)
	less := false
	for i, v := range stricter {
		less = less || v.Refused() && !verdicts[i].Refused()
	}
	for i, v := range stricter {
		_, before := verdicts[i].Approve(batchDigest, consent)
		_, after := v.Approve(batchDigest, consent)
		if before != nil && after == nil && !(less && chain.CodeOf(before) == chain.QuorumMissing) {
			return fmt.Sprintf("tightening (%s) admits what was refused: %v", what, before)
		}
	}
	return ""
}

// errorsDeny: a file that was changed, a mode that is none, a panic's zero
// values: whatever is not understood admits nothing.
func (w *world) errorsDeny(p Policy, flipped *Policy, subjects []Subject, of Circumstances, m *memory) string {
	if flipped != nil {
		for _, v := range flipped.Judge(subjects, of, m) {
			if !v.Refused() {
				return "a policy that does not load admits"
			}
		}
	}
	q := p
	q.file.NewDestination, q.file.Replaceable = "nonsense", "nonsense"
	for i, v := range q.Judge(subjects, of, m) {
		if !v.Refused() && (isReplaceable(subjects[i]) || slices.Contains(v.Codes(), chain.FlagNew)) {
			return "a mode that is none admits"
		}
	}
	return ""
}

// againIsFree: what was signed under the same id is never refused by a limit.
func (w *world) againIsFree(subjects []Subject, verdicts []Verdict, m *memory) string {
	for i, v := range verdicts {
		if before, ok := m.Signed(subjects[i].ID); !ok || before != subjects[i].Content {
			continue
		}
		for _, r := range v.Refusals {
			switch r.Code {
			case chain.LimitTx, chain.LimitBatch, chain.LimitDay, chain.LimitWeek, chain.LimitDestination, chain.ContentChanged, chain.RequestTooOld, chain.ApprovalMissing:
				return fmt.Sprintf("signed before, refused now: %s", r.Text())
			}
		}
		if n, _ := v.Quorum(); n != 0 {
			return "signed before, and operators are asked again"
		}
	}
	return ""
}

// limitsHold looks at what was signed in all, and adds it up in its own way:
// however it was split into items and batches, and whatever the machine's
// clock said, no window of the ledger's clock has more than its limit.
func (w *world) limitsHold(p Policy) string {
	var payments []paidEntry
	counted := map[[32]byte]bool{}
	for at, e := range w.history.entries {
		if counted[e.Content] {
			continue
		}
		counted[e.Content] = true
		for _, out := range e.Facts.Movements {
			if !out.Paid().IsZero() {
				payments = append(payments, paidEntry{at, e, e.to(out), out.Paid()})
			}
		}
		if !e.Facts.Fee.IsZero() {
			payments = append(payments, paidEntry{at, e, destination{Coin: e.coin()}, e.Facts.Fee})
		}
	}
	for _, last := range payments {
		rules := p.coins[last.Coin]
		for _, l := range rules.Limits {
			if sum, n := addUp(payments, last, l.Per, false); exceeds(l, sum, n) {
				return fmt.Sprintf("%v paid %s in %d payments per %s, the limit is %s", last.Coin, sum, n, l.Per, l.words(p.assetOf(last.Coin)))
			}
		}
		for _, l := range rules.DestinationLimits {
			if sum, n := addUp(payments, last, l.Per, true); last.to != "" && exceeds(l, sum, n) {
				return fmt.Sprintf("%v was paid %s in %d payments per %s, the limit is %s", last.to, sum, n, l.Per, l.words(p.assetOf(last.Coin)))
			}
		}
		for _, q := range rules.Quorum {
			if sum, _ := addUp(payments, last, q.Per, false); sum.Cmp(q.Above) > 0 && last.operators < q.Operators {
				return fmt.Sprintf("%d operators let %s pass per %s, %d are needed above %d", last.operators, sum, q.Per, q.Operators, q.Above)
			}
		}
	}
	return ""
}

type paidEntry struct {
	at int
	signedEntry
	destination
	value chain.Amount
}

// addUp sums what a window that ends with the batch of last holds.
func addUp(payments []paidEntry, last paidEntry, w window, sameTo bool) (sum chain.Amount, n int64) {
	for _, p := range payments {
		in := p.Coin == last.Coin && (!sameTo || p.destination == last.destination)
		switch w {
		case perTransaction:
			in = in && p.Content == last.Content
		case perBatch:
			in = in && p.batch == last.batch
		case perDay:
			in = in && p.clock <= last.clock && p.clock > last.clock-24*3600
		case perWeek:
			in = in && p.clock <= last.clock && p.clock > last.clock-7*24*3600
		}
		in = in && p.batch <= last.batch
		if in {
			if p.to != "" { // a fee is no payment
				n++
			}
			total := new(big.Int).Add(sum.Big(), p.value.Big())
			var err error
			if sum, err = chain.AmountFromBig(total); err != nil {
				return chain.MaxAmount(), n
			}
		}
	}
	return sum, n
}

// isReplaceable reports whether the family says that the item can be replaced.
func isReplaceable(s Subject) bool {
	return slices.ContainsFunc(s.Facts.Findings, func(r Reason) bool { return r.Code == chain.FlagReplaceable })
}

func exceeds(l limit, sum chain.Amount, n int64) bool {
	return (l.Sum != nil && sum.Cmp(*l.Sum) > 0) || (l.Count != nil && n > *l.Count)
}
