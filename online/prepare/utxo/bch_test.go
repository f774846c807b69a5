package utxo_test

import (
	"fmt"
	"testing"

	"coldkms/online/prepare/utxo"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// bare is a transaction of one input and one output, unsigned.
const bare = "0200000001b9ad707211e75de0c8164f2f12a783e88ac47aafdd81d096520c14d9c815b43d0000000000ffffffff010f6e0200000000001976a914ff05fcca4e1183e4d00a60fb986aa5540cb9aa5288ac00000000"

// carrying is the same with a scriptSig of one byte.
const carrying = "0200000001b9ad707211e75de0c8164f2f12a783e88ac47aafdd81d096520c14d9c815b43d000000000151ffffffff010f6e0200000000001976a914ff05fcca4e1183e4d00a60fb986aa5540cb9aa5288ac00000000"

// Tatum's form for BCH is hex, a colon and one amount an input.
func TestBCHForm(t *testing.T) {
	for text, want := range map[string]chain.Code{
		bare + ":[160247]":               "",
		bare + `:["160247"]`:             "",
		bare + ":[160247,1]":             chain.Malformed,
		bare + ":[]":                     chain.Malformed,
		bare + ":[160247.5]":             chain.Malformed,
		bare + ":[-1]":                   chain.Malformed,
		bare + ":[1e5]":                  chain.Malformed,
		bare + ":[null]":                 chain.Malformed,
		bare + ":[160247] x":             chain.Malformed,
		bare + ":160247":                 chain.Malformed,
		bare:                             chain.Malformed,
		bare + "00:[160247]":             chain.Malformed,
		bare[2:] + ":[160247]":           chain.Malformed,
		"zz:[160247]":                    chain.Malformed,
		carrying + ":[160247]":           chain.ForeignScript,
		":[160247]":                      chain.Malformed,
		bare + ":[99999999999999999999]": chain.Malformed,
	} {
		tx, err := pending.Parse(fmt.Appendf(nil, `{"id":"a","chain":"BCH","hashes":["k"],"serializedTransaction":%q}`, text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = utxo.New().Parse(tx, chain.Mainnet)
		if (err == nil) != (want == "") || (err != nil && chain.CodeOf(err) != want) {
			t.Errorf("%.20s…%s: %v, want %q", text, text[max(0, len(text)-12):], err, want)
		}
	}
}
