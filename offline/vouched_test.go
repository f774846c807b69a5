package offline

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"coldkms/offline/ledger"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func approverPolicy(t *testing.T, needed int, seeds ...byte) string {
	t.Helper()
	keys := ""
	for i, seed := range seeds {
		k := person(t, seed).Public()
		if i > 0 {
			keys += ","
		}
		keys += fmt.Sprintf(`{"name":"approver %d","key":"%x"}`, seed, k[:])
	}
	return fmt.Sprintf(`{"version":1,"chains":[{"chain":"BTC","network":"testnet"}],"approvers":{"needed":%d,"keys":[%s]}}`, needed, keys)
}

const soon = 1_790_000_000 + 60 // a minute after the clock of newSession's ledger

// vouchedRequest is for one item with statements.
func vouchedRequest(t *testing.T, s *Session, relay identity.Private, id string, list ...attestation.Statement) []byte {
	t.Helper()
	slices.SortFunc(list, func(a, b attestation.Statement) int { return bytes.Compare(a.Approver[:], b.Approver[:]) })
	sealed, err := bundle.SealRequest(bundle.Request{Signer: s.Identity.Public(), Items: []bundle.Item{{
		ID: id, Family: "test", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: []byte{}, Context: []byte{}, Keys: []chain.Key{}, Statements: list,
	}}}, relay)
	if err != nil {
		t.Fatal(err)
	}
	return sealed.File
}

func TestApproversVouch(t *testing.T) {
	about := func(seed byte, id string, expires int64) attestation.Statement {
		return attestation.Of(id, job(id).Subject().Facts).Sign(person(t, seed), expires)
	}
	otherFee := job("good").Subject().Facts
	otherFee.Fee = chain.NewAmount(201)
	tampered := about(21, "good", soon)
	tampered.Expires++
	for name, c := range map[string]struct {
		needed int
		list   []attestation.Statement
		ok     bool
	}{
		"one of one":          {1, []attestation.Statement{about(21, "good", soon)}, true},
		"two of two":          {2, []attestation.Statement{about(21, "good", soon), about(22, "good", soon)}, true},
		"beside a stranger's": {1, []attestation.Statement{about(21, "good", soon), about(29, "good", soon)}, true},
		"none":                {1, nil, false},
		"one of two":          {2, []attestation.Statement{about(21, "good", soon)}, false},
		"a stranger's":        {1, []attestation.Statement{about(29, "good", soon)}, false},
		"one and a stranger":  {2, []attestation.Statement{about(21, "good", soon), about(29, "good", soon)}, false},
		"another id":          {1, []attestation.Statement{about(21, "goof", soon)}, false},
		"another fee":         {1, []attestation.Statement{attestation.Of("good", otherFee).Sign(person(t, 21), soon)}, false},
		"expired now":         {1, []attestation.Statement{about(21, "good", 1_790_000_000)}, false},
		"another expiry":      {1, []attestation.Statement{tampered}, false},
		"not yet expired":     {1, []attestation.Statement{about(21, "good", 1_790_000_001)}, true},
	} {
		s, relay := newSession(t, &memory{})
		s.Policy = parsePolicy(t, approverPolicy(t, c.needed, 21, 22))
		j := judged(t, s, vouchedRequest(t, s, relay, "good", c.list...))
		n, done := signedOf(t, s, j)
		if got := done.Result.Outcomes[0].Code; (n == 1) != c.ok || (!c.ok && got != chain.ApprovalMissing) {
			t.Errorf("%s: %d signed, code %q", name, n, got)
		}
		for _, v := range j.Batch.Items[0].Vouched {
			if v.Name == "" || v.Until == 0 {
				t.Errorf("%s: shown as %s", name, v)
			}
		}
	}
}

// A statement that expires while the review is read does not count any more.
func TestStatementExpiresBetweenReviewAndSignature(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	s, relay := newSession(t, &memory{})
	book, err := ledger.Create(&memory{}, ledger.OwnerOf(person(t, 2)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger, s.Policy = book, parsePolicy(t, approverPolicy(t, 1, 21))
	st := attestation.Of("good", job("good").Subject().Facts).Sign(person(t, 21), soon)
	j := judged(t, s, vouchedRequest(t, s, relay, "good", st))
	if j.Batch.Items[0].Refused() {
		t.Fatal(j.Batch.Items[0].Refusals)
	}
	now = time.Unix(soon, 0)
	if n, done := signedOf(t, s, j); n != 0 || done.Result.Outcomes[0].Code != chain.ApprovalMissing {
		t.Errorf("signed with a statement that had expired: %v", done.Result.Outcomes)
	}
}
