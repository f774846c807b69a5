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
		_, listed := j.policy.allow[to]
		other, ok := j.past.of[j.subject.asset(out)].resembles(to.to)
		if ok && !listed {
			j.act(j.policy.file.LookAlike, chain.Because(chain.FlagLookAlike,
				"output %d pays %s, which begins and ends like %s%s and is another",
				at.Index, to.to, other, quoted(j.policy.allow[destination{to.Coin, other}])).Of(at))
		}
	})
}
