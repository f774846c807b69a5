package offline

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func person(t *testing.T, seed byte) identity.Private {
	t.Helper()
	k, err := identity.FromSeed(bytes.Repeat([]byte{seed}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parsePolicy(t *testing.T, text string) policy.Policy {
	t.Helper()
	p, err := policy.Parse(coins{}, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const twoOfThem = `{"version":1,"chains":[{"chain":"BTC","network":"testnet","quorum":[{"per":"batch","above":1,"operators":2}]}]}`

// quorumSession is one in which operators a (11) and b (12) are enrolled and
// two must approve.
func quorumSession(t *testing.T) (*Session, *Judged) {
	t.Helper()
	s, relay := newSession(t, &memory{})
	s.Policy = parsePolicy(t, twoOfThem)
	s.Operators = []operator.Operator{{Name: "a", Key: person(t, 11).Public()}, {Name: "b", Key: person(t, 12).Public()}}
	return s, judged(t, s, request(t, s, relay, "good").File)
}

func judged(t *testing.T, s *Session, file []byte) *Judged {
	t.Helper()
	j, err := s.Judge(file)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// reviewed records that a batch was reviewed, which opens its round.
func reviewed(t *testing.T, s *Session, j *Judged) {
	t.Helper()
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
}

func termsOf(t *testing.T, s *Session, j *Judged) operator.Terms {
	t.Helper()
	terms, ok := s.terms(j)
	if !ok {
		t.Fatal("no round is open")
	}
	return terms
}

// An approval of before a no, of before a signature, or from under a policy
// that was in force twice never counts again, neither from a file that was
// kept nor rebuilt from the ledger.
func TestApprovalsNeverRevive(t *testing.T) {
	policies := func(s *Session, hashes ...string) error {
		for _, h := range hashes {
			if err := s.Ledger.Append(ledger.Line{Kind: ledger.KindPolicy, Policy: h}); err != nil {
				return err
			}
		}
		return nil
	}
	for name, change := range map[string]func(*Session, *Judged) error{
		"declined": func(s *Session, j *Judged) error { return s.Decline(j) },
		"policies": func(s *Session, _ *Judged) error { return policies(s, "other", s.policyHash()) },
		"operators": func(s *Session, _ *Judged) error {
			return s.Ledger.Append(ledger.Line{Kind: ledger.KindOperator, Act: ledger.ActAdd, Operators: []string{"c 00"}})
		},
		"left out": func(s *Session, j *Judged) error {
			return s.Ledger.Append(ledger.Line{Kind: ledger.KindLeftOut, Request: j.Request.Digest.String(), Left: []string{"other"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, j := quorumSession(t)
			reviewed(t, s, j)
			first, err := s.Approve(j, person(t, 11), "typed")
			if err != nil {
				t.Fatal(err)
			}
			if err := change(s, j); err != nil {
				t.Fatal(err)
			}
			rebuilt := operator.Approval{Operator: first.Operator, Terms: first.Terms, Signature: first.Signature}
			for _, again := range []func(){func() {}, func() { reviewed(t, s, j) }} {
				again()
				if got := s.Approvers(j); len(got) != 0 {
					t.Errorf("%v count", got)
				}
				if err := s.TakeApproval(j, rebuilt, "carried"); !errors.Is(err, ErrOtherApproval) {
					t.Errorf("carried again: %v", err)
				}
			}
			round := fmt.Sprintf("%x", first.Round)
			if _, err := s.ApproveElsewhere(j, person(t, 12), round, "typed"); !errors.Is(err, ErrOtherApproval) {
				t.Errorf("the round that ended is named again: %v", err)
			}
			if _, err := s.Approve(j, person(t, 11), "typed"); err != nil || len(s.Approvers(j)) != 1 {
				t.Errorf("approved anew: %v", err)
			}
		})
	}
}

func signedOf(t *testing.T, s *Session, j *Judged) (int, Signatures) {
	t.Helper()
	done, err := s.Sign(j, s.Agree(j), "typed")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := done.Count()
	return n, done
}

func TestQuorum(t *testing.T) {
	s, j := quorumSession(t)
	reviewed(t, s, j)
	if n, done := signedOf(t, s, j); n != 0 || done.Result.Outcomes[0].Code != chain.QuorumMissing {
		t.Fatalf("signed without an approval: %v", done.Result.Outcomes)
	}
	for range 2 { // one operator counts once
		if _, err := s.Approve(j, person(t, 11), "typed"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CheckQuorum(j); !errors.Is(err, ErrQuorum) || !strings.Contains(err.Error(), "1 of 2 (a)") {
		t.Errorf("one of two: %v", err)
	}
	if n, _ := signedOf(t, s, j); n != 0 {
		t.Fatal("signed with one approval of two")
	}
	if _, err := s.Approve(j, person(t, 12), "typed"); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckQuorum(j); err != nil {
		t.Error(err)
	}
	n, done := signedOf(t, s, j)
	if n != 1 || len(done.Result.Operators) != 2 || bytes.Compare(done.Result.Operators[0][:], done.Result.Operators[1][:]) >= 0 {
		t.Errorf("%d signed, by %x", n, done.Result.Operators)
	}
}

// What another machine's approval is of has to be what is judged here.
func TestCarriedApproval(t *testing.T) {
	s, j := quorumSession(t)
	reviewed(t, s, j)
	good := operator.Approve(person(t, 11), termsOf(t, s, j))
	for name, c := range map[string]struct {
		change func(*operator.Terms)
		key    byte
		want   error
	}{
		"another batch":     {func(x *operator.Terms) { x.Batch[0]++ }, 11, ErrOtherApproval},
		"another policy":    {func(x *operator.Terms) { x.Policy[0]++ }, 11, ErrOtherApproval},
		"another judgement": {func(x *operator.Terms) { x.Judged[0]++ }, 11, ErrOtherApproval},
		"another round":     {func(x *operator.Terms) { x.Round[0]++ }, 11, ErrOtherApproval},
		"no round":          {func(x *operator.Terms) { x.Round = [operator.RoundSize]byte{} }, 11, ErrOtherApproval},
		"a stranger":        {func(*operator.Terms) {}, 13, ErrNotOperator},
	} {
		terms := termsOf(t, s, j)
		c.change(&terms)
		if err := s.TakeApproval(j, operator.Approve(person(t, c.key), terms), "carried"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged := good
	forged.Operator = person(t, 12).Public()
	if err := s.TakeApproval(j, forged, "carried"); !errors.Is(err, ErrOtherApproval) {
		t.Errorf("another's name on it: %v", err)
	}
	if got := s.Approvers(j); len(got) != 0 {
		t.Errorf("%v count", got)
	}
	if err := s.TakeApproval(j, good, "carried"); err != nil {
		t.Error(err)
	}
	if got := s.Approvers(j); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("%v count", got)
	}
}

// A line in the ledger is no approval without the operator's signature.
func TestLedgerAloneApprovesNothing(t *testing.T) {
	s, j := quorumSession(t)
	reviewed(t, s, j)
	a := operator.Approve(person(t, 11), termsOf(t, s, j))
	stranger := operator.Approve(person(t, 13), termsOf(t, s, j))
	line := s.about(j, ledger.KindApproved)
	line.Round = s.Round(j)
	line.Operators = []string{
		"b", s.Operators[1].String(), s.Operators[1].Record(a), // a's signature under b's name
		operator.Operator{Name: "b", Key: person(t, 13).Public()}.Record(stranger), // b's name on a stranger's key
	}
	if err := s.Ledger.Append(line); err != nil {
		t.Fatal(err)
	}
	if got := s.Approvers(j); len(got) != 0 {
		t.Errorf("%v count", got)
	}
	twice := s.about(j, ledger.KindApproved)
	twice.Round = s.Round(j)
	twice.Operators = []string{s.Operators[0].Record(a), operator.Operator{Name: "c", Key: a.Operator}.Record(a)}
	if err := s.Ledger.Append(twice); err != nil {
		t.Fatal(err)
	}
	if got := s.Approvers(j); len(got) != 1 {
		t.Errorf("one key under two names counts as %v", got)
	}
}

func TestWhatTakesApprovalsBack(t *testing.T) {
	for name, change := range map[string]func(*Session, *Judged) error{
		"declined":       func(s *Session, j *Judged) error { return s.Decline(j) },
		"another policy": func(s *Session, _ *Judged) error { s.Policy = policy.Default(coins{}); return nil },
		"removed":        func(s *Session, _ *Judged) error { s.Operators = s.Operators[1:]; return nil },
	} {
		s, j := quorumSession(t)
		reviewed(t, s, j)
		if _, err := s.Approve(j, person(t, 11), "typed"); err != nil {
			t.Fatal(err)
		}
		if err := change(s, j); err != nil {
			t.Fatal(err)
		}
		if got := s.Approvers(j); len(got) != 0 {
			t.Errorf("%s: %v count", name, got)
		}
	}
}

// A refused batch asks for no operators, and none can approve it.
func TestNobodyApprovesWhatIsRefused(t *testing.T) {
	s, relay := newSession(t, &memory{})
	s.Policy = parsePolicy(t, twoOfThem)
	s.Operators = []operator.Operator{{Name: "a", Key: person(t, 11).Public()}}
	j := judged(t, s, request(t, s, relay, "foreign").File)
	if _, err := s.Approve(j, person(t, 11), "typed"); !errors.Is(err, ErrNothingToSign) {
		t.Error(err)
	}
	if err := s.CheckQuorum(j); err != nil {
		t.Error(err)
	}
}

// An operator may approve by digest what was reviewed as it is judged now.
func TestReviewedAs(t *testing.T) {
	s, j := quorumSession(t)
	if err := s.ReviewedAs(j, j.Request.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("never reviewed: %v", err)
	}
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
	if err := s.ReviewedAs(j, j.Request.Digest); err != nil {
		t.Error(err)
	}
	if err := s.ReviewedAs(j, bundle.Digest{1}); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("another digest: %v", err)
	}
	s.Policy = policy.Default(coins{})
	if err := s.ReviewedAs(j, j.Request.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("under another policy: %v", err)
	}
}
