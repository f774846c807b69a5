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

// Vector is a pending transaction, the wallet, what a relay would state, and
// what Tatum KMS signed.
type Vector struct {
	Name, Note string
	Chain      chain.ID
	Testnet    bool
	Pending    struct {
		Chain                 chain.ID
		SerializedTransaction string
		Hashes                []string
		Signatures            []struct{ ID string }
	}
	Wallet map[string]Entry
	At     struct {
		Unix        int64
		LedgerIndex uint32
	}
	SignedTx     *string
	TxID         *string
	DirectSigner *struct{ SignedTx, TxID string }
	Expect       string // sign, sign-better, policy, refuse
}

// Entry is an entry of the wallet: an address and its secret, or a secret.
type Entry struct {
	Address, Secret, PrivateKey string
	Chain                       chain.ID
	Testnet                     bool
}

// Network returns the network of the vector.
func (v Vector) Network() chain.Network { return chain.NetworkOf(v.Testnet) }

// Kind returns the name without chain, network and number: "payment".
func (v Vector) Kind() string { return strings.SplitN(v.Name, "-", 4)[3] }

// Load returns a chain's vectors: all of EnvDir, or the few that are here.
func Load(t testing.TB, id chain.ID) (all []Vector) {
	t.Helper()
	for _, raw := range read(t) {
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

func read(t testing.TB) (all [][]byte) {
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

// Outcome is what a family's pure part made of a vector: signed bytes in the
// form of Vector.SignedTx, and their id; or a refusal.
type Outcome struct {
	Signed, TxID string
	Err          error
}

// elsewhere are the refusals that need what is not in a family's pure part.
func elsewhere(kind string) string {
	switch kind {
	case "entry-other-network", "entry-other-chain", "unknown-id":
		return "not applicable: the wallet has no key for it"
	case "chain-mismatch":
		return "not applicable: the pending names another chain, which the relay and the bundle refuse"
	}
	return ""
}

// Run compares what a family makes of each vector with what it must, and logs a
// table.
func Run(t *testing.T, id chain.ID, sign func(Vector) Outcome) {
	count := map[string]int{}
	for _, v := range Load(t, id) {
		if v.Expect == "refuse" && elsewhere(v.Kind()) != "" {
			count["refuse: "+elsewhere(v.Kind())]++
			continue
		}
		count[v.Expect+": "+v.verdict(t, sign(v))]++
	}
	var lines []string
	for k, n := range count {
		lines = append(lines, fmt.Sprintf("%4d %s", n, k))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Logf("vectors:\n%s", strings.Join(lines, "\n"))
}

// verdict fails the test if an outcome is not what the vector expects.
func (v Vector) verdict(t *testing.T, o Outcome) string {
	t.Helper()
	want, id := v.SignedTx, v.TxID
	if v.DirectSigner != nil {
		want, id = &v.DirectSigner.SignedTx, &v.DirectSigner.TxID
	}
	switch {
	case o.Err == nil && v.Expect == "refuse":
		t.Errorf("%s: not refused: %s", v.Name, v.Note)
		return "FAILED"
	case o.Err == nil:
		if want == nil || o.Signed != *want || id != nil && o.TxID != *id {
			t.Errorf("%s: signed otherwise\n got %s %s\nwant %v", v.Name, o.Signed, o.TxID, want)
			return "FAILED"
		}
		return "same bytes, same id"
	case v.Expect == "sign", v.Expect == "sign-better":
		t.Errorf("%s: %v", v.Name, o.Err)
		return "FAILED"
	case v.Expect == "policy":
		return fmt.Sprintf("refused, %s: %s", chain.CodeOf(o.Err), v.Kind())
	}
	t.Logf("%s: %v", v.Name, o.Err)
	if chain.CodeOf(o.Err) == chain.InternalFailure {
		t.Errorf("%s: a refusal without a reason: %v", v.Name, o.Err)
	}
	return fmt.Sprintf("refused, %s", chain.CodeOf(o.Err))
}
