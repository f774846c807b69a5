package tron

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"coldkms/offline/sign/vectortest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/tron"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"mnemonic-no-index":    "wallet",
	"wallet-other-network": "wallet",
	"wallet-other-chain":   "wallet",
	"id-not-in-wallet":     "wallet",
	"batch-same-txid":      "ledger: one txid, one pending id",
}

// outcome is what this family's pure part does with a vector.
func outcome(t *testing.T, v vectortest.Vector) (signed string, r tron.Request, err error) {
	secret, ok := v.Secret(t)
	if !ok {
		return "", r, chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	}
	if r, err = tron.ReadRequest(v.Pending.SerializedTransaction); err != nil {
		return "", r, err
	}
	if string(r.Tx.Encode()) != string(r.Raw) {
		t.Errorf("%s: decoded and encoded, it is another", v.Name)
	}
	if err := r.Tx.CheckTime(time.UnixMilli(v.Resolved.Now), 0); err != nil {
		return "", r, err
	}
	out, err := Sign(r.Raw, secret)
	if err != nil {
		return "", r, err
	}
	if v.TxID != nil && hex.EncodeToString(out.TxID[:]) != *v.TxID {
		t.Errorf("%s: txid %x, want %s", v.Name, out.TxID, *v.TxID)
	}
	signed = r.SignedJSON(out.Signature)
	if r.Tx.Contract.Kind == tron.TriggerSmartContract {
		_, err = r.Tx.Call()
	}
	return signed, r, err
}

func TestVectors(t *testing.T) {
	count := vectortest.Tally{}
	for _, v := range vectortest.Load(t) {
		if v.Chain != "TRON" {
			continue
		}
		signed, r, err := outcome(t, v)
		switch v.Expect {
		case "sign":
			if err != nil || signed != *v.SignedTx {
				t.Errorf("%s: %v\n got %s\nwant %s", v.Name, err, signed, *v.SignedTx)
			}
			count["sign: same bytes"]++
		case "policy":
			if signed != "" && v.SignedTx != nil && signed != *v.SignedTx {
				t.Errorf("%s: signed otherwise\n got %s\nwant %s", v.Name, signed, *v.SignedTx)
			}
			verdict := "decoded, same bytes: " + r.Tx.Contract.Kind.String()
			if err != nil {
				verdict = fmt.Sprintf("refused, %s: %s", chain.CodeOf(err), v.Kind())
			}
			count["policy: "+verdict]++
		case "refuse":
			where, outside := elsewhere[v.Kind()]
			switch {
			case outside:
				count["refuse: not here: "+where]++
			case err == nil:
				t.Errorf("%s: not refused: %s", v.Name, v.Note)
			default:
				count[fmt.Sprintf("refuse: refused, %s", chain.CodeOf(err))]++
				t.Logf("%s: %v", v.Name, err)
			}
		}
	}
	count.Log(t)
}
