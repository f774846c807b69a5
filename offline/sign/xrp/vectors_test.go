package xrp

import (
	"bytes"
	"fmt"
	"testing"

	"coldkms/offline/sign/accounttest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/xrp"
)

// outcome is what this family's pure part does with a vector.
func outcome(t *testing.T, v accounttest.Vector) (o accounttest.Outcome) {
	r, err := xrp.ReadRequest(v.Network(), v.Pending.SerializedTransaction)
	if err != nil {
		return accounttest.Outcome{Err: err}
	}
	o.Err = chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	for _, seed := range v.Secrets() {
		key, err := Address([]byte(seed))
		if err != nil {
			return accounttest.Outcome{Err: err}
		}
		tx, err := r.Resolve(key.Account(), xrp.Quote{Ledger: v.At.LedgerIndex})
		if err == nil {
			return signAll(t, v, tx, seed)
		}
		o.Err = err
	}
	return o
}

func signAll(t *testing.T, v accounttest.Vector, tx xrp.Tx, seed string) accounttest.Outcome {
	out, err := Sign(tx, []byte(seed))
	if err != nil {
		return accounttest.Outcome{Err: err}
	}
	again, err := xrp.Decode(tx.Encode())
	if err != nil || !bytes.Equal(again.Encode(), tx.Encode()) {
		t.Errorf("%s: encoded and decoded, it is another (%v)", v.Name, err)
	}
	return accounttest.Outcome{Signed: fmt.Sprintf("%X", out.Raw), TxID: fmt.Sprintf("%X", out.TxID)}
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, "XRP", func(v accounttest.Vector) accounttest.Outcome { return outcome(t, v) })
}
