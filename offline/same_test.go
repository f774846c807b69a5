package offline

import (
	"encoding/hex"
	"strings"
	"testing"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// Bytes that are not those which the ledger has of the same content never
// leave.
func TestSameAgainIsTheSameBytes(t *testing.T) {
	s, relay := newSession(t, &memory{})
	content, other := [32]byte{'a'}, [32]byte{1, 2, 3}
	fee := chain.NewAmount(200)
	if err := s.Ledger.Append(ledger.Line{Kind: ledger.KindSigned, ID: "a", Content: hex.EncodeToString(content[:]), TxID: "tx-a",
		Final: hex.EncodeToString(other[:]), Spent: []string{"a:0"}, Fee: &fee}); err != nil {
		t.Fatal(err)
	}
	sealed := request(t, s, relay, "a", "b")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	if a := done.Result.Outcomes[0]; a.Code != chain.SignedEarlier || !strings.Contains(a.Reason, string(chain.InternalFailure)) || len(a.Signatures) > 0 || len(done.Outcomes[0].Signed.Raw) > 0 {
		t.Errorf("other bytes left: %+v", a)
	}
	if b := done.Result.Outcomes[1]; !b.Signed() {
		t.Errorf("the other item is refused: %+v", b)
	}
}
