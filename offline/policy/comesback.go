package policy

import (
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// earlierBatch is a batch with which items of this one were asked for before and
// not signed, in one coin.
type earlierBatch struct {
	chain.Coin
	digest bundle.Digest
}

// comesBack sums for each such batch what is asked of it now and not refused,
// and what was signed of it before, in whatever batch: items that were taken out
// of a batch and are asked for in another one need the operators of all of it.
func (b *batch) comesBack(subjects []Subject, verdicts []Verdict) map[earlierBatch]*tally {
	sums := make(map[earlierBatch]*tally)
	for i := range subjects {
		s := &subjects[i]
		if b.again[i] || verdicts[i].Refused() || len(s.Origins) == 0 {
			continue
		}
		j := judgement{batch: b, subject: s}
		own := j.paysInAll()
		for _, digest := range b.origins(s) {
			at := earlierBatch{s.coin(), digest}
			if sums[at] == nil {
				sums[at] = new(tally)
			}
			sums[at].join(own)
		}
	}
	if len(sums) == 0 {
		return sums
	}
	for p := range b.history.Payments(0) {
		if p.Token != "" || b.past.anew[p.Content] {
			continue
		}
		for i, digest := range append([]bundle.Digest{p.Batch}, p.Origins...) {
			switch t := sums[earlierBatch{p.Coin, digest}]; {
			case t == nil || p.Value.IsZero():
			case i > 0 && digest == p.Batch: // it waited for operators there, and counts once
			case p.Fee:
				t.fee(p.Value)
			default:
				t.add(p.Value)
			}
		}
	}
	return sums
}

// origins lists the batches, other than this one, with which an item was asked
// for before and not signed.
func (b *batch) origins(s *Subject) (list []bundle.Digest) {
	for _, digest := range s.Origins {
		if digest != b.circumstances.Batch {
			list = append(list, digest)
		}
	}
	return list
}

// withEarlier says in words what a tally of an earlier batch is of.
func (j *judgement) withEarlier(digest bundle.Digest, t tally) string {
	return fmt.Sprintf("an item was asked for in batch %.8s before and not signed there: "+
		"what comes of that batch again, with what was signed of it, pays %s in %s%s",
		digest.String(), j.amount(t.sum), chain.Count(t.count, "payment"), withFees)
}
