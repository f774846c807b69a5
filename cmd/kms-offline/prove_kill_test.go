//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/psbt/psbttest"
)

// killCount is KMS_SIGN_KILLS, or what a test run can afford. The full measure:
//
//	KMS_SIGN_KILLS=2000 go test ./cmd/kms-offline -run TestSignKilled -timeout 30m -v
func killCount(t *testing.T) int {
	text := os.Getenv("KMS_SIGN_KILLS")
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("KMS_SIGN_KILLS=%q: want a number", text)
	}
	return n
}

// signerBench is a wallet on the disk with requests for it.
type signerBench struct {
	t                   *testing.T
	binary, dir, wallet string
	canary              canary
	salt                uint32
}

const benchKey = "00000000-0000-4000-8000-000000000002" // of canaryWallet

func newSignerBench(t *testing.T, binary string) *signerBench {
	t.Helper()
	b := &signerBench{t: t, binary: binary, dir: t.TempDir()}
	b.wallet = filepath.Join(b.dir, "w.kms")
	b.canary = canaryWallet(t, b.wallet)
	passwordFile(t, b.dir, "pw", b.canary.password)
	if err := os.WriteFile(filepath.Join(b.dir, "relay.kmsid"), relayKey(1).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must("pair", "relay.kmsid")
	return b
}

func (b *signerBench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.binary, append([]string{"--path", b.wallet, "--password-file", "pw", "--json"}, args...)...)
	cmd.Dir = b.dir
	return cmd
}

// must runs a command that has to succeed and returns its output.
func (b *signerBench) must(args ...string) []byte {
	b.t.Helper()
	cmd := b.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return out
}

// open opens wallet and ledger as the program does.
func (b *signerBench) open() *ledger.Ledger {
	b.t.Helper()
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().Open(b.wallet, []byte(b.canary.password))
	if err != nil {
		b.t.Fatalf("the wallet does not open: %v", err)
	}
	defer w.Close()
	book, err := ledgerBeside(a, w)
	if err != nil {
		b.t.Fatalf("the ledger does not open: %v", err)
	}
	return book
}

// request writes a request of n payments that nobody asked for before.
func (b *signerBench) request(n int) (path string, ids []string) {
	b.t.Helper()
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().Open(b.wallet, []byte(b.canary.password))
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Close()
	id, err := w.Identity()
	if err != nil {
		b.t.Fatal(err)
	}
	r := bundle.Request{Signer: id.Public(), Created: time.Now().Unix()}
	for range n {
		b.salt++
		item, previous := payment(b.t, w, b.salt, len(r.Attached(utxo.Name)))
		r.Items, ids = append(r.Items, item), append(ids, item.ID)
		r.Attach(utxo.Name, previous)
	}
	sealed, err := bundle.SealRequest(r, relayKey(1))
	if err != nil {
		b.t.Fatal(err)
	}
	path = filepath.Join(b.dir, fmt.Sprintf("r%d.kmsreq", b.salt))
	if err := os.WriteFile(path, sealed.File, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path, ids
}

// payment is an item that pays from canaryWallet's private key, proven by the
// transaction at position at.
func payment(t *testing.T, w *wallet.Wallet, salt uint32, at int) (bundle.Item, []byte) {
	t.Helper()
	raw, err := w.Public(benchKey, chain.NoIndex)
	if err != nil {
		t.Fatal(err)
	}
	public, err := btcec.ParsePubKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	own := psbttest.Scripts(public)
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: salt}}, TxOut: []*wire.TxOut{{Value: 100_000, PkScript: own[salt%5]}}}
	msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()}, Sequence: wire.MaxTxInSequenceNum}},
		TxOut: []*wire.TxOut{{Value: 40_000, PkScript: append([]byte{0, 20}, bytes.Repeat([]byte{7}, 20)...)}, {Value: 59_000, PkScript: own[1]}}}
	var previous bytes.Buffer
	if err := prev.SerializeNoWitness(&previous); err != nil {
		t.Fatal(err)
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return at }, nil)
	return bundle.Item{ID: fmt.Sprintf("%024x", salt), Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: tx, Context: context,
		Keys: []chain.Key{{SignatureID: benchKey, Index: chain.NoIndex}}}, previous.Bytes()
}

// review records a review and returns the digest.
func (b *signerBench) review(path string) string {
	b.t.Helper()
	var reply struct{ Digest string }
	if err := json.Unmarshal(b.must("review", path), &reply); err != nil {
		b.t.Fatal(err)
	}
	return reply.Digest
}

// The signer is killed (SIGKILL) at any moment of signing, again and again.
// Whatever is on the disk afterwards opens; nothing that was acknowledged is
// lost; and there is no signature that the ledger does not have. A wallet is
// used for some 200 kills: with a long ledger the program spends its time on
// reading it.
func TestSignKilled(t *testing.T) {
	const each = 200
	binary, n, start := cheapProgram(t), killCount(t), time.Now()
	var sum kills
	for sum.killed < n && !t.Failed() {
		b := newSignerBench(t, binary)
		b.kill(min(each, n-sum.killed), &sum)
		_ = os.RemoveAll(b.dir)
	}
	fmt.Printf("kill -9: %d of signing in %v, %d runs ended before; %d between ledger and result, %d with a result; nothing lost, no signature unrecorded\n",
		sum.killed, time.Since(start).Round(time.Second), sum.ended, sum.between, sum.left)
}

// kills counts where they hit.
type kills struct {
	killed  int
	ended   int // the program was done before
	between int // the ledger had it, and no result was out yet
	left    int // a result was out
}

// kill kills n times, each time with another request.
func (b *signerBench) kill(n int, sum *kills) {
	b.t.Helper()
	signed, span := map[string]bool{}, b.pace()
	for round, left := 0, n; left > 0; round++ {
		if round > 20*n {
			b.t.Fatalf("%d kills in %d rounds: the program is too fast", n-left, round)
		}
		request, ids := b.request(3)
		digest := b.review(request)
		out := filepath.Join(b.dir, fmt.Sprint("out", round))
		before := b.open()
		killed := b.signFor(request, out, digest, time.Duration(mathrand.Int64N(int64(span))))
		book := b.open()
		if book.Len() < before.Len() || !book.Knows(before.HeadBytes()) {
			b.t.Fatalf("round %d: lines %d to %d of the ledger are lost", round, book.Len(), before.Len())
		}
		files := b.recorded(book, out, ids)
		_, recorded := book.Signed(ids[0])
		switch {
		case killed:
			left--
			sum.killed++
			sum.left += files
			if recorded && files == 0 {
				sum.between++
			}
		case files == 0 || !recorded:
			b.t.Fatalf("round %d: it ended well, and there is no result", round)
		default:
			sum.ended++
		}
		for id := range signed {
			if _, ok := book.Signed(id); !ok {
				b.t.Fatalf("round %d: %s was signed, and is forgotten", round, id)
			}
		}
		if recorded {
			signed[ids[0]], signed[ids[2]] = true, true
		}
		if round%25 == 0 {
			b.again(request, digest, out, ids)
			span = b.pace()
		}
		_ = os.Remove(request)
	}
}

// pace measures how long signing takes.
func (b *signerBench) pace() time.Duration {
	const runs = 3
	var sum time.Duration
	for range runs {
		request, _ := b.request(3)
		digest := b.review(request)
		start := time.Now()
		b.must("sign", request, "--out", fmt.Sprint("pace", b.salt), "--approve", digest)
		sum += time.Since(start)
	}
	return sum / runs * 11 / 10
}

// signFor signs, and kills the program after a while.
func (b *signerBench) signFor(request, out, digest string, after time.Duration) (killed bool) {
	b.t.Helper()
	cmd := b.command("sign", request, "--out", out, "--approve", digest)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	killer.Stop()
	switch code := cmd.ProcessState.ExitCode(); code {
	case -1:
		return true
	case cli.Done:
		return false
	default:
		b.t.Fatalf("exit %d: %s", code, stderr.String())
		return false
	}
}

// recorded looks at everything in a folder of results: what has a signature,
// the ledger has. It returns how many results are whole.
func (b *signerBench) recorded(book *ledger.Ledger, out string, ids []string) (whole int) {
	b.t.Helper()
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		file, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			b.t.Fatal(err)
		}
		for _, id := range ids {
			if _, ok := book.Signed(id); len(file) > 0 && !ok {
				b.t.Fatalf("%s is there with %d bytes, and the ledger does not have %s", e.Name(), len(file), id)
			}
		}
		if filepath.Ext(e.Name()) != ".kmsres" {
			continue // a temporary one, left by the kill
		}
		result, err := bundle.OpenResult(file)
		if err != nil || !book.Knows(result.LedgerHead) {
			b.t.Fatalf("%s: %v, or a head that the ledger does not have", e.Name(), err)
		}
		whole++
	}
	return whole
}

// again signs the same request: the same signatures come out as ever.
func (b *signerBench) again(request, digest, out string, ids []string) {
	b.t.Helper()
	more := out + "-again"
	b.must("sign", request, "--out", more, "--approve", digest)
	first := map[string]string{}
	for _, dir := range []string{out, more} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.kmsres"))
		if err != nil || dir == more && len(paths) != 1 {
			b.t.Fatalf("%d results in %s (%v)", len(paths), dir, err)
		}
		for _, path := range paths {
			file, err := os.ReadFile(path)
			if err != nil {
				b.t.Fatal(err)
			}
			result, err := bundle.OpenResult(file)
			if err != nil || len(result.Outcomes) != len(ids) {
				b.t.Fatalf("%s: %d outcomes, %v", path, len(result.Outcomes), err)
			}
			for _, o := range result.Outcomes {
				sig := fmt.Sprintf("%x", o.Signatures)
				if before, ok := first[o.ID]; ok && before != sig {
					b.t.Fatalf("%s was signed in two ways", o.ID)
				}
				first[o.ID] = sig
			}
		}
	}
}
