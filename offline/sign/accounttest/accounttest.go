// Package accounttest reads transactions that Tatum's own libraries signed on
// account chains outside Ethereum's family, for the tests of their signers. All
// keys in it are throw-away.
package accounttest

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// EnvDir names the directory with all the vectors (pending/*.json). Without it
// the tests go over the few that are here:
//
//	KMS_VECTORS_ACCOUNTS=DIR go test ./offline/sign/... -run Vectors -v
const EnvDir = "KMS_VECTORS_ACCOUNTS"

//go:embed testdata/vectors.jsonl
var few []byte

// Vector is a pending transaction, the wallet, what a relay would have to tell,
// and what Tatum KMS signed.
type Vector struct {
	Name, Note string
	Chain      chain.ID
	Testnet    bool
	Pending    struct {
		Chain                 chain.ID
		SerializedTransaction string
		Hashes                []string
		Signatures            []struct{ ID string }
		Index                 *int64
	}
	Wallet       map[string]Entry
	At           json.RawMessage
	SignedTx     *string
	TxID         *string
	DirectSigner *struct {
		SignedTx string
		TxID     *string
	}
	Expect string // sign, sign-better, policy, refuse
}

// Entry is an entry of the wallet: a mnemonic, a private key, or a secret with
// the address that it is said to have.
type Entry struct {
	Mnemonic, PrivateKey, Secret, Address string
	Chain                                 chain.ID
	Testnet                               bool
}

// Network returns the network of the vector.
func (v Vector) Network() chain.Network { return chain.NetworkOf(v.Testnet) }

// Coin returns the coin of the vector's pending transaction.
func (v Vector) Coin() chain.Coin {
	return chain.Coin{Chain: v.Pending.Chain, Network: v.Network()}
}

// Kind returns the name without chain, network and number: "asset-opt-in".
func (v Vector) Kind() string {
	parts := strings.SplitN(v.Name, "-", 4)
	return parts[len(parts)-1]
}

// Entry returns the wallet's entry for the pending's first id; ok is false
// where it has none of this chain and network, which the wallet's own code
// refuses.
func (v Vector) Entry() (e Entry, ok bool) {
	if len(v.Pending.Hashes) == 0 {
		return Entry{}, false
	}
	e, ok = v.Wallet[v.Pending.Hashes[0]]
	return e, ok && e.Chain == v.Chain && e.Testnet == v.Testnet
}

// Secrets returns the secrets of the entries that the pending names. Entries of
// another chain or network have none for it: the wallet's own code refuses them.
func (v Vector) Secrets() (secrets []string) {
	ids := slices.Clone(v.Pending.Hashes)
	for _, s := range v.Pending.Signatures {
		ids = append(ids, s.ID)
	}
	for _, id := range ids {
		e, ok := v.Wallet[id]
		if !ok || e.Chain != v.Chain || e.Testnet != v.Testnet {
			continue
		}
		secrets = append(secrets, e.Secret+e.PrivateKey)
	}
	return secrets
}

// ReadAt reads what a relay would have to tell.
func (v Vector) ReadAt(t testing.TB, at any) {
	t.Helper()
	if err := json.Unmarshal(v.At, at); err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
}

// Want returns the one form that may be signed; ok is false if there is none.
func (v Vector) Want() (signedTx string, txID *string, ok bool) {
	switch {
	case v.DirectSigner != nil:
		return v.DirectSigner.SignedTx, v.DirectSigner.TxID, true
	case v.SignedTx != nil:
		return *v.SignedTx, v.TxID, true
	}
	return "", nil, false
}

// Load returns the vectors of a chain: all of EnvDir, or the few that are here.
func Load(t testing.TB, id chain.ID) (all []Vector) {
	t.Helper()
	for _, raw := range texts(t) {
		var v Vector
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if v.Chain == id {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no vectors of %s", id)
	}
	return all
}

func texts(t testing.TB) (all [][]byte) {
	t.Helper()
	dir := os.Getenv(EnvDir)
	if dir == "" {
		lines := bufio.NewScanner(bytes.NewReader(few))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			all = append(all, bytes.Clone(lines.Bytes()))
		}
		return all
	}
	files, err := filepath.Glob(filepath.Join(dir, "pending", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s=%s has no pending/*.json (%v)", EnvDir, dir, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

// Run judges what a family makes of each vector of a chain: signed bytes in the
// form of Vector.SignedTx, and their id; or a refusal. It logs a table.
func Run(t *testing.T, id chain.ID, elsewhere map[string]string, sign func(Vector) (signed, txID string, err error)) {
	t.Helper()
	count := tally{}
	for _, v := range Load(t, id) {
		signed, txID, err := sign(v)
		v.judge(t, count, elsewhere, signed, txID, err)
	}
	count.log(t)
}

// judge compares what was done with a vector with what must be done, and counts
// it. elsewhere has the kinds of refusals that need what is not in the family's
// pure part, with the reason.
func (v Vector) judge(t testing.TB, count tally, elsewhere map[string]string, signed, txID string, err error) {
	t.Helper()
	where, outside := elsewhere[v.Kind()]
	want, wantID, some := v.Want()
	verdict := "signed, same bytes"
	switch {
	case v.Expect == "refuse" && outside:
		verdict = "not applicable: " + where
	case err != nil:
		verdict = "refused: " + string(chain.CodeOf(err))
		if v.Expect == "sign" || v.Expect == "sign-better" {
			t.Errorf("%s: %v", v.Name, err)
		}
		if v.Expect == "refuse" && chain.CodeOf(err) == chain.InternalFailure {
			t.Errorf("%s: a refusal without a reason: %v", v.Name, err)
		}
	case v.Expect == "refuse":
		t.Errorf("%s: not refused: %s", v.Name, v.Note)
	case !some || signed != want || wantID != nil && txID != *wantID:
		t.Errorf("%s\n got %s\n     %s\nwant %s", v.Name, signed, txID, want)
	}
	count[fmt.Sprintf("%-11s %s", v.Expect, verdict)]++
}

// tally counts outcomes.
type tally map[string]int

// log prints the outcomes, sorted.
func (c tally) log(t testing.TB) {
	t.Helper()
	var lines []string
	for k, n := range c {
		lines = append(lines, fmt.Sprintf("%s: %d", k, n))
	}
	slices.Sort(lines)
	t.Logf("vectors:\n%s", strings.Join(lines, "\n"))
}
