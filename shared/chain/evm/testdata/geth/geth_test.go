// Package secondopinion compares the signer's own reading of Ethereum's
// transactions with go-ethereum's. It is a module of its own, so that neither
// the product's go.mod nor its go.sum has go-ethereum:
//
//	cd shared/chain/evm/testdata/geth && CGO_ENABLED=0 go test ./...
//	CGO_ENABLED=0 go test -fuzz FuzzRaw -fuzztime 1m .
package secondopinion

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"coldkms/shared/chain/evm"
)

// raws returns the signed transactions of the vectors: those beside the
// signer's tests, and all of KMS_VECTORS_EVM if it is set.
func raws(t testing.TB) (list [][]byte) {
	t.Helper()
	var texts [][]byte
	if dir := os.Getenv("KMS_VECTORS_EVM"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "pending", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, b)
		}
	}
	b, err := os.ReadFile("../../../../../offline/sign/vectortest/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		texts = append(texts, bytes.Clone(lines.Bytes()))
	}
	for _, text := range texts {
		var v struct {
			SignedTx     string
			DirectSigner struct{ SignedTx string }
		}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{v.SignedTx, v.DirectSigner.SignedTx} {
			if raw, err := hex.DecodeString(strings.TrimPrefix(s, "0x")); err == nil && len(raw) > 0 {
				list = append(list, raw)
			}
		}
	}
	return list
}

// compare demands that both read the same, where ours reads at all.
func compare(t *testing.T, raw []byte) (read bool) {
	ours, sig, err := evm.DecodeSigned(raw)
	if err != nil {
		return false
	}
	var theirs types.Transaction
	if err := theirs.UnmarshalBinary(raw); err != nil {
		t.Fatalf("%x: ours reads it, go-ethereum: %v", raw, err)
	}
	to := common.Address(ours.To)
	v, r, s := theirs.RawSignatureValues()
	signer := types.LatestSignerForChainID(theirs.ChainId())
	switch {
	case theirs.Type() != uint8(ours.Type),
		theirs.ChainId().Cmp(new(big.Int).SetUint64(ours.ChainID)) != 0,
		theirs.Nonce() != ours.Nonce, theirs.Gas() != ours.Gas,
		theirs.GasFeeCap().Cmp(ours.Price.Big()) != 0,
		ours.Type == evm.DynamicFee && theirs.GasTipCap().Cmp(ours.Tip.Big()) != 0,
		theirs.Value().Cmp(ours.Value.Big()) != 0,
		!bytes.Equal(theirs.Data(), ours.Data),
		(theirs.To() == nil) != ours.Creates, theirs.To() != nil && *theirs.To() != to,
		len(theirs.AccessList()) != 0,
		v == nil || r.Cmp(new(big.Int).SetBytes(sig.R[:])) != 0 || s.Cmp(new(big.Int).SetBytes(sig.S[:])) != 0,
		theirs.Hash() != common.Hash(evm.TxID(raw)),
		signer.Hash(&theirs) != common.Hash(ours.SigningHash()):
		t.Fatalf("%x: ours %+v, go-ethereum %+v", raw, ours, theirs)
	}
	sender, errOurs := ours.Sender(sig)
	from, errTheirs := types.Sender(signer, &theirs)
	if (errOurs == nil) != (errTheirs == nil) || errOurs == nil && from != common.Address(sender) {
		t.Fatalf("%x: sender %s (%v), go-ethereum %s (%v)", raw, sender, errOurs, from, errTheirs)
	}
	return true
}

func TestVectors(t *testing.T) {
	var read int
	list := raws(t)
	for _, raw := range list {
		if compare(t, raw) {
			read++
		}
	}
	t.Logf("%d signed transactions, %d read by both alike", len(list), read)
	if read < 50 {
		t.Errorf("only %d read", read)
	}
}

// What go-ethereum reads and ours refuses is only what is refused on purpose.
func TestRefusedOnPurpose(t *testing.T) {
	for _, raw := range raws(t) {
		var theirs types.Transaction
		if theirs.UnmarshalBinary(raw) != nil {
			continue // CELO's old envelope
		}
		_, _, err := evm.DecodeSigned(raw)
		if err != nil && theirs.Type() != types.AccessListTxType {
			t.Errorf("%x: go-ethereum reads it (type %d), ours: %v", raw, theirs.Type(), err)
		}
	}
}

func TestChecksum(t *testing.T) {
	for i := range 1000 {
		var a evm.Address
		for j := range a {
			a[j] = byte(i * (j + 7) >> (j % 5))
		}
		if got, want := a.String(), common.Address(a).Hex(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzRaw(f *testing.F) {
	for _, raw := range raws(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { compare(t, raw) })
}
