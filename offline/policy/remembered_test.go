package policy

import (
	"slices"
	"testing"

	"coldkms/shared/chain"
)

// What lines of before say was signed is exempt if nothing that went into the
// signature can have been another claim.
func TestLinesOfBeforeExemptWhatIsProven(t *testing.T) {
	exempt := func(r Record, change func(*Subject)) bool {
		s := sound()
		s.Facts.Sources = slices.Clone(s.Facts.Sources)
		m := knowing("a")
		m.signed, m.records = map[string][32]byte{s.ID: s.Content}, map[[32]byte]Record{s.Content: r}
		change(&s)
		return again(&s, m)
	}
	nothing, taproot := func(*Subject) {}, func(s *Subject) { s.Facts.Sources[0].Commits = true }
	old, other := Record{Fee: sound().Facts.Fee}, Record{Fee: sound().Facts.Fee.Plus(chain.NewAmount(1))}
	for name, c := range map[string]struct{ is, want bool }{
		"proven":              {exempt(old, nothing), true},
		"another fee":         {exempt(other, nothing), false},
		"unproven":            {exempt(old, func(s *Subject) { s.Facts.Sources[0].Proven = false }), false},
		"taproot":             {exempt(old, taproot), false},
		"taproot, with bytes": {exempt(Record{Final: [32]byte{1}}, taproot), true},
	} {
		if c.is != c.want {
			t.Errorf("%s: exempt %v, want %v", name, c.is, c.want)
		}
	}
}

// A transaction is what was signed if amounts and scripts are the same, whether
// they were claims then, are now, or neither.
func TestSameAmountsAreTheSame(t *testing.T) {
	content, bare := [32]byte{8}, [32]byte{9}
	claim := chain.Claim{ID: "op:0", Amount: chain.NewAmount(100), Lock: "51"}
	of := func(value int64, script []byte, fee int64) Subject {
		return Subject{ID: "id", Content: bare, Bare: bare, Facts: chain.Facts{Exclusive: []string{"op:0"}, Fee: chain.NewAmount(uint64(fee)),
			Sources: []chain.Source{{ID: "op:0", Amount: chain.NewAmount(uint64(value)), Lock: script, Proven: true}}}}
	}
	other := of(100, []byte{0x51}, 5)
	other.Bare = [32]byte{7}
	for name, c := range map[string]struct {
		subject Subject
		record  Record
		same    bool
	}{
		"proven since":        {of(100, []byte{0x51}, 5), Record{Final: [32]byte{1}, Bare: bare, Fee: chain.NewAmount(5), Claims: []chain.Claim{claim}}, true},
		"another amount":      {of(101, []byte{0x51}, 5), Record{Final: [32]byte{1}, Bare: bare, Fee: chain.NewAmount(5), Claims: []chain.Claim{claim}}, false},
		"another script":      {of(100, []byte{0x52}, 5), Record{Final: [32]byte{1}, Bare: bare, Fee: chain.NewAmount(5), Claims: []chain.Claim{claim}}, false},
		"another fee":         {of(100, []byte{0x51}, 6), Record{Final: [32]byte{1}, Bare: bare, Fee: chain.NewAmount(5)}, false},
		"bytes not on record": {of(100, []byte{0x51}, 5), Record{Bare: bare, Fee: chain.NewAmount(5), Claims: []chain.Claim{claim}}, false},
		"another transaction": {other, Record{Final: [32]byte{1}, Bare: bare, Fee: chain.NewAmount(5), Claims: []chain.Claim{claim}}, false},
	} {
		h := &memory{signed: map[string][32]byte{"id": content}, records: map[[32]byte]Record{content: c.record}}
		if as, same := SignedAs(&c.subject, h); same != c.same || same && as != content {
			t.Errorf("%s: %t", name, same)
		}
	}
}
