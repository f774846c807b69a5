package offline

import (
	"errors"
	"strings"
	"testing"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Whatever only the wallet or only the ledger says is a difference, and none
// is judged while there is one.
func TestUnsettledJudgesNothing(t *testing.T) {
	s, relay := newSession(t, &memory{})
	ann := operator.Operator{Name: "ann", Key: person(t, 11).Public()}
	bob := operator.Operator{Name: "bob", Key: person(t, 12).Public()}
	enrol := func(act string, o operator.Operator) ledger.Line {
		return ledger.Line{Kind: ledger.KindOperator, Act: act, Operators: []string{o.String()}}
	}
	if err := s.Ledger.Append(enrol(ledger.ActAdd, ann), enrol(ledger.ActAdd, bob), enrol(ledger.ActRemove, bob),
		ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActPair, Relay: relay.Public().Fingerprint()}); err != nil {
		t.Fatal(err)
	}
	ops, relays := []operator.Operator{ann}, []identity.Public{relay.Public()}
	lost := make([]byte, 32)
	for name, c := range map[string]struct {
		kept Kept
		says string
	}{
		"agreed":            {Kept{ops, relays, s.Ledger.HeadBytes()}, ""},
		"removed operator":  {Kept{append(ops, bob), relays, nil}, "operator bob"},
		"missing operator":  {Kept{nil, relays, nil}, `operator "ann"`},
		"never paired":      {Kept{ops, append(relays, ann.Key), nil}, "relay " + ann.Key.Fingerprint()},
		"missing relay":     {Kept{ops, nil, nil}, "relay "},
		"an old ledger":     {Kept{ops, relays, lost}, "an old copy"},
		"name of another's": {Kept{[]operator.Operator{{Name: "ann", Key: bob.Key}}, relays, nil}, "operator ann"},
	} {
		s.Unsettled = Unsettled(Differences(c.kept, s.Ledger))
		_, err := s.Judge(request(t, s, relay, "good").File)
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, ErrUnsettled) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.JudgePSBT(nil, chain.BTC); !errors.Is(err, ErrUnsettled) {
			t.Errorf("%s: a PSBT: %v", name, err)
		}
	}
}

// Operators approved all of a batch: none counts for a part of it.
func TestApprovalsAreOfTheWholeBatch(t *testing.T) {
	s, _ := quorumSession(t)
	j := judged(t, s, request(t, s, person(t, 1), "good", "other").File)
	reviewed(t, s, j)
	for _, key := range []byte{11, 12} {
		if _, err := s.Approve(j, person(t, key), "typed"); err != nil {
			t.Fatal(err)
		}
	}
	done, err := s.Sign(j, j.Except(s.Agree(j), 1), "typed")
	if err != nil {
		t.Fatal(err)
	}
	if signed, _ := done.Count(); signed != 0 || len(done.Result.Operators) != 0 {
		t.Errorf("%d signed, %d operators", signed, len(done.Result.Operators))
	}
}
