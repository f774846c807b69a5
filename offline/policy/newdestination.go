package policy

import "coldkms/shared/chain"

func newDestinationRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "newDestination", mode: &f.NewDestination, usual: modeFlag,
				about: "A destination that was never paid and is on no list"}}
		},
		judge: (*judgement).newDestinations,
		fresh: true,
		warn: func(p Policy) []string {
			if f := p.file; f.NewDestination == modeRefuse && f.Unlisted != modeRefuse && len(f.Allow) == 0 {
				return []string{"new destinations are refused and none is listed: " +
					"only what was paid before this policy can be paid"}
			}
			return nil
		},
	}
}

// strange goes through the payments of an item to others: of own transfers there
// is more to say.
func (j *judgement) strange(each func(at chain.At, out chain.Movement, to destination)) {
	for i, out := range j.subject.Facts.Movements {
		if out.Pays() && out.Own == nil {
			each(chain.At{Part: chain.OfMovement, Index: i}, out, j.subject.to(out))
		}
	}
}

func (j *judgement) newDestinations() {
	j.strange(func(at chain.At, out chain.Movement, to destination) {
		_, listed := j.policy.allow[to]
		if !listed && !j.past.of[j.subject.asset(out)].dests[to.to].known {
			j.act(j.policy.file.NewDestination, chain.Because(chain.FlagNew, "output %d pays %s, which was never paid before",
				at.Index, to.to).Of(at))
		}
	})
}
