package policy

import "coldkms/shared/chain"

func lookAlikeRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "lookAlike", mode: &f.LookAlike, usual: modeFlag,
				about: "An address that begins and ends like a known one and is another"}}
		},
		judge: (*judgement).lookAlikes,
		fresh: true,
	}
}

func (j *judgement) lookAlikes() {
	j.strange(func(at chain.At, out chain.Movement, to destination) {
		of := j.past.of[j.subject.asset(out)]
		other, ok := of.looks.best(to.to)
		_, listed := j.policy.allow[to]
		if !ok || listed || j.established(to, out) {
			return
		}
		j.rate(j.policy.file.LookAlike, of.looks.severity(other, len(of.dests)), chain.Because(chain.FlagLookAlike,
			"output %d pays %s, which begins and ends like %s%s and is another: %d characters are the same",
			at.Index, to.to, other.other, quoted(j.policy.allow[destination{to.Coin, other.other}]), other.letters).Of(at))
	})
}

// established reports whether a destination was paid comparable amounts more than
// once. That another address looks like it is then not worth a look.
func (j *judgement) established(to destination, out chain.Movement) bool {
	all := j.past.payees[j.subject.asset(out)]
	if all == nil {
		return false
	}
	name, _ := j.policy.payee(to)
	p := all.by[name]
	return p != nil && len(p.paid) >= 2 && p.now.sum.Log2()-p.usual().Log2() <= all.limits[classOf(p.levels())]
}
