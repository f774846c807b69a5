package offline

import (
	"errors"
	"strings"
	"testing"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
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
		"agreed":            {Kept{Operators: ops, Relays: relays, Known: s.Ledger.HeadBytes()}, ""},
		"removed operator":  {Kept{Operators: append(ops, bob), Relays: relays}, "operator bob"},
		"missing operator":  {Kept{Relays: relays}, `operator "ann"`},
		"never paired":      {Kept{Operators: ops, Relays: append(relays, ann.Key)}, "relay " + ann.Key.Fingerprint()},
		"missing relay":     {Kept{Operators: ops}, "relay "},
		"an old ledger":     {Kept{Operators: ops, Relays: relays, Known: lost}, "an old copy"},
		"name of another's": {Kept{Operators: []operator.Operator{{Name: "ann", Key: bob.Key}}, Relays: relays}, "operator ann"},
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
		if _, err := s.JudgeUnasked(Unasked{}); !errors.Is(err, ErrUnsettled) {
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

// Keys of a line of before are a number: as many have to be in the wallet.
func TestUnnamedKeys(t *testing.T) {
	s, _ := newSession(t, &memory{})
	lines := append(ledger.KeyLines(ledger.ActAdd, []string{"a"}), ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActImport, Items: 3},
		ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActRemove, ID: "b"})
	if err := s.Ledger.Append(lines...); err != nil {
		t.Fatal(err)
	}
	for want, keys := range map[int][]string{0: {"a", "c", "d", "e"}, 1: {"a", "c"}, 2: {"a", "b"}, 3: nil} {
		n := 0
		for _, d := range Differences(Kept{Keys: keys, Known: s.Ledger.HeadBytes()}, s.Ledger) {
			n += max(d.Line.Items, 1)
		}
		if n != want {
			t.Errorf("%v: %d keys are missing, want %d", keys, n, want)
		}
	}
}
