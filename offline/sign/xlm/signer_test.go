package xlm

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/chain"
	"coldkms/shared/chain/xlm"
)

// Seeds of Stellar: that of an account of its documentation, and a throw-away.
const (
	seed  = "SDJHRQF4GCMIIKAAAQ6IHY42X73FQFLHUULAPSKKD4DFDM7UXWWCRHBE"
	other = "SAM7FQ5554SOJDU4QJBLO4HNBOMR5B7QXTCADKGF3RGMWMG24TTGP6P6"
)

func sample(t *testing.T) xlm.Tx {
	t.Helper()
	account, err := Account([]byte(seed))
	if err != nil || account.String() != "GCZHXL5HXQX5ABDM26LHYRCQZ5OJFHLOPLZX47WEBP3V2PF5AVFK2A5D" {
		t.Fatalf("%s, %v", account, err)
	}
	return xlm.Tx{Source: account, Fee: 100, Sequence: 7, Operation: xlm.Operation{Kind: xlm.Payment, Destination: xlm.Muxed{Account: xlm.Account{7: 7}}, Amount: 5}}
}

func TestSign(t *testing.T) {
	x := sample(t)
	for _, n := range []chain.Network{chain.Mainnet, chain.Testnet} {
		out, err := Sign(x, n, []byte(seed))
		if err != nil {
			t.Fatal(err)
		}
		if out.Signature.Verify(x, 3-n) {
			t.Error("the signature is of the other network too")
		}
		changed := x
		if changed.Operation.Amount++; out.Signature.Verify(changed, n) || !out.Signature.Verify(x, n) {
			t.Error("the signature is of another amount, or of none")
		}
		if again, err := Sign(x, n, []byte(seed)); err != nil || !bytes.Equal(again.Envelope, out.Envelope) {
			t.Errorf("signed again, it differs (%v)", err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	x := sample(t)
	for name, secret := range map[string]string{
		"none": "", "another account": other, "an address": x.Source.String(), "checksum": seed[:55] + "F", "short": seed[:55], "long": seed + "A",
		"lower case": strings.ToLower(seed), "line break": seed[:20] + "\n" + seed[20:], "XRP's": "sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r",
	} {
		out, err := Sign(x, chain.Mainnet, []byte(secret))
		if chain.CodeOf(err) != chain.NoKeyForInput || out.Envelope != nil {
			t.Errorf("%s: %v", name, err)
		}
		if secret != "" && name != "an address" && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
	if _, err := Sign(x, chain.UnknownNetwork, []byte(seed)); chain.CodeOf(err) != chain.WrongNetwork {
		t.Errorf("no network: %v", err)
	}
	x.Fee = xlm.MaxFee + 1
	if _, err := Sign(x, chain.Mainnet, []byte(seed)); chain.CodeOf(err) != xlm.FeeRange {
		t.Errorf("a fee above the cap: %v", err)
	}
}

// No bit that flips in one of the two signatures gets out, nor one that flips
// in both.
func TestFaults(t *testing.T) {
	x := sample(t)
	for bit := 0; bit < 8*ed25519.SignatureSize; bit += 7 {
		for _, in := range [][]int{{1}, {2}, {1, 2}} {
			call := 0
			faulty := func(private ed25519.PrivateKey, message []byte) []byte {
				signature := ed25519.Sign(private, message)
				if call++; slices.Contains(in, call) {
					signature[bit/8] ^= 1 << (bit % 8)
				}
				return signature
			}
			if out, err := sign(x, chain.Mainnet, []byte(seed), faulty); err == nil || out.Envelope != nil {
				t.Errorf("bit %d of signatures %v: signed", bit, in)
			}
		}
	}
}

// An own signature that is there already is left out and made again; one with
// another hint, or of another transaction, is not the source's.
func TestSignedAlready(t *testing.T) {
	x := sample(t)
	out, err := Sign(x, chain.Mainnet, []byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	r, err := xlm.ReadRequest(chain.Mainnet, base64.StdEncoding.EncodeToString(out.Envelope))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Resolve(x.Source, xlm.Quote{}); err != nil || got != x {
		t.Errorf("%v: %+v", err, got)
	}
	for name, change := range map[string]func(r *xlm.Request){
		"hint":        func(r *xlm.Request) { r.Signatures[0].Hint[0] ^= 1 },
		"network":     func(r *xlm.Request) { r.Network = chain.Testnet },
		"transaction": func(r *xlm.Request) { r.Tx.Operation.Amount++ },
		"twice":       func(r *xlm.Request) { r.Signatures = append(r.Signatures, r.Signatures[0]) },
	} {
		r := r
		r.Signatures = slices.Clone(r.Signatures)
		change(&r)
		if got, err := r.Resolve(x.Source, xlm.Quote{}); chain.CodeOf(err) != chain.ForeignScript {
			t.Errorf("%s: %v (%+v)", name, err, got)
		}
	}
}
