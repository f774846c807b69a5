package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// Judge applies the rules to the items of one batch, and returns a verdict for
// each. All items count towards the limits, also those that are refused: so
// no rule that refuses one item ever admits another. Operators approve what can
// be signed: towards a quorum only items count that are not refused.
func (p Policy) Judge(subjects []Subject, c Circumstances, h History) []Verdict {
	b := batch{policy: p, circumstances: c, history: h, again: make([]bool, len(subjects))}
	for i, s := range subjects {
		b.again[i] = again(s, h)
	}
	b.past = look(p, subjects, b.again, c.Batch, h)
	verdicts := make([]Verdict, len(subjects))
	for i, s := range subjects {
		verdicts[i] = b.judge(s, b.again[i])
	}
	b.operators(subjects, verdicts)
	return verdicts
}

// batch is what the items of one Judge have in common.
type batch struct {
	policy        Policy
	circumstances Circumstances
	history       History
	again         []bool // signed before: the same bytes again
	past          past
}

func (b *batch) judge(s Subject, again bool) Verdict {
	j := judgement{batch: b, subject: s, again: again, counts: make(map[chain.Code]int), found: byPart(s.Facts.Findings)}
	var known bool
	if j.rules, known = b.policy.coins[s.coin()]; !known {
		j.refuse(chain.ChainNotAllowed, "policy does not sign for %s", s.coin())
	}
	j.sources()
	j.movements()
	if known {
		j.fee()
	}
	j.memory()
	j.timing()
	j.lists()
	j.tokens()
	j.shared()
	j.surroundings()
	if !again { // what is signed already was judged then, and pays nothing anew
		j.age()
		j.requestTime()
		j.approvals()
		j.novelty()
		j.limits()
	}
	j.more()
	return Verdict{judged: true, content: s.Content, Refusals: j.refusals, Findings: j.findings}
}

// judgement is of one item.
type judgement struct {
	*batch
	subject  Subject
	again    bool
	rules    coinRules
	refusals []Reason
	findings []Reason
	counts   map[chain.Code]int
	found    map[chain.At][]chain.Reason // by the family
}

// maxReasons bounds how often one code is explained: a transaction has up to
// a million outputs.
const maxReasons = 20

func (j *judgement) refuse(code chain.Code, format string, args ...any) {
	j.act(modeRefuse, chain.Because(code, format, args...))
}

func (j *judgement) find(code chain.Code, format string, args ...any) {
	j.act(modeFlag, chain.Because(code, format, args...))
}

// do does what the policy says about something.
func (j *judgement) do(m mode, code chain.Code, format string, args ...any) {
	j.act(m, chain.Because(code, format, args...))
}

// act lets a reason pass, flags the item for it, or refuses the item.
func (j *judgement) act(m mode, r Reason) {
	if m == modeAllow {
		return
	}
	if j.counts[r.Code]++; j.counts[r.Code] > maxReasons {
		return
	}
	if m == modeFlag {
		j.findings = append(j.findings, r)
	} else {
		j.refusals = append(j.refusals, r)
	}
}

// more says how many reasons were left out, beside the last that was not.
func (j *judgement) more() {
	for _, list := range [][]Reason{j.refusals, j.findings} {
		last := make(map[chain.Code]int)
		for i, r := range list {
			last[r.Code] = i
		}
		for code, i := range last {
			if n := j.counts[code] - maxReasons; n > 0 {
				list[i].Also = append(list[i].Also, chain.Because(code, "and %d more like this", n))
			}
		}
	}
}

// timing judges when the transaction is valid, and whatever else the family found
// about all of it.
func (j *judgement) timing() { j.family(chain.At{}) }

// lists compares destinations with the policy's own.
func (j *judgement) lists() {
	for i, out := range j.subject.Facts.Movements {
		if out.IsChange() {
			continue
		}
		at, to := chain.At{Part: chain.OfMovement, Index: i}, j.subject.to(out)
		if e, denied := j.policy.deny.find(to, out.Lock); denied {
			j.act(modeRefuse, chain.Because(chain.Denied, "output %d pays %s, %s", i, to.to, e.words(to)).Of(at))
		}
		if out.Own != nil && j.policy.file.OwnTransfers != nil {
			continue // a policy that has a rule of its own about these
		}
		if _, listed := j.policy.allow[to]; !listed && (out.Pays() || !out.Amount.IsZero()) {
			j.act(j.policy.file.Unlisted, chain.Because(chain.NotAllowed, "output %d pays %s, which is not on the list of allowed destinations", i, to.to).Of(at))
		}
	}
}

func quoted(label string) string {
	if label == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", label)
}

func (j *judgement) surroundings() {
	if j.policy.file.RequireOffline && !j.circumstances.Offline {
		j.refuse(chain.NotOffline, "policy signs only where no network interface is up, which is not so, or cannot be told")
	}
}

const hour = 3600

// The times that a request may state: this program is not older, and nobody
// means what is further ahead.
const (
	earliest = 1_577_836_800 // 2020-01-01
	latest   = 4_733_510_400 // 2120-01-01
)

// InRange reports whether a time, in Unix seconds, is one that may be meant.
func InRange(unix int64) bool { return earliest <= unix && unix < latest }

// requestTime refuses a request with a time that cannot be, and points at one
// that is dated ahead: one of the two clocks is wrong.
func (j *judgement) requestTime() {
	made, now := j.circumstances.Created, j.history.Now()
	switch {
	case made == 0: // nobody says, as of a PSBT
	case !InRange(made):
		j.refuse(chain.RequestTime, "the request says that it was made at %d (Unix seconds), which is before 2020 or after 2119: set the relay's clock, and export again", made)
	case made > now+day:
		j.find(chain.RequestTime, "the request says that it was made %d hours ahead of this machine's clock: one of the two clocks is wrong", (made-now)/hour)
	}
}

// age bounds how far the request's time is from the ledger's clock, either
// way: one that is dated ahead would never grow old.
func (j *judgement) age() {
	if j.policy.file.MaxRequestAge == nil {
		return
	}
	limit := *j.policy.file.MaxRequestAge
	made, now := j.circumstances.Created, j.history.Now()
	switch {
	case made <= 0:
		j.refuse(chain.RequestTooOld, "nothing says when it was asked for, and policy takes nothing older than %d hours", limit)
	case made < now-limit*hour:
		j.refuse(chain.RequestTooOld, "was asked for %d hours ago, policy takes nothing older than %d hours", (now-made)/hour, limit)
	case made > now+limit*hour:
		j.refuse(chain.RequestTooOld, "was asked for %d hours ahead of this machine's clock, policy takes %d hours either way", (made-now)/hour, limit)
	}
}

// approvals counts the approvers who vouch for the content.
func (j *judgement) approvals() {
	a := j.policy.file.Approvers
	if a == nil {
		return
	}
	vouched := make(map[publicKey]bool)
	for _, key := range j.subject.Vouched {
		vouched[publicKey(key)] = true
	}
	n := 0
	for _, k := range a.Keys {
		if vouched[k.Key] {
			n++
		}
	}
	if n < a.Needed {
		j.refuse(chain.ApprovalMissing, "%d of the approvers vouch for it, policy needs %d of %d", n, a.Needed, len(a.Keys))
	}
}
