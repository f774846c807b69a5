package ledger

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// watch is a clock that a test turns.
type watch struct{ at time.Time }

func (w *watch) now() time.Time { return w.at }

func begin(t *testing.T) (*Ledger, *disk, *watch) {
	t.Helper()
	w, d := &watch{clock()}, &disk{}
	l, err := Create(d, me(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	return l, d, w
}

func appendAll(t *testing.T, l *Ledger, lines ...Line) {
	t.Helper()
	for i, line := range lines {
		if line.Round == "" {
			continue
		}
		if i > 0 {
			appendAll(t, l, lines[:i]...)
		}
		line.Round = drawn(l, line.Round)
		if err := l.Append(line); err != nil {
			t.Fatal(err)
		}
		if i+1 < len(lines) {
			appendAll(t, l, lines[i+1:]...)
		}
		return
	}
	if err := l.Append(lines...); err != nil {
		t.Fatal(err)
	}
}

// drawn is the round of a nonce: the one that a ledger has, or one that is
// drawn after its last line.
func drawn(l *Ledger, nonce string) string {
	for round := range l.closed {
		if strings.HasPrefix(round, nonce) {
			return round
		}
	}
	for _, rounds := range l.rounds {
		for _, r := range rounds {
			if strings.HasPrefix(r.nonce, nonce) {
				return r.nonce
			}
		}
	}
	return nonce + l.Head()[:2*placeSize]
}

func payment(id string, content byte, to string, value int64) Line {
	return Line{Kind: KindSigned, Request: bundle.Digest{9}.String(), ID: id, Chain: "BTC", Network: "testnet",
		Content: bundle.Digest{content}.String(), Spent: []string{"op" + string('0'+rune(content))}, Paid: []Payment{{To: to, Value: chain.NewAmount(uint64(value))}}}
}

func sums(l *Ledger, since int64) []int64 {
	var list []int64
	for p := range l.Payments(since) {
		value, _ := p.Value.Int64()
		list = append(list, value)
	}
	return list
}

// again opens the same disk anew: whatever is remembered must come from it.
func again(t *testing.T, d *disk, w *watch) *Ledger {
	t.Helper()
	l, err := Open(d, me(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPaymentsCountOnceByTheLedgersClock(t *testing.T) {
	l, d, w := begin(t)
	appendAll(t, l, payment("a", 1, "x", 10))
	start := w.at.Unix()
	w.at = w.at.Add(time.Hour)
	appendAll(t, l, payment("b", 2, "y", 20), payment("c", 2, "y", 20)) // the same transaction under another id
	w.at = w.at.Add(-50 * 365 * 24 * time.Hour)                         // somebody turns the clock back
	appendAll(t, l, payment("a", 1, "x", 10), payment("e", 3, "z", 30)) // signed again; and a new one
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if l.Now() != start+3600 {
			t.Errorf("the ledger's clock went back with the machine's: %d", l.Now())
		}
		if got := sums(l, start+3600); !slices.Equal(got, []int64{30, 20}) {
			t.Errorf("in the last hour %v, want 30 and 20", got)
		}
		if got := sums(l, 0); !slices.Equal(got, []int64{30, 20, 10}) {
			t.Errorf("ever %v", got)
		}
		if !l.Paid(chain.Coin{Chain: "BTC", Network: chain.Testnet}, "z") || l.Paid(chain.Coin{Chain: "LTC", Network: chain.Testnet}, "z") || l.Paid(chain.Coin{Chain: "BTC", Network: chain.Mainnet}, "z") {
			t.Error("known destinations are not told apart by coin and network")
		}
	}
}

func TestSettingTheClockBackFreesNoLimit(t *testing.T) {
	l, d, w := begin(t)
	real := w.at
	appendAll(t, l, payment("a", 1, "x", 10))
	w.at = w.at.Add(20 * 365 * 24 * time.Hour) // a wrong clock, once
	appendAll(t, l, payment("b", 2, "y", 20))
	w.at = real.Add(time.Hour)
	appendAll(t, l, Line{Kind: KindClock})
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if l.Now() != real.Unix()+3600 {
			t.Errorf("clock %d, want the machine's", l.Now())
		}
		if got := sums(l, real.Unix()+3600); !slices.Equal(got, []int64{20}) {
			t.Errorf("what lay in the future must count from now: %v", got)
		}
		if got := sums(l, real.Unix()+3601); len(got) != 0 {
			t.Errorf("what lay in the future must not count for ever: %v", got)
		}
	}
}

func TestReleaseFreesTheOutpointsOnly(t *testing.T) {
	l, d, w := begin(t)
	appendAll(t, l, payment("a", 1, "x", 10), payment("b", 2, "y", 20))
	if got := l.Spends("a"); !slices.Equal(got, []string{"op1"}) {
		t.Fatalf("a spends %v", got)
	}
	appendAll(t, l, Line{Kind: KindReleased, ID: "a"})
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if _, taken := l.Spender("op1"); taken {
			t.Error("op1 is not free")
		}
		if _, taken := l.Spender("op2"); !taken {
			t.Error("op2 was freed too")
		}
		if _, signed := l.Signed("a"); !signed || len(sums(l, 0)) != 2 {
			t.Error("the id and the sum must stay")
		}
	}
}

func TestWhatARelayHasSeen(t *testing.T) {
	l, d, w := begin(t)
	lost := bundle.Digest{7}
	appendAll(t, l, Line{Kind: KindReviewed, Relay: "r", Seen: 5, Round: nonce(1)}, Line{Kind: KindAgreed, Relay: "r", Seen: 3})
	if l.Knows(lost[:]) {
		t.Error("knows a head that it never had")
	}
	appendAll(t, l, Line{Kind: KindAccepted, Head: lost.String()})
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if l.Seen("r") != 5 || l.Seen("s") != 0 {
			t.Error("what the relay saw is forgotten")
		}
		if n, ok := l.Line(l.HeadBytes()); !ok || n != 4 {
			t.Errorf("the head is line %d, %v", n, ok)
		}
		if !l.Knows(lost[:]) || l.Knows(nil) || l.Knows(lost[:31]) {
			t.Error("accepted heads are mixed up")
		}
	}
}

// review and approved are lines about batch 1 in round n.
func review(n int, policy, judged string) Line {
	return Line{Kind: KindReviewed, Request: bundle.Digest{1}.String(), Policy: policy, Judged: judged, Round: nonce(n)}
}

func approved(n int, policy, judged string, who ...string) Line {
	l := review(n, policy, judged)
	l.Kind, l.Operators = KindApproved, who
	return l
}

func TestApprovalsBindToTheJudgement(t *testing.T) {
	l, d, w := begin(t)
	batch := bundle.Digest{1}
	appendAll(t, l, review(1, "p", "j"), approved(1, "p", "j", "ann"), approved(1, "p", "j", "bob"), approved(1, "p", "j", "bob"),
		approved(2, "p", "j", "eve"), approved(1, "q", "j", "eve"), approved(1, "p", "k", "eve"))
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if got := l.ApprovedBy(batch, "p", "j"); !slices.Equal(got, []string{"ann", "bob"}) {
			t.Errorf("approved by %v", got)
		}
		if len(l.ApprovedBy(batch, "q", "j"))+len(l.ApprovedBy(batch, "p", "k"))+len(l.ApprovedBy(bundle.Digest{2}, "p", "j")) != 0 {
			t.Error("an approval counts for something else")
		}
	}
}

// Whatever changes what an approval would be about ends the round: neither the
// review nor the approvals count again, and no line names the round again, but an
// approval that is carried to another ledger, where a copy was put back here.
func TestRoundsEnd(t *testing.T) {
	batch := bundle.Digest{1}
	signed := payment("a", 1, "x", 10)
	signed.Request = batch.String()
	for name, end := range map[string]Line{
		"decline":      {Kind: KindDeclined, Request: batch.String()},
		"left out":     {Kind: KindLeftOut, Request: batch.String(), Left: []string{"a"}},
		"refused part": {Kind: KindRefused, Request: batch.String(), Code: chain.RefusedByPerson},
		"signed":       signed,
		"policy":       {Kind: KindPolicy, Policy: "q"},
		"operator":     {Kind: KindOperator, Act: ActAdd, Operators: []string{"carl 00"}},
		"restore":      {Kind: KindWallet, Act: ActRestore},
		"accepted":     {Kind: KindAccepted, Head: bundle.Digest{9}.String()},
		"settled":      {Kind: KindWallet, Act: ActSettle},
		"lost":         {Kind: KindWallet, Act: ActLost, ID: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			l, d, w := begin(t)
			appendAll(t, l, review(1, "p", "j"), approved(1, "p", "j", "ann"), end)
			for _, l := range []*Ledger{l, again(t, d, w)} {
				if l.Round(batch, "p", "j") == drawn(l, nonce(1)) || len(l.ApprovedBy(batch, "p", "j")) != 0 || !l.Ended(drawn(l, nonce(1))) {
					t.Fatal("the round goes on")
				}
			}
			for _, line := range []Line{review(1, "p", "j"), approved(1, "p", "j", "ann")} {
				line.Round = drawn(l, line.Round)
				carried := line.Kind == KindApproved && (end.Kind == KindAccepted || end.Kind == KindWallet)
				if err := l.Append(line); (err == nil) != carried {
					t.Errorf("a %s line names the round that has ended: %v", line.Kind, err)
				}
			}
			appendAll(t, l, review(3, "p", "j"))
			if len(l.ApprovedBy(batch, "p", "j")) != 0 {
				t.Error("approvals revived")
			}
		})
	}
}

// A round counts in the ledger that drew it, and in no other: whoever names one
// neither opens it nor ends the one that is open.
func TestRoundsAreDrawnHere(t *testing.T) {
	batch := bundle.Digest{1}
	l, d, w := begin(t)
	appendAll(t, l, review(1, "p", "j"), approved(1, "p", "j", "ann"))
	elsewhere := nonce(2) + strings.Repeat("ab", placeSize)
	line := review(2, "p", "j")
	for _, line.Round = range []string{elsewhere, nonce(2) + drawn(l, nonce(1))[32:]} {
		if err := l.Append(line); err == nil {
			t.Errorf("a review opens round %s, which another ledger drew", line.Round)
		}
	}
	line = approved(2, "p", "j", "bob")
	line.Round = elsewhere
	before := review(3, "p", "k") // as an earlier version wrote it
	eve := approved(3, "p", "j", "eve")
	if err := errors.Join(l.Append(line), l.Append(before), l.Append(eve)); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if got := l.ApprovedBy(batch, "p", "j"); !slices.Equal(got, []string{"ann"}) {
			t.Errorf("approved by %v", got)
		}
		if l.Reviewed(batch, "p", "k") {
			t.Error("a review of an earlier version counts")
		}
		if how, lost := l.LastLost(batch); !lost || how.Why != whyOutdated || !slices.Equal(how.Approved, []string{"eve"}) {
			t.Errorf("%+v", how)
		}
	}
}

// A mere review of the same batch with other items, or judged otherwise, takes
// no approval back, and none counts for what it shows.
func TestReviewWithdrawsNothing(t *testing.T) {
	batch := bundle.Digest{1}
	l, d, w := begin(t)
	appendAll(t, l, review(1, "p", "j"), approved(1, "p", "j", "ann"), review(2, "p", "k"), approved(2, "p", "k", "bob"), review(1, "p", "j"))
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if got := append(l.ApprovedBy(batch, "p", "j"), l.ApprovedBy(batch, "p", "k")...); !slices.Equal(got, []string{"ann", "bob"}) {
			t.Errorf("approved by %v", got)
		}
	}
	appendAll(t, l, Line{Kind: KindDeclined, Request: batch.String()}) // ends both
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if len(l.ApprovedBy(batch, "p", "j"))+len(l.ApprovedBy(batch, "p", "k")) != 0 || !l.Ended(drawn(l, nonce(1))) || !l.Ended(drawn(l, nonce(2))) {
			t.Error("a round goes on")
		}
		if how, lost := l.LastLost(batch); !lost || how.Why != "somebody declined it" || how.Line != 7 || len(how.Approved) != 2 {
			t.Errorf("%+v", how)
		}
	}
}

func TestTheLastLineAboutEachIsKept(t *testing.T) {
	l, d, w := begin(t)
	appendAll(t, l, Line{Kind: KindOperator, Act: ActAdd, Operators: []string{"ann 00"}}, Line{Kind: KindOperator, Act: ActAdd, Operators: []string{"bob 11"}},
		Line{Kind: KindOperator, Act: ActRemove, Operators: []string{"ann 00"}}, Line{Kind: KindWallet, Act: ActPair, Relay: "r"},
		Line{Kind: KindWallet, Act: ActPair, Relay: "s"}, Line{Kind: KindWallet, Act: ActUnpair, Relay: "r"})
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if got := l.Operators(); !slices.Equal(got, []string{"bob 11"}) {
			t.Errorf("operators %v", got)
		}
		if got := l.Relays(); !slices.Equal(got, []string{"s"}) {
			t.Errorf("relays %v", got)
		}
	}
}

func TestPolicySetIsRemembered(t *testing.T) {
	l, d, w := begin(t)
	if _, ever := l.PolicySet(); ever {
		t.Error("none was set")
	}
	appendAll(t, l, Line{Kind: KindPolicy, Policy: "one"}, Line{Kind: KindPolicy, Policy: "two"})
	if set, ever := again(t, d, w).PolicySet(); set.Hash != "two" || set.Line != 3 || !ever {
		t.Errorf("%+v %v", set, ever)
	}
}

// What cannot be read back must not be written: it would damage the ledger.
func TestNothingUnreadableIsWritten(t *testing.T) {
	l, d, w := begin(t)
	before := len(d.log)
	for _, line := range []Line{{Kind: "other"}, {Kind: KindGenesis}, {Kind: KindSigned, Content: "no digest"}, {Kind: KindAccepted}} {
		if err := l.Append(line); err == nil {
			t.Errorf("%+v was written", line)
		}
	}
	if err := l.Append(); err == nil {
		t.Error("no lines were written")
	}
	if len(d.log) != before {
		t.Fatal("the disk was touched")
	}
	appendAll(t, l, Line{Kind: KindRefused, ID: "\xff\xfe", Reason: strings.Repeat("\xffä", 5000)})
	if n := len(d.log) - before; n > 4*maxReason {
		t.Errorf("a line of %d bytes", n)
	}
	again(t, d, w)
}

func TestNoMarkNoLedger(t *testing.T) {
	_, d, w := begin(t)
	d.mark = nil // cut back to its first line, and the mark taken away
	if _, err := Open(d, me(), w.now); !errors.Is(err, ErrRollback) {
		t.Errorf("error %v, want %v", err, ErrRollback)
	}
}

// A batch has 40,000 items with several outpoints each, and each is looked up.
func TestLookingUpMarksAllocatesLittle(t *testing.T) {
	l, _, _ := begin(t)
	appendAll(t, l, Line{Kind: KindDeclined, Request: strings.Repeat("1", 64), Marks: []string{MarkID("another")}})
	outpoint := strings.Repeat("a", 64) + ":0"
	p := Proposal{ID: strings.Repeat("b", 24), Content: [32]byte{1}, Spent: slices.Repeat([]string{outpoint}, 4)}
	marks := float64(2 * (2 + len(p.Spent))) // one each, in Origins and in DeclinedOther
	if n := testing.AllocsPerRun(100, func() { l.Origins(p); l.DeclinedOther(p) }); n > marks {
		t.Errorf("%v allocations, want at most %v", n, marks)
	}
}

// An item counts in each batch in which it was asked for and not signed.
func TestOrigins(t *testing.T) {
	asked, declined := sha256.Sum256([]byte("asked")), sha256.Sum256([]byte("declined"))
	line := func(kind string, batch bundle.Digest, mark string) Line {
		return Line{Kind: kind, Request: batch.String(), Marks: []string{mark}}
	}
	l, d, w := begin(t)
	appendAll(t, l, line(KindAsked, asked, MarkID("a")), line(KindDeclined, declined, MarkOutpoint("b:0")))
	for _, l := range []*Ledger{l, again(t, d, w)} {
		if got := l.Origins(Proposal{ID: "a"}); !slices.Equal(got, []bundle.Digest{asked}) {
			t.Errorf("of what was asked for: %v", got)
		}
		if got := l.Origins(Proposal{ID: "b", Spent: []string{"b:0"}}); !slices.Equal(got, []bundle.Digest{declined}) {
			t.Errorf("of what was declined: %v", got)
		}
		if got := l.Origins(Proposal{ID: "c"}); len(got) > 0 {
			t.Errorf("of another: %v", got)
		}
	}
}
