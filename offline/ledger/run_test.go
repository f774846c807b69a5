package ledger

import (
	"testing"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// What was approved goes on to count where signing was cut short, under the
// same policy and scope, until anything else is on record or all is signed.
func TestRunIsCutShort(t *testing.T) {
	batch := bundle.Digest{1}
	item := func(id string, content byte) Line {
		l := payment(id, content, "x", 10)
		l.Request = batch.String()
		return l
	}
	agreed := Line{Kind: KindAgreed, Request: batch.String(), Policy: "p", Judged: "j", Scope: "s", Items: 3}
	otherScope, unscoped := agreed, agreed
	otherScope.Scope, unscoped.Scope = "t", ""
	taken := Line{Kind: KindRefused, Request: batch.String(), Code: chain.RefusedByPerson}
	start := []Line{review(1, "p", "j"), approved(1, "p", "j", "ann"), agreed, item("a", 1)}
	for name, c := range map[string]struct {
		then []Line
		want int // approvals; -1: it was not cut short
	}{
		"at once":             {nil, 1},
		"reviewed":            {[]Line{review(2, "p", "k")}, 1},
		"a refusal":           {[]Line{{Kind: KindRefused, Request: batch.String(), Code: chain.LimitDay}}, 1},
		"cut short again":     {[]Line{agreed, item("a", 1), item("b", 2)}, 1},
		"approved by another": {[]Line{review(2, "p", "k"), approved(2, "p", "k", "bob"), {Kind: KindAgreed, Request: batch.String(), Policy: "p", Judged: "k", Scope: "s", Items: 3}, item("a", 1)}, 2},
		"all":                 {[]Line{item("b", 2), item("c", 3)}, -1},
		"taken out":           {[]Line{taken}, -1},
		"left out":            {[]Line{{Kind: KindLeftOut, Request: batch.String(), Left: []string{"c"}}}, -1},
		"decline":             {[]Line{{Kind: KindDeclined, Request: batch.String()}}, -1},
		"another batch":       {[]Line{payment("z", 9, "x", 1)}, -1},
		"asked":               {[]Line{{Kind: KindAsked, Request: batch.String(), Marks: []string{MarkID("d")}}}, -1},
		"policy":              {[]Line{{Kind: KindPolicy, Policy: "p"}}, -1},
		"operator":            {[]Line{{Kind: KindOperator, Act: ActAdd, Operators: []string{"carl 00"}}}, -1},
		"wallet":              {[]Line{{Kind: KindWallet, Act: ActBackup}}, -1},
		"clock":               {[]Line{{Kind: KindClock}}, -1},
		"released":            {[]Line{{Kind: KindReleased, ID: "a"}}, -1},
		"other scope":         {[]Line{otherScope, item("a", 1)}, -1},
		"no scope":            {[]Line{unscoped, item("a", 1)}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			l, d, w := begin(t)
			appendAll(t, l, start...)
			if len(c.then) > 0 {
				appendAll(t, l, c.then...)
			}
			for _, l := range []*Ledger{l, again(t, d, w)} {
				got, grants := -1, 0
				if list, cut := l.Granted(batch, "p", "s"); cut {
					got = 0
					for _, g := range list {
						got, grants = got+len(g.Approved), grants+1
					}
				}
				if got != c.want {
					t.Errorf("%d approvals in %d rounds, want %d", got, grants, c.want)
				}
				if !l.Ended(drawn(l, nonce(1))) {
					t.Error("the round takes approvals still")
				}
			}
		})
	}
}
