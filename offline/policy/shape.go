package policy

import "coldkms/shared/chain"

// shapeRule finds transactions that are put together unlike all others: without
// change, or with more destinations.
func shapeRule() rule { return rule{judge: (*judgement).shape, fresh: true} }

// shapes counts how transactions of all coins were put together.
type shapes struct {
	total, unchanged int
	paying           map[int]int // destinations → transactions
}

func newShapes() shapes { return shapes{paying: map[int]int{}} }

func (s *shapes) add(paying int, changed bool) {
	s.total++
	if !changed {
		s.unchanged++
	}
	s.paying[paying]++
}

// beyond counts the transactions with as many destinations or more.
func (s *shapes) beyond(paying int) (n int) {
	for c, of := range s.paying {
		if c >= paying {
			n += of
		}
	}
	return n
}

// shapeOf returns how many of the movements pay, and whether something comes back.
func shapeOf(f *chain.Facts) (paying int, changed bool) {
	for i := range f.Movements {
		m := &f.Movements[i]
		if m.Pays() {
			paying++
		}
		changed = changed || !m.Change.IsZero()
	}
	return paying, changed
}

func (j *judgement) shape() {
	of, now := j.past.shapes, j.past.shapesNow
	if of.total < 50 {
		of = now
	}
	if of.total < 2*leastBatch {
		return
	}
	rare := *j.unusual.OneIn / 4
	paying, changed := shapeOf(&j.subject.Facts)
	if paying == 0 {
		return
	}
	severity := func(n int) chain.Severity {
		switch {
		case int64(n-1)*rare <= int64(of.total):
			return chain.Look
		case int64(n)*20 <= int64(of.total):
			return chain.Note
		}
		return chain.Unrated
	}
	if s := severity(of.beyond(paying)); paying > 1 && s != chain.Unrated {
		j.rate(j.unusual.Shape, j.common(s, now.beyond(paying)), chain.Because(chain.FlagShape,
			"pays %s: of %s %d had as many",
			chain.Count(paying, "destination"), chain.Count(of.total, "other transaction"), of.beyond(paying)))
	}
	// Of one destination it is its amount that would be out of the ordinary.
	if s := severity(of.unchanged); !changed && paying > 1 && s != chain.Unrated {
		j.rate(j.unusual.Shape, j.common(s, now.unchanged), chain.Because(chain.FlagShape,
			"nothing comes back as change: so it was with %d of %s",
			of.unchanged, chain.Count(of.total, "other transaction")))
	}
}

// common lowers a severity where more than a few of the batch, n of them, are put
// together like this: then the wallet does it.
func (j *judgement) common(s chain.Severity, n int) chain.Severity {
	if n*20 > j.past.shapesNow.total {
		return chain.Note
	}
	return s
}
