//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// counted256 is the randomness of the examples: SHA-256 of a counter.
type counted256 struct {
	n    uint64
	left []byte
}

// Read implements io.Reader.
func (c *counted256) Read(b []byte) (int, error) {
	if len(c.left) == 0 {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		c.left = sum[:]
	}
	n := copy(b, c.left)
	c.left = c.left[n:]
	return n, nil
}

// bench is a signer whose randomness and clock are fixed.
type bench struct {
	t      *testing.T
	dir    string
	random *counted256
}

func (b bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b bench) app(out, complaints *bytes.Buffer) *app {
	now := func() time.Time { return time.Unix(1_790_000_000, 0).UTC() }
	return &app{Streams: cli.Streams{Out: out, Err: complaints}, fs: durable.OS{}, random: hd.NewSource(b.random), cost: quick(),
		now: now, wall: now, sleep: func(time.Duration) {}}
}

// run runs a command line and decodes what it prints.
func (b bench) run(reply any, args ...string) {
	b.t.Helper()
	var out, complaints bytes.Buffer
	a := b.app(&out, &complaints)
	args = append([]string{"--path", b.path("w.kms"), "--password-file", b.path("pw"), "--json"}, args...)
	if code := cli.Run(a.root(), args, a.Streams); code != 0 {
		b.t.Fatalf("%v: exit %d: %s", args, code, complaints.String())
	}
	if reply == nil {
		return
	}
	if err := json.Unmarshal(out.Bytes(), reply); err != nil {
		b.t.Fatal(err)
	}
}

// exampleKeys are those of the example's wallet: one for BTC, one for BCH.
func exampleKeys() map[chain.ID]string {
	return map[chain.ID]string{chain.BTC: "b8eb99cd-ba04-4031-a65f-11d6420ebdd1", chain.BCH: "b8eb99cd-ba04-4031-a65f-11d6420ebdd2"}
}

// fill makes the wallet of the example and the files around it.
func (b bench) fill() {
	var none bytes.Buffer
	a := b.app(&none, &none)
	w, err := a.store().New(b.path("w.kms"), []byte("correct horse"))
	if err == nil {
		err = freshLedger(a, b.path("w.kms"), w)
	}
	for _, id := range []chain.ID{chain.BTC, chain.BCH} {
		if err == nil {
			var key wallet.Entry
			if key, err = wallet.FromKey(exampleKeys()[id], hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet}), bytes.Repeat([]byte{7}, 32), true, a.now()); err == nil {
				err = w.Add(key)
			}
		}
	}
	if err == nil {
		err = w.Save()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	w.Close()
	for name, content := range map[string][]byte{"pw": []byte("correct horse"), "op": []byte("white rabbit"), "relay.kmsid": relayKey(1).File()} {
		if err := os.WriteFile(b.path(name), content, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// request writes a request of two payments, one of each coin.
func (b bench) request(signer identity.Public) string {
	_, public := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	hash := btcaddr.Hash160(public.SerializeCompressed())
	r := bundle.Request{Signer: signer, Created: 1_790_000_000}
	for i, id := range []chain.ID{chain.BTC, chain.BCH} {
		script := append(append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...), txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
		prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: uint32(i)}}, TxOut: []*wire.TxOut{{Value: 200_000, PkScript: script}}}
		var raw bytes.Buffer
		if err := prev.SerializeNoWitness(&raw); err != nil {
			b.t.Fatal(err)
		}
		r.Attach(utxo.Name, raw.Bytes())
		msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()}, Sequence: wire.MaxTxInSequenceNum}}}
		to := bytes.Clone(script)
		to[3]++
		msg.TxOut = []*wire.TxOut{{Value: 150_000, PkScript: to}, {Value: 49_000, PkScript: script}}
		tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return i }, nil)
		r.Items = append(r.Items, bundle.Item{ID: fmt.Sprintf("61fe7c68cf2fbc595cbb89d%d", i), Family: utxo.Name, Coin: chain.Coin{Chain: id, Network: chain.Testnet},
			Tx: tx, Context: context, Keys: []chain.Key{{SignatureID: exampleKeys()[id], Index: chain.NoIndex}}})
	}
	sealed, err := bundle.SealRequest(r, relayKey(1))
	if err == nil {
		err = os.WriteFile(b.path("r.kmsreq"), sealed.File, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.path("r.kmsreq")
}

// examples makes one of each file, by the program's own commands.
func (b bench) examples() map[string][]byte {
	b.fill()
	b.run(nil, "pair", b.path("relay.kmsid"))
	b.run(nil, "operator", "add", "alice", "--operator-password-file", b.path("op"))
	b.run(nil, "watch", "--out", b.path("s.kmswatch"))
	file := b.read("s.kmswatch")
	watch, err := bundle.OpenWatch(file)
	if err != nil {
		b.t.Fatal(err)
	}
	request := b.request(watch.Signer)
	var reviewed struct{ Digest string }
	b.run(&reviewed, "review", request)
	b.run(nil, "approve", request, "--operator", "alice", "--operator-password-file", b.path("op"), "--digest", reviewed.Digest, "--out", b.dir)
	b.run(nil, "sign", request, "--out", b.dir, "--approve", reviewed.Digest)
	made := map[string][]byte{
		"wallet file": b.read("w.kms"), "watch file": file, "request file": b.read("r.kmsreq"), "result file": b.read("*.kmsres"),
		"approval file": b.read("*.kmsapproval"), "ledger": b.read("w.kms.ledger"), "mark of the ledger": b.read("w.kms.ledger.mark"),
	}
	b.run(nil, "backup", b.path("copy"))
	made["mark of a backup"] = b.read("copy.ledger.mark")
	return made
}

func (b bench) read(pattern string) []byte {
	b.t.Helper()
	paths, err := filepath.Glob(b.path(pattern))
	if err != nil || len(paths) != 1 {
		b.t.Fatalf("%s: %v", pattern, paths)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

// The files of docs/FORMAT.md are what the program writes, byte for byte: a
// tag, a length or an order that changes is seen here. cmd/testtools/plainread
// reads them by the document alone.
func TestFormatFiles(t *testing.T) {
	const document = "../../docs/FORMAT.md"
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n([a-z ]+):\n\n```(hex|text)\n(.*?)\n```")
	found := map[string]bool{}
	made := bench{t: t, dir: t.TempDir(), random: &counted256{}}.examples()
	changed := block.ReplaceAllStringFunc(string(text), func(s string) string {
		m := block.FindStringSubmatch(s)
		content, ours := made[m[1]]
		if !ours {
			return s
		}
		found[m[1]] = true
		shown := strings.TrimSuffix(string(content), "\n")
		if m[2] == "hex" {
			shown = regexp.MustCompile("(.{64})").ReplaceAllString(hex.EncodeToString(content), "$1\n")
		}
		return fmt.Sprintf("\n%s:\n\n```%s\n%s\n```", m[1], m[2], strings.TrimSuffix(shown, "\n"))
	})
	for name := range made {
		if !found[name] {
			t.Errorf("there is no example %q", name)
		}
	}
	if *update {
		if err := os.WriteFile(document, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if changed != string(text) {
		t.Error("the examples are not what the program writes: run this test with -update and look at what has changed")
	}
}
