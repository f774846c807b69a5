package evm

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"coldkms/offline/sign/recoverable"
	"coldkms/offline/sign/vectortest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"mnemonic-no-index":    "wallet",
	"wallet-other-network": "wallet",
	"wallet-other-chain":   "wallet",
	"id-not-in-wallet":     "wallet",
	"signatures":           "wallet: KMS derives no key of KCS for `signatures`", // of KCS alone
	"estimate-fails":       "relay: the node says that the call reverts",
}

// resolve goes the way of a pending transaction to the one to be signed.
func resolve(v vectortest.Vector, account evm.Address) (evm.Tx, error) {
	r, err := evm.ReadRequest(v.Coin(), v.Pending.SerializedTransaction, v.Pending.WithdrawalID != nil)
	if err != nil {
		return evm.Tx{}, err
	}
	return r.Resolve(account, quote(v))
}

func quote(v vectortest.Vector) evm.Quote {
	amount := func(s string) chain.Amount {
		a, err := chain.ParseAmount(s)
		if err != nil {
			panic(fmt.Sprintf("%s: %q: %v", v.Name, s, err))
		}
		return a
	}
	balance := amount(v.Resolved.Balance)
	gas, _ := amount(v.Resolved.Gas).Int64()
	price, err := evm.TatumPrice(v.Chain, amount(v.Resolved.GasPrice), v.Resolved.GasStationMaxFeeGwei.String())
	if err != nil {
		panic(fmt.Sprintf("%s: %v", v.Name, err))
	}
	return evm.Quote{ChainID: v.Resolved.ChainID, Nonce: v.Resolved.Nonce, Gas: evm.TatumGas(v.Chain, uint64(gas)), Price: price, Balance: &balance}
}

// outcome is what this family's pure part does with a vector.
func outcome(t *testing.T, v vectortest.Vector) (signed string, call evm.Call, err error) {
	secret, ok := v.Secret(t)
	if !ok {
		return "", evm.Call{}, chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	}
	account, err := recoverable.Account(secret)
	if err != nil {
		t.Fatal(err)
	}
	if v.Signer != nil && *v.Signer != account.String() {
		t.Fatalf("%s: account %s, want %s", v.Name, account, *v.Signer)
	}
	tx, err := resolve(v, account)
	if err != nil {
		return "", evm.Call{}, err
	}
	out, err := Sign(tx, v.Coin(), account, secret)
	if err != nil {
		t.Fatalf("%s: resolved, and Sign: %v", v.Name, err)
	}
	if back, err := evm.DecodeUnsigned(tx.Encode()); err != nil || string(back.Encode()) != string(tx.Encode()) {
		t.Errorf("%s: unsigned form: %v", v.Name, err)
	}
	call, err = tx.Call()
	return "0x" + hex.EncodeToString(out.Raw), call, err
}

func TestVectors(t *testing.T) {
	count := vectortest.Tally{}
	for _, v := range vectortest.Load(t) {
		if v.Chain == "TRON" {
			continue
		}
		signed, call, err := outcome(t, v)
		switch v.Expect {
		case "sign", "sign-better":
			if err != nil || call.Kind != evm.Pay && call.Kind != evm.Transfer {
				t.Errorf("%s: call %d, error %v", v.Name, call.Kind, err)
			}
			count[fmt.Sprintf("%-5s %-11s %s", v.Chain, v.Expect, compare(t, v, signed))]++
		case "policy":
			var verdict string
			if signed != "" && v.SignedTx != nil {
				verdict = fmt.Sprintf("decoded, %s (%s)", compare(t, v, signed), call.Method)
			}
			if err != nil {
				verdict = "refused, " + string(chain.CodeOf(err))
			}
			count[fmt.Sprintf("%-5s policy      %s", v.Chain, verdict)]++
		case "refuse":
			where, outside := elsewhere[v.Kind()]
			switch {
			case outside:
				count[fmt.Sprintf("%-5s refuse      not here: %s", v.Chain, where)]++
			case err == nil:
				t.Errorf("%s: not refused: %s", v.Name, v.Note)
			default:
				count[fmt.Sprintf("%-5s refuse      refused", v.Chain)]++
			}
		}
	}
	count.Log(t)
}

// compare compares signed bytes with those that the vector demands. Some of
// CELO's have no plain transaction to compare with: there the fields must be
// those that KMS put into its old envelope.
func compare(t *testing.T, v vectortest.Vector, signed string) string {
	want := v.SignedTx
	switch {
	case v.DirectSigner != nil:
		want = &v.DirectSigner.SignedTx
	case v.Chain == "CELO":
		raw, _ := hex.DecodeString(strings.TrimPrefix(signed, "0x"))
		tx, _, err := evm.DecodeSigned(raw)
		d := v.Decoded
		if tx.Creates {
			d.To += evm.Address{}.String() // ethers has no destination
		}
		got := [...]string{fmt.Sprint(tx.Nonce), tx.Price.String(), fmt.Sprint(tx.Gas), tx.To.String(), tx.Value.String(), "0x" + hex.EncodeToString(tx.Data)}
		if err != nil || got != [...]string{d.Nonce, d.GasPrice, d.Gas, d.To, d.Value, d.Data} {
			t.Errorf("%s: %v: got %v, want %+v", v.Name, err, got, d)
		}
		return "same fields (no bytes to compare)"
	}
	if signed != *want {
		t.Errorf("%s\n got %s\nwant %s", v.Name, signed, *want)
	}
	return "same bytes"
}
