package policy

import (
	"slices"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/chain/chaintest"
)

// sound is a payment that nothing is wrong with.
func sound() Subject {
	return Subject{ID: "id", Content: [32]byte{1}, Facts: chaintest.Complete(chain.Facts{
		Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Unit: "vB",
		Sources:   []chain.Source{{ID: "op", Kind: "P2WPKH", Amount: chain.NewAmount(100_000), Proven: true, Own: true}},
		Movements: []chain.Movement{{To: "a", Address: "a", Kind: "P2WPKH", Amount: chain.NewAmount(60_000)}, {To: "b", Address: "b", Kind: "P2WPKH", Amount: chain.NewAmount(39_000), Change: chain.NewAmount(39_000), Own: ownKey()}},
		Fee:       chain.NewAmount(1000), Size: 141,
	})}
}

// found adds a finding of the family.
func (s *Subject) found(code chain.Code, part chain.Part) {
	s.Facts.Findings = append(s.Facts.Findings, chain.Because(code, "found by the family").Of(chain.At{Part: part}))
}

func ownKey() *chain.Key { return &chain.Key{SignatureID: "own", Index: chain.NoIndex} }

// judge judges one item by itself.
func judge(p Policy, s Subject, h History) Verdict {
	return p.Judge([]Subject{s}, Circumstances{}, h)[0]
}

func TestSoundPaymentPasses(t *testing.T) {
	v := judge(Default(utxoCoins{}), sound(), was(30*aDay, "a", 60_000))
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
		"taproot claim":   {func(s *Subject) { s.found(chain.FlagCommitted, chain.OfSource) }, &memory{}, chain.FlagCommitted, false},
		"unproven":        {func(s *Subject) { s.found(chain.UnprovenAmount, chain.OfSource) }, &memory{}, chain.UnprovenAmount, true},
		"burn":            {func(s *Subject) { s.found(chain.FlagBurn, chain.OfMovement) }, &memory{}, chain.FlagBurn, false},
		"no rule":         {func(s *Subject) { s.found("of-a-family", chain.Whole) }, &memory{}, "of-a-family", true},
		"under other id":  {func(*Subject) {}, &memory{spent: map[string][32]byte{"op": {1}}}, chain.FlagSameAgain, false},
		"foreign input":   {func(s *Subject) { s.Facts.Sources[0].Own = false }, &memory{}, chain.NoKeyForInput, true},
		"dust":            {func(s *Subject) { s.found(chain.Dust, chain.OfMovement) }, &memory{}, chain.Dust, true},
		"fee rate at cap": {func(s *Subject) { s.Facts.Fee = chain.NewAmount(141_000) }, &memory{}, chain.FlagHighFee, false},
		"fee above cap":   {func(s *Subject) { s.Facts.Fee = chain.NewAmount(141_001) }, &memory{}, chain.FeeAbovePolicy, true},
		"unknown coin":    {func(s *Subject) { s.Facts.Chain = "XYZ" }, &memory{}, chain.ChainNotAllowed, true},
		"id reused":       {func(*Subject) {}, &memory{signed: map[string][32]byte{"id": other}}, chain.ContentChanged, true},
		"same again":      {func(*Subject) {}, &memory{signed: map[string][32]byte{"id": {1}}, spent: map[string][32]byte{"op": {1}}}, chain.FlagSignedBefore, false},
		"outpoint reused": {func(*Subject) {}, &memory{spent: map[string][32]byte{"op": other}}, chain.AlreadySpent, true},
		"tenth":           {func(s *Subject) { s.Facts.Fee = chain.NewAmount(6_001); s.Facts.Size = 200 }, &memory{}, chain.FlagHighFee, false},
		"low fee":         {func(s *Subject) { s.found(chain.FlagLowFee, chain.OfFee) }, &memory{}, chain.FlagLowFee, false},
		"round trip": {func(s *Subject) {
			s.Facts.Movements[0].Change, s.Facts.Movements[0].Own = chain.NewAmount(60_000), ownKey()
		}, &memory{}, chain.FlagRoundTrip, false},
		"data":           {func(s *Subject) { s.found(chain.FlagData, chain.OfMovement) }, &memory{}, chain.FlagData, false},
		"strange script": {func(s *Subject) { s.found(chain.FlagUnnamed, chain.OfMovement) }, &memory{}, chain.FlagUnnamed, false},
		"lock time":      {func(s *Subject) { s.found(chain.FlagLockTime, chain.Whole) }, &memory{}, chain.FlagLockTime, false},
		"replaceable":    {func(s *Subject) { s.found(chain.FlagReplaceable, chain.Whole) }, &memory{}, chain.FlagReplaceable, false},
		"unused key":     {func(s *Subject) { s.Facts.UnusedKeys = []chain.Key{{SignatureID: "k"}} }, &memory{}, chain.FlagUnusedKey, false},
	} {
		s := sound()
		c.change(&s)
		v := judge(Default(utxoCoins{}), s, c.past)
		if v.Refused() != c.refuse || !slices.Contains(v.Codes(), c.code) {
			t.Errorf("%s: refused %v with %v, want %v with %s", name, v.Refused(), v.Codes(), c.refuse, c.code)
		}
	}
}

// An approval exists only for a judged, unrefused item of the batch that was
// agreed to, and covers only its content.
func TestApprovalIsEarned(t *testing.T) {
	batch, otherBatch := [32]byte{7}, [32]byte{8}
	good := judge(Default(utxoCoins{}), sound(), &memory{})
	a, err := good.Approve(batch, Agree(batch))
	if err != nil || !a.Covers([32]byte{1}) {
		t.Fatalf("a sound item is not approved: %v", err)
	}
	if a.Covers([32]byte{2}) {
		t.Error("an approval covers other content")
	}
	bad := sound()
	bad.Facts.Sources[0].Own = false
	for name, c := range map[string]struct {
		verdict Verdict
		consent Consent
	}{
		"no consent":    {good, Consent{}},
		"other batch":   {good, Agree(otherBatch)},
		"refused":       {judge(Default(utxoCoins{}), bad, &memory{}), Agree(batch)},
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
