//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// TestScripts drives the real program, on a real terminal, through the
// scripts in testdata.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	program := filepath.Join(bin, "program", "kms-offline")
	build := exec.Command("go", "build", "-tags", "coldkms_cheap_kdf", "-o", filepath.Dir(program)+"/", "coldkms/cmd/kms-offline", "coldkms/cmd/testtools/exits", "coldkms/cmd/testtools/typist")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	// what scripts call kms-offline types their terminal's lines into it, one for each question
	for name, of := range map[string]string{"kms-offline": "typist", "exits": "exits"} {
		if err := os.Symlink(filepath.Join("program", of), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TYPIST_PROGRAM", program)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"relay": relayFile, "request": requestFile, "flip": flipBit, "cut": cutFile, "json": jsonVar, "verify": verifyResult, "env-file": typedKey, "tatum": tatumFile, "psbt": psbtFile, "lock": holdLock, "talk": talk, "forge": forgeMarks, "hostile-name": hostileName,
		},
	})
}

// tatumWallets is where the wallet files of Tatum's vectors are.
const tatumWallets = "../testtools/loop/testdata/tatum/walletdat"

// relayKey is the key of relay number n.
func relayKey(n byte) identity.Private {
	k, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		panic(err)
	}
	return k
}

// relay FILE [N]: the public identity file of relay N (1).
func relayFile(ts *testscript.TestScript, _ bool, args []string) {
	n := byte(1)
	if len(args) > 1 {
		n = args[1][0] - '0'
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), relayKey(n).File(), 0o600))
}

// request FILE WATCH [flags]: a Request with one payment for each -pay.
func requestFile(ts *testscript.TestScript, _ bool, args []string) {
	flags := flag.NewFlagSet("request", flag.ContinueOnError)
	relay := flags.Int("relay", 1, "number of the relay that signs it")
	other := flags.Bool("other-signer", false, "address it to another signer")
	mainnet := flags.Bool("mainnet", false, "items of mainnet")
	items := flags.Int("items", 1, "number of items")
	fee := flags.Int64("fee", 500, "satoshi")
	salt := flags.Int("salt", 0, "makes other previous transactions")
	id := flags.Int("id", 0, "number of the first pending id")
	unknown := flags.Bool("unknown-key", false, "the last item names a key that the wallet does not have")
	conflict := flags.Bool("conflict", false, "all items spend the same outpoint")
	amount := flags.Int64("amount", 100_000, "satoshi of each previous output")
	pay := flags.Int64("pay", 40_000, "satoshi that the first payment pays")
	head := flags.Bool("future-head", false, "state a ledger head that the signer never had")
	ts.Check(flags.Parse(args[2:]))

	watch, err := bundle.OpenWatch([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	var key *bundle.WatchEntry
	for i, e := range watch.Entries {
		if len(e.PubKey) > 0 {
			key = &watch.Entries[i]
		}
	}
	if key == nil {
		ts.Fatalf("no private key in %s", args[1])
	}
	r := bundle.Request{Signer: watch.Signer, Created: 1_790_000_000}
	if *other {
		r.Signer = relayKey(8).Public()
	}
	if *head {
		sum := sha256.Sum256([]byte("never"))
		r.LedgerHead = sum[:]
	}
	hash := btcaddr.Hash160(key.PubKey)
	script := append([]byte{txscript.OP_0, 20}, hash...)
	for i := range *items {
		prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: uint32(1000**salt + i)}}, TxOut: []*wire.TxOut{{Value: *amount, PkScript: script}}}
		if *conflict {
			prev.TxIn[0].Sequence = uint32(1000 * *salt)
		}
		if i == 0 || !*conflict {
			var raw bytes.Buffer
			ts.Check(prev.SerializeNoWitness(&raw))
			r.Attach(utxo.Name, raw.Bytes())
		}
		at := len(r.Attached(utxo.Name)) - 1
		to := sha256.Sum256([]byte{byte(i)})
		msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()}, Sequence: wire.MaxTxInSequenceNum}}}
		msg.TxOut = []*wire.TxOut{
			{Value: *pay + int64(i), PkScript: append([]byte{txscript.OP_0, 20}, to[:20]...)},
			{Value: *amount - *fee - *pay - int64(i), PkScript: script},
		}
		tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return at }, nil)
		signatureID := key.SignatureID
		if *unknown && i == *items-1 {
			signatureID = "00000000-0000-4000-8000-000000000000"
		}
		r.Items = append(r.Items, bundle.Item{
			ID: fmt.Sprintf("%024x", *id+i), Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: chain.NetworkOf(!*mainnet)}, Tx: tx, Context: context,
			Keys: []chain.Key{{SignatureID: signatureID, Index: chain.NoIndex}},
		})
	}
	sealed, err := bundle.SealRequest(r, relayKey(byte(*relay)))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), sealed.File, 0o600))
}

// flip FROM TO: a copy with one bit flipped in the middle.
func flipBit(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	b[len(b)/2] ^= 4
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// cut FROM TO: a copy without its last ten bytes.
func cutFile(ts *testscript.TestScript, _ bool, args []string) {
	b := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b[:len(b)-10]), 0o600))
}

// json VAR FIELD: sets VAR from a field of the last stdout.
func jsonVar(ts *testscript.TestScript, _ bool, args []string) {
	var m map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &m))
	v, ok := m[args[1]]
	if !ok {
		ts.Fatalf("no %s in %s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// verify REQUEST RESULT N: the result answers the request, and N of its
// items finish to valid transactions.
func verifyResult(ts *testscript.TestScript, _ bool, args []string) {
	request, err := bundle.OpenRequest([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	paths, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%d files match %s", len(paths), args[1])
	}
	file, err := os.ReadFile(paths[0])
	ts.Check(err)
	result, err := bundle.OpenResult(file)
	ts.Check(err)
	if result.Request != request.Digest || len(result.Outcomes) != len(request.Items) {
		ts.Check(errors.New("the result answers another request"))
	}
	table, err := utxo.NewTable(request.Attached(utxo.Name))
	ts.Check(err)
	signed := 0
	for i, o := range result.Outcomes {
		if !o.Signed() {
			continue
		}
		it := request.Items[i]
		tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
		ts.Check(err)
		_, err = tx.Finalize(o.Signatures)
		ts.Check(err)
		signed++
	}
	if fmt.Sprint(signed) != args[2] {
		ts.Fatalf("%d items signed, want %s", signed, args[2])
	}
}

// env-file FILE VALUE: what is typed for storing a key: the key, then the
// password.
func typedKey(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\ncorrect horse\n"), 0o600))
}

// tatum NAME: a wallet.dat that Tatum's own library wrote.
func tatumFile(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(filepath.Join(tatumWallets, args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// lock FILE: holds a lock, as another process would, until the script ends.
func holdLock(ts *testscript.TestScript, _ bool, args []string) {
	lock, err := durable.NewLock(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = lock.Close() })
}
