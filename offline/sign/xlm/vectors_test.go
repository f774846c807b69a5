package xlm

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"

	"coldkms/offline/sign/accounttest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/xlm"
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
	var at struct{ Unix int64 }
	v.ReadAt(t, &at)
	r, err := xlm.ReadRequest(v.Network(), v.Pending.SerializedTransaction)
	if err != nil {
		return "", "", err
	}
	err = chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	for _, seed := range v.Secrets() {
		account, bad := Account([]byte(seed))
		if bad != nil {
			return "", "", bad
		}
		tx, wrong := r.Resolve(account, xlm.Quote{Now: time.Unix(at.Unix, 0)})
		if wrong == nil {
			return signAll(t, v, tx, seed)
		}
		err = wrong
	}
	return "", "", err
}

func signAll(t *testing.T, v accounttest.Vector, tx xlm.Tx, seed string) (signed, txID string, err error) {
	out, err := Sign(tx, v.Network(), []byte(seed))
	if err != nil {
		return "", "", err
	}
	if again, err := xlm.Decode(tx.Encode()); err != nil || again != tx {
		t.Errorf("%s: encoded and decoded, it is another (%v)", v.Name, err)
	}
	return base64.StdEncoding.EncodeToString(out.Envelope), hex.EncodeToString(out.TxID[:]), nil
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, "XLM", elsewhere, func(v accounttest.Vector) (string, string, error) { return outcome(t, v) })
}
