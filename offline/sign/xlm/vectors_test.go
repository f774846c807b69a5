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

// outcome is what this family's pure part does with a vector.
func outcome(t *testing.T, v accounttest.Vector) (o accounttest.Outcome) {
	r, err := xlm.ReadRequest(v.Network(), v.Pending.SerializedTransaction)
	if err != nil {
		return accounttest.Outcome{Err: err}
	}
	o.Err = chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	for _, seed := range v.Secrets() {
		account, err := Account([]byte(seed))
		if err != nil {
			return accounttest.Outcome{Err: err}
		}
		tx, err := r.Resolve(account, xlm.Quote{Now: time.Unix(v.At.Unix, 0)})
		if err == nil {
			return signAll(t, v, tx, seed)
		}
		o.Err = err
	}
	return o
}

func signAll(t *testing.T, v accounttest.Vector, tx xlm.Tx, seed string) accounttest.Outcome {
	out, err := Sign(tx, v.Network(), []byte(seed))
	if err != nil {
		return accounttest.Outcome{Err: err}
	}
	if again, err := xlm.Decode(tx.Encode()); err != nil || again != tx {
		t.Errorf("%s: encoded and decoded, it is another (%v)", v.Name, err)
	}
	return accounttest.Outcome{Signed: base64.StdEncoding.EncodeToString(out.Envelope), TxID: hex.EncodeToString(out.TxID[:])}
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, "XLM", func(v accounttest.Vector) accounttest.Outcome { return outcome(t, v) })
}
