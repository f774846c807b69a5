package policy

import (
	"slices"
	"testing"

	"coldkms/shared/chain"
)

// sound is a payment that nothing is wrong with.
func sound() Subject {
	return Subject{ID: "id", Content: [32]byte{1}, Outpoints: []string{"op"}, Facts: chain.Facts{
		Coin:    chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
		Inputs:  []chain.Input{{Outpoint: "op", Kind: "P2WPKH", Value: 100_000, Proven: true, Own: true}},
		Outputs: []chain.Output{{Address: "a", Kind: "P2WPKH", Value: 60_000}, {Address: "b", Kind: "P2WPKH", Value: 39_000, Change: 39_000, Own: ownKey()}},
		Fee:     1000, VSize: 141,
	}}
}

func ownKey() *chain.Key { return &chain.Key{SignatureID: "own", Index: chain.NoIndex} }

// judge judges one item by itself.
func judge(p Policy, s Subject, h History) Verdict {
	return p.Judge([]Subject{s}, Circumstances{}, h)[0]
}

func TestSoundPaymentPasses(t *testing.T) {
	v := judge(Default(), sound(), knowing("a"))
	if v.Refused() || len(v.Findings) > 0 {
		t.Errorf("refused or flagged: %v", v.Codes())
	}
}

func TestEachRule(t *testing.T) {
	other := [32]byte{2}
	for name, c := range map[string]struct {
		change func(*Subject)
		past   *memory
		code   chain.Code
		refuse bool
	}{
		"taproot claim":   {func(s *Subject) { s.Facts.Inputs[0].Proven, s.Facts.Inputs[0].Kind = false, "P2TR" }, &memory{}, chain.FlagCommitted, false},
		"unproven":        {func(s *Subject) { s.Facts.Inputs[0].Proven = false }, &memory{}, chain.UnprovenAmount, true},
		"mixed unproven":  {mixed, &memory{}, chain.UnprovenAmount, true},
		"all taproot":     {taproot, &memory{}, chain.FlagCommitted, false},
		"under other id":  {func(*Subject) {}, &memory{spent: map[string][32]byte{"op": {1}}}, chain.FlagSameAgain, false},
		"foreign input":   {func(s *Subject) { s.Facts.Inputs[0].Own = false }, &memory{}, chain.NoKeyForInput, true},
		"dust":            {func(s *Subject) { s.Facts.Outputs[0].Dust = true }, &memory{}, chain.Dust, true},
		"fee rate at cap": {func(s *Subject) { s.Facts.Fee = 141_000 }, &memory{}, chain.FlagHighFee, false},
		"fee above cap":   {func(s *Subject) { s.Facts.Fee = 141_001 }, &memory{}, chain.FeeAbovePolicy, true},
		"unknown coin":    {func(s *Subject) { s.Facts.Chain = "XYZ" }, &memory{}, chain.ChainNotAllowed, true},
		"id reused":       {func(*Subject) {}, &memory{signed: map[string][32]byte{"id": other}}, chain.ContentChanged, true},
		"same again":      {func(*Subject) {}, &memory{signed: map[string][32]byte{"id": {1}}, spent: map[string][32]byte{"op": {1}}}, chain.FlagSignedBefore, false},
		"outpoint reused": {func(*Subject) {}, &memory{spent: map[string][32]byte{"op": other}}, chain.AlreadySpent, true},
		"tenth":           {func(s *Subject) { s.Facts.Fee = 6_001; s.Facts.VSize = 200 }, &memory{}, chain.FlagHighFee, false},
		"no fee":          {func(s *Subject) { s.Facts.Fee = 0 }, &memory{}, chain.FlagLowFee, false},
		"low fee":         {func(s *Subject) { s.Facts.Fee = s.Facts.VSize - 1 }, &memory{}, chain.FlagLowFee, false},
		"round trip":      {func(s *Subject) { s.Facts.Outputs[0].Change, s.Facts.Outputs[0].Own = 60_000, ownKey() }, &memory{}, chain.FlagRoundTrip, false},
		"data":            {func(s *Subject) { s.Facts.Outputs[0].Kind = "OP_RETURN" }, &memory{}, chain.FlagData, false},
		"strange script":  {func(s *Subject) { s.Facts.Outputs[0].Kind = "nonstandard" }, &memory{}, chain.FlagUnnamed, false},
		"lock time":       {func(s *Subject) { s.Facts.LockedIn = true }, &memory{}, chain.FlagLockTime, false},
		"relative lock":   {func(s *Subject) { s.Facts.Inputs[0].WaitBlocks = 1 }, &memory{}, chain.FlagLockTime, false},
		"relative time":   {func(s *Subject) { s.Facts.Inputs[0].WaitSeconds = 512 }, &memory{}, chain.FlagLockTime, false},
		"replaceable":     {func(s *Subject) { s.Facts.Replaceable = true }, &memory{}, chain.FlagReplaceable, false},
		"unused key":      {func(s *Subject) { s.Facts.UnusedKeys = []chain.Key{{SignatureID: "k"}} }, &memory{}, chain.FlagUnusedKey, false},
	} {
		s := sound()
		c.change(&s)
		v := judge(Default(), s, c.past)
		if v.Refused() != c.refuse || !slices.Contains(v.Codes(), c.code) {
			t.Errorf("%s: refused %v with %v, want %v with %s", name, v.Refused(), v.Codes(), c.refuse, c.code)
		}
	}
}

// An approval exists only for a judged, unrefused item of the batch that was
// agreed to, and covers only its content.
func TestApprovalIsEarned(t *testing.T) {
	batch, otherBatch := [32]byte{7}, [32]byte{8}
	good := judge(Default(), sound(), &memory{})
	a, err := good.Approve(batch, Agree(batch))
	if err != nil || !a.Covers([32]byte{1}) {
		t.Fatalf("a sound item is not approved: %v", err)
	}
	if a.Covers([32]byte{2}) {
		t.Error("an approval covers other content")
	}
	bad := sound()
	bad.Facts.Inputs[0].Own = false
	for name, c := range map[string]struct {
		verdict Verdict
		consent Consent
	}{
		"no consent":    {good, Consent{}},
		"other batch":   {good, Agree(otherBatch)},
		"refused":       {judge(Default(), bad, &memory{}), Agree(batch)},
		"never judged":  {Verdict{}, Agree(batch)},
		"empty policy":  {judge(Policy{}, sound(), &memory{}), Agree(batch)},
		"empty consent": {good, Consent{batch: batch}},
	} {
		if a, err := c.verdict.Approve(batch, c.consent); err == nil || a.Covers([32]byte{1}) {
			t.Errorf("%s: approved", name)
		}
	}
	if (Approval{}).Covers([32]byte{}) {
		t.Error("the empty approval covers the empty content")
	}
}

// taproot spends a taproot output without its previous transaction.
func taproot(s *Subject) {
	s.Facts.Inputs[0].Kind, s.Facts.Inputs[0].Proven = "P2TR", false
}

// mixed adds a proven input of another kind. Signed twice, with the claim on
// one input and then on the other, it would pay a fee that nobody saw.
func mixed(s *Subject) {
	taproot(s)
	s.Facts.Inputs = append(s.Facts.Inputs, chain.Input{Outpoint: "op2", Kind: "P2WPKH", Value: 1, Proven: true, Own: true})
}
