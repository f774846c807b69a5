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
	b := batch{policy: p, circumstances: c, history: h, unusual: p.file.unusual(), asked: rules(),
		again: make([]bool, len(subjects))}
	for i := range subjects {
		b.again[i] = again(&subjects[i], h)
	}
	b.past = look(p, subjects, b.again, c.Batch, h)
	verdicts := make([]Verdict, len(subjects))
	for i := range subjects {
		verdicts[i] = b.judge(&subjects[i], b.again[i])
	}
	b.operators(subjects, verdicts)
	return verdicts
}

// batch is what the items of one Judge have in common.
type batch struct {
	policy        Policy
	circumstances Circumstances
	history       History
	unusual       unusualRules
	asked         []rule
	again         []bool // signed before: the same bytes again
	past          past
	room          [2][]Reason // for refusals and findings while they are collected
}

func (b *batch) judge(s *Subject, again bool) Verdict {
	j := judgement{batch: b, subject: s, again: again, counts: make(map[chain.Code]int)}
	j.refusals, j.findings = b.room[0][:0], b.room[1][:0]
	j.rules, j.known = b.policy.coins[s.coin()]
	for _, r := range b.asked {
		if r.judge != nil && !(r.fresh && again) { // what is signed already was judged then, and pays nothing anew
			r.judge(&j)
		}
	}
	j.more()
	b.room = [2][]Reason{j.refusals, j.findings}
	return Verdict{judged: true, content: s.Content, Refusals: copied(j.refusals), Findings: copied(j.findings)}
}

// copied returns a list that takes no more room than it needs, nil if it is empty.
func copied(list []Reason) []Reason {
	if len(list) == 0 {
		return nil
	}
	return append(make([]Reason, 0, len(list)), list...)
}

// judgement is of one item.
type judgement struct {
	*batch
	subject  *Subject
	again    bool
	rules    coinRules
	known    bool // there are rules for its coin
	refusals []Reason
	findings []Reason
	counts   map[chain.Code]int
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

func quoted(label string) string {
	if label == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", label)
}
