package xrp

import (
	"bytes"
	"fmt"
	"testing"

	"coldkms/offline/sign/accounttest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/xrp"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"entry-other-network": "the wallet has no key for it",
	"entry-other-chain":   "the wallet has no key for it",
	"unknown-id":          "the wallet has no key for it",
	"chain-mismatch":      "the pending names another chain, which the relay and the bundle refuse",
}

// outcome is what this family's pure part does with a vector.
func outcome(t *testing.T, v accounttest.Vector) (signed, txID string, err error) {
	var at struct{ LedgerIndex uint32 }
	v.ReadAt(t, &at)
	r, err := xrp.ReadRequest(v.Network(), v.Pending.SerializedTransaction)
	if err != nil {
		return "", "", err
	}
	err = chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	for _, seed := range v.Secrets() {
		key, bad := Address([]byte(seed))
		if bad != nil {
			return "", "", bad
		}
		tx, wrong := r.Resolve(key.Account(), xrp.Quote{Ledger: at.LedgerIndex})
		if wrong == nil {
			return signAll(t, v, tx, seed)
		}
		err = wrong
	}
	return "", "", err
}

func signAll(t *testing.T, v accounttest.Vector, tx xrp.Tx, seed string) (signed, txID string, err error) {
	out, err := Sign(tx, []byte(seed))
	if err != nil {
		return "", "", err
	}
	again, err := xrp.Decode(tx.Encode())
	if err != nil || !bytes.Equal(again.Encode(), tx.Encode()) {
		t.Errorf("%s: encoded and decoded, it is another (%v)", v.Name, err)
	}
	return fmt.Sprintf("%X", out.Raw), fmt.Sprintf("%X", out.TxID), nil
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, "XRP", elsewhere, func(v accounttest.Vector) (string, string, error) { return outcome(t, v) })
}
