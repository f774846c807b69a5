package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

func ageRule() rule {
	return rule{
		parse: func(f *file, _ Coins) error {
			if age := f.MaxRequestAge; age != nil && (*age < 1 || *age > maxAgeHours) {
				return fmt.Errorf("maxRequestAgeHours of %d: 1 to %d, or leave it out", *age, maxAgeHours)
			}
			return nil
		},
		judge: (*judgement).age,
		fresh: true,
		words: func(p Policy) []string {
			if p.file.MaxRequestAge == nil {
				return nil
			}
			return []string{fmt.Sprintf("A request whose time is more than %d hours from this signer's clock is refused.",
				*p.file.MaxRequestAge)}
		},
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
		j.refuse(chain.RequestTooOld, "nothing says when it was asked for, and policy takes nothing older than %d hours",
			limit)
	case made < now-limit*hour:
		j.refuse(chain.RequestTooOld, "was asked for on %s, policy takes nothing older than %d hours", clock(made), limit)
	case made > now+limit*hour:
		j.refuse(chain.RequestTooOld, "was asked for on %s, "+
			"policy takes nothing more than %d hours ahead of the ledger's clock", clock(made), limit)
	}
}
