package policy

import (
	"slices"
	"testing"
)

// What lines of before say was signed is exempt if nothing that went into the
// signature can have been another claim.
func TestLinesOfBeforeExemptWhatIsProven(t *testing.T) {
	exempt := func(r Record, change func(*Subject)) bool {
		s := sound()
		s.Facts.Inputs = slices.Clone(s.Facts.Inputs)
		m := knowing("a")
		m.signed, m.records = map[string][32]byte{s.ID: s.Content}, map[[32]byte]Record{s.Content: r}
		change(&s)
		return again(s, m)
	}
	nothing, taproot := func(*Subject) {}, func(s *Subject) { s.Facts.Inputs[0].Kind = "P2TR" }
	old, other := Record{Fee: sound().Facts.Fee}, Record{Fee: sound().Facts.Fee + 1}
	for name, c := range map[string]struct{ is, want bool }{
		"proven":              {exempt(old, nothing), true},
		"another fee":         {exempt(other, nothing), false},
		"unproven":            {exempt(old, func(s *Subject) { s.Facts.Inputs[0].Proven = false }), false},
		"taproot":             {exempt(old, taproot), false},
		"taproot, with bytes": {exempt(Record{Final: [32]byte{1}}, taproot), true},
	} {
		if c.is != c.want {
			t.Errorf("%s: exempt %v, want %v", name, c.is, c.want)
		}
	}
}
