// Package vectortest reads transactions that Tatum's own libraries signed, for
// the tests of the account chains' signers. All keys in it are throw-away.
package vectortest

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"

	"coldkms/offline/hd"
	"coldkms/shared/chain"
)

// EnvDir names the directory with all the vectors (pending/*.json). Without it
// the tests go over the few that are here:
//
//	KMS_VECTORS_EVM=DIR go test ./offline/sign/... -run Vectors -v
const EnvDir = "KMS_VECTORS_EVM"

//go:embed testdata/vectors.jsonl
var few []byte

// Vector is a pending transaction, the wallet, what the network answered while
// Tatum KMS signed, and what it signed.
type Vector struct {
	Name, Note string
	Chain      chain.ID
	Testnet    bool
	Pending    struct {
		SerializedTransaction string
		WithdrawalID          *string
		Hashes                []string
		Index                 *int64
		Signatures            []struct {
			ID    string
			Index *int64
		}
	}
	Wallet   map[string]Entry
	Signer   *string
	Resolved struct {
		ChainID              uint64
		Nonce                uint64
		Gas                  string
		GasPrice             string
		Balance              string
		GasStationMaxFeeGwei json.Number
		Now                  int64
	}
	Decoded struct { // SignedTx, read by ethers
		Nonce, GasPrice, Gas, To, Value, Data string
	}
	SignedTx     *string
	TxID         *string
	DirectSigner *struct{ SignedTx, TxID string }
	Expect       string // sign, sign-better, policy, refuse
}

// Entry is an entry of the wallet: a mnemonic, or a private key.
type Entry struct {
	Mnemonic, PrivateKey string
	Chain                chain.ID
	Testnet              bool
}

// Coin returns the coin of the vector.
func (v Vector) Coin() chain.Coin {
	return chain.Coin{Chain: v.Chain, Network: chain.NetworkOf(v.Testnet)}
}

// Kind returns the name without chain, network and number: "native-fee-nonce".
func (v Vector) Kind() string { return strings.SplitN(v.Name, "-", 4)[3] }

// Load returns the vectors: all of EnvDir, or the few that are here.
func Load(t testing.TB) (all []Vector) {
	t.Helper()
	dir := os.Getenv(EnvDir)
	if dir == "" {
		lines := bufio.NewScanner(bytes.NewReader(few))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			all = append(all, parse(t, lines.Bytes()))
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
		all = append(all, parse(t, raw))
	}
	return all
}

func parse(t testing.TB, raw []byte) (v Vector) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Secret returns the private key that the pending names; ok is false where the
// wallet has none for it, which the wallet's own code refuses.
func (v Vector) Secret(t testing.TB) (secret []byte, ok bool) {
	t.Helper()
	var id string
	index := v.Pending.Index
	switch {
	case len(v.Pending.Hashes) > 0:
		id = v.Pending.Hashes[0]
	case len(v.Pending.Signatures) > 0:
		id, index = v.Pending.Signatures[0].ID, v.Pending.Signatures[0].Index
	}
	e, ok := v.Wallet[id]
	if !ok || e.Chain != v.Chain || e.Testnet != v.Testnet {
		return nil, false
	}
	if e.PrivateKey != "" {
		secret, err := hex.DecodeString(strings.TrimPrefix(e.PrivateKey, "0x"))
		if err != nil {
			t.Fatal(err)
		}
		return secret, true
	}
	if index == nil {
		return nil, false
	}
	return derive(t, e, uint32(*index)), true
}

// derive returns the key at m/44'/coin'/0'/0/index (BIP 44, SLIP 44).
func derive(t testing.TB, e Entry, index uint32) []byte {
	t.Helper()
	coin, ok := map[chain.ID]uint32{"ETH": 60, "BSC": 60, "KCS": 60, "MATIC": 966, "KLAY": 8217, "ONE": 1023, "XDC": 550, "CELO": 52752, "TRON": 195}[e.Chain]
	if !ok {
		t.Fatalf("no path for %s", e.Chain)
	}
	if e.Testnet && e.Chain != "TRON" {
		coin = 1
	}
	key, err := hdkeychain.NewMaster(hd.Seed([]byte(e.Mnemonic), nil), &chaincfg.MainNetParams)
	const hardened = hdkeychain.HardenedKeyStart
	for _, step := range []uint32{hardened + 44, hardened + coin, hardened, 0, index} {
		if err != nil {
			t.Fatal(err)
		}
		key, err = key.Derive(step)
	}
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.ECPrivKey()
	if err != nil {
		t.Fatal(err)
	}
	return private.Serialize()
}

// Tally counts outcomes.
type Tally map[string]int

// Log prints the outcomes, sorted.
func (c Tally) Log(t testing.TB) {
	t.Helper()
	var lines []string
	for k, n := range c {
		lines = append(lines, fmt.Sprintf("%s: %d", k, n))
	}
	slices.Sort(lines)
	t.Logf("vectors:\n%s", strings.Join(lines, "\n"))
}
