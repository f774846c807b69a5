package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

const deskPassword = "correct horse"

// place is a folder with the program, a wallet of one key that is paired with
// relay 1, and a password file.
type place struct {
	t            *testing.T
	dir, program string
	signer       identity.Public
	script       []byte // of the key: what is spent, and change
}

const deskKey = "00000000-0000-4000-8000-000000000002"

func newPlace(t *testing.T) place {
	t.Helper()
	p := place{t: t, dir: t.TempDir(), program: cheapProgram(t)}
	secret := bytes.Repeat([]byte{7}, 32)
	_, public := btcec.PrivKeyFromBytes(secret)
	p.script = append([]byte{txscript.OP_0, 20}, btcaddr.Hash160(public.SerializeCompressed())...)

	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().New(p.path("w.kms"), []byte(deskPassword))
	if err == nil {
		err = freshLedger(a, p.path("w.kms"), w)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	id, err := w.Identity()
	if err != nil {
		t.Fatal(err)
	}
	p.signer = id.Public()
	key, err := wallet.FromKey(deskKey, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), secret, true, time.Now())
	if err == nil {
		err = w.Add(key)
	}
	if err == nil {
		err = w.Save()
	}
	if err != nil {
		t.Fatal(err)
	}
	passwordFile(t, p.dir, "pw", deskPassword)
	if err := os.WriteFile(p.path("relay.kmsid"), relayKey(1).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(0, "pair", p.path("relay.kmsid"))
	return p
}

func (p place) path(name string) string { return filepath.Join(p.dir, name) }

// command is the program with its wallet; with a password file it asks for none.
func (p place) command(args ...string) *exec.Cmd {
	return exec.Command(p.program, append([]string{"--path", p.path("w.kms")}, args...)...)
}

// run runs the program without a terminal and returns its stdout.
func (p place) run(code int, args ...string) string {
	p.t.Helper()
	cmd := p.command(append([]string{"--password-file", p.path("pw"), "--json"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("%v: exit %d, want %d: %s", args, got, code, stderr.String())
	}
	return stdout.String()
}

// payout is one item of a request.
type payout struct {
	to         string // whose address, by name
	value, fee int64
	foreign    bool // names a key that the wallet does not have
	data       []byte
}

// hashFor returns the witness program of somebody's address. One with a prime
// looks like that of the name without it: the checksum of bech32 is linear, so
// one difference keeps the last four characters of every address.
func hashFor(name string) []byte {
	name, alike := strings.CutSuffix(name, "'")
	sum := sha256.Sum256([]byte(name))
	hash := sum[:20]
	if alike {
		for i, difference := range []byte{162, 98, 28} {
			hash[10+i] ^= difference
		}
	}
	return hash
}

// request writes a request with these payments; salt makes other outpoints and
// ids of them.
func (p place) request(name string, salt int, list []payout) string {
	p.t.Helper()
	const spent = 1_000_000
	r := bundle.Request{Signer: p.signer, Created: 1_790_000_000}
	for i, pay := range list {
		prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: uint32(100_000*salt + i)}}, TxOut: []*wire.TxOut{{Value: spent, PkScript: p.script}}}
		var raw bytes.Buffer
		if err := prev.SerializeNoWitness(&raw); err != nil {
			p.t.Fatal(err)
		}
		r.Attach(utxo.Name, raw.Bytes())
		msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()}, Sequence: wire.MaxTxInSequenceNum}}}
		msg.TxOut = []*wire.TxOut{{Value: pay.value, PkScript: append([]byte{txscript.OP_0, 20}, hashFor(pay.to)...)}}
		if pay.data != nil {
			msg.TxOut = append(msg.TxOut, &wire.TxOut{PkScript: append([]byte{txscript.OP_RETURN, byte(len(pay.data))}, pay.data...)})
		}
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: spent - pay.value - pay.fee, PkScript: p.script})
		tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return i }, nil)
		key := deskKey
		if pay.foreign {
			key = "00000000-0000-4000-8000-0000000000ff"
		}
		r.Items = append(r.Items, bundle.Item{ID: fmt.Sprintf("%024x", 0x1000*salt+i), Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
			Tx: tx, Context: context, Keys: []chain.Key{{SignatureID: key, Index: chain.NoIndex}}})
	}
	sealed, err := bundle.SealRequest(r, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path(name), sealed.File, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// signedBy checks that a result answers a request and returns how many of its
// items finish to valid transactions, and the codes of the others.
func (p place) signedBy(request, result string) (signed int, codes map[chain.Code]int) {
	p.t.Helper()
	file, err := os.ReadFile(request)
	if err != nil {
		p.t.Fatal(err)
	}
	asked, err := bundle.OpenRequest(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if file, err = os.ReadFile(result); err != nil {
		p.t.Fatal(err)
	}
	answer, err := bundle.OpenResult(file)
	if err != nil || answer.Request != asked.Digest {
		p.t.Fatalf("the result answers another request (%v)", err)
	}
	table, err := utxo.NewTable(asked.Attached(utxo.Name))
	if err != nil {
		p.t.Fatal(err)
	}
	codes = map[chain.Code]int{}
	for i, o := range answer.Outcomes {
		if !o.Signed() {
			codes[o.Code]++
			continue
		}
		it := asked.Items[i]
		tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
		if err == nil {
			_, err = tx.Finalize(o.Signatures)
		}
		if err != nil {
			p.t.Fatalf("item %s: %v", it.ID, err)
		}
		signed++
	}
	return signed, codes
}

// payroll are a thousand payments: most to people who were paid before, 89 to
// newcomers, 3 to addresses that look like known ones, 3 of costly fees, 5
// that no key of the wallet signs.
func payroll() []payout {
	list := make([]payout, 1000)
	for i := range list {
		list[i] = payout{to: employee(i), value: int64(20_000 + i), fee: 200}
		switch {
		case i%200 == 150:
			list[i].foreign = true
		case i%450 == 49:
			list[i].fee = list[i].value
		case i%331 == 100:
			list[i].to = contractor(i) + "'"
		case i%11 == 4:
			list[i].to = fmt.Sprintf("newcomer-%c%c", 'a'+i%26, 'a'+i/26)
		}
	}
	return list
}

func employee(i int) string   { return fmt.Sprintf("employee-%d", i) }
func contractor(i int) string { return fmt.Sprintf("contractor-%d", i/331) }

var digits64 = regexp.MustCompile(`[0-9a-f]{64}`)

// same compares a screen with a golden file. What differs from machine to
// machine and from wallet to wallet is left out: the batch digest, and what
// the signer says of this machine.
func same(t *testing.T, name, screen string) {
	t.Helper()
	var b strings.Builder
	words := false // the line has the words of the ledger's head
	for line := range strings.Lines(screen) {
		if words && len(line) > 10 {
			line = line[:10] + "eight words of the ledger's head\n"
		}
		words = strings.Contains(line, "head words:")
		if !strings.HasPrefix(line, "NOTICE ") {
			b.WriteString(line)
		}
	}
	got := strings.TrimRight(digits64.ReplaceAllString(b.String(), strings.Repeat("0", 64)), "\n") + "\n"
	path := filepath.Join("testdata", "screens", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now:\n%s", path, got)
	}
}

// A thousand payments on a terminal: looked at, filtered, some rejected, left
// by a signal, taken up again, approved and signed by the real program.
func TestThousandItemsOnATerminal(t *testing.T) {
	p := newPlace(t)
	var before []payout
	for i := range 1000 {
		before = append(before, payout{to: employee(i), value: 15_000, fee: 200})
	}
	for i := range 4 {
		before = append(before, payout{to: contractor(331 * i), value: 15_001, fee: 200})
	}
	past := p.request("past.kmsreq", 1, before)
	var reviewed struct{ Digest string }
	if err := json.Unmarshal([]byte(p.run(0, "review", past)), &reviewed); err != nil {
		t.Fatal(err)
	}
	p.run(0, "sign", past, "--out", p.path("past"), "--approve", reviewed.Digest)

	request := p.request("payroll.kmsreq", 2, payroll())
	args := []string{"sign", request, "--out", p.path("out"), "--summary", p.path("payroll.html")}
	first := sit(t, p.command(args...))
	first.sees("password")
	first.types(deskPassword + "\r")
	same(t, "batch", first.sees("The batch"))
	first.types("T")
	same(t, "totals", first.sees("Totals"))
	first.types("ql")
	same(t, "list", first.sees("shown 1000: all"))
	first.types("/look\r")
	same(t, "look", first.sees(": look, by attention"))
	first.types("\r")
	same(t, "item", first.sees("The item, undecided"))
	first.types("rrrrrr")
	first.sees("101 rejected (u undoes)")
	first.sees("the end of the list")
	first.sees("rejected 6")
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := first.waits(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("ended by a signal with %d", code)
	}
	if !first.echoes() {
		t.Error("a signal left the terminal in the state of the session")
	}
	kept, err := filepath.Glob(p.path("w.kms.session-*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("what was decided is not kept: %v", kept)
	}
	if info, err := os.Stat(kept[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it may be read by others: %v", info.Mode())
	}

	second := sit(t, p.command(args...))
	second.sees("password")
	second.types(deskPassword + "\r")
	same(t, "resume", second.sees("Take it up? [Y/n]"))
	second.types("y\r")
	second.sees("The batch")
	second.types("s")
	same(t, "clean", second.sees("Type y to sign 989"))
	second.types("\x1b")
	second.sees("The batch")
	second.types("l")
	second.sees("rejected 6")
	second.types("A")
	same(t, "approved", second.sees("900 items approved (u undoes)"))
	second.types("/new\r")
	second.sees(": new, by attention")
	second.types("V")
	same(t, "count", second.sees("Type their number"))
	second.types("89\r")
	second.sees("undecided 0")
	second.types("Gr\x1b[A\x1b[Ar")
	second.sees("rejected 8")
	second.types("gu")
	second.sees("is approved again, not rejected")
	second.types("u")
	second.sees("rejected 6")
	second.types("u")
	second.sees("undone: 89 items not approved any more")
	second.types("l/0.00020100 look\r")
	second.sees("shown 1: ")
	second.types("a")
	second.sees("not approved")
	second.types("a")
	second.sees("101 approved (u undoes)")
	second.types("s")
	same(t, "sign", second.sees("Type 990 to sign"))
	second.types("yes\r")
	second.sees("nothing was signed")
	second.types("990\r")
	if code := second.waits(); code != 3 {
		t.Errorf("exit %d: %s", code, second.stderr.String())
	}
	if !second.echoes() {
		t.Error("the terminal is left in the state of the session")
	}
	for _, x := range []*person{first, second} {
		if len(x.screen.strange) > 0 {
			t.Errorf("the terminal was sent %q", x.screen.strange)
		}
	}
	var said struct {
		Result  string
		Signed  []struct{ ID, TxID string }
		Refused []struct{ ID, Code string }
	}
	if err := json.Unmarshal(second.stdout.Bytes(), &said); err != nil {
		t.Fatalf("%v: %q", err, second.stdout.String())
	}
	signed, codes := p.signedBy(request, said.Result)
	if signed != 990 || len(said.Signed) != 990 || codes[chain.RefusedByPerson] != 5 || codes[chain.UnknownKey] != 5 || len(said.Refused) != 10 {
		t.Errorf("%d signed, refused %v", signed, codes)
	}
	if kept, _ := filepath.Glob(p.path("w.kms.session-*")); len(kept) > 0 {
		t.Errorf("what was decided is still there: %v", kept)
	}
	page, err := os.ReadFile(p.path("payroll.html"))
	if err != nil || !bytes.Contains(page, []byte("990 signed, 10 refused")) {
		t.Errorf("the summary does not say what was signed (%v)", err)
	}
}

// What was typed before the review was shown is no consent to it.
func TestTypedAheadIsNoAnswer(t *testing.T) {
	p := newPlace(t)
	request := p.request("two.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}, {to: "b", value: 20_001, fee: 200}})
	for _, mode := range []string{"--plain", "--session"} {
		at := sit(t, p.command("sign", request, "--out", p.path("out"), mode))
		at.sees("password")
		if mode == "--plain" {
			at.types(deskPassword + "\ry\ryes\rsign 2\ry\r")
			at.sees("Sign 2 transactions? [y/N]")
			at.types("?\ry\r") // the second before the question is asked again
			at.sees("Sign 2 transactions? [y/N]")
		} else {
			at.types(deskPassword + "\r")
			at.sees("The batch")
			at.types("lV2\rsysign 2\rsign 2\r") // typed before the last word was asked for
			at.sees("to sign 2 transactions")
		}
		time.Sleep(300 * time.Millisecond)
		if at.cmd.ProcessState != nil {
			t.Fatalf("%s: it did not wait for an answer", mode)
		}
		if mode == "--plain" {
			at.types("n\r")
		} else {
			at.types("\x03")
		}
		if code := at.waits(); code != 21 {
			t.Errorf("%s: exit %d, want 21: %s", mode, code, at.stderr.String())
		}
		if results, _ := filepath.Glob(p.path("out/*")); len(results) > 0 {
			t.Errorf("%s: signed: %v", mode, results)
		}
	}
}

// Whoever gives up at a question for a secret finds the terminal as it was.
func TestSignalAtThePassword(t *testing.T) {
	p := newPlace(t)
	request := p.request("one.kmsreq", 4, []payout{{to: "a", value: 20_000, fee: 200}})
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		at := sit(t, p.command("sign", request, "--out", p.path("out")))
		at.sees("password")
		if at.echoes() {
			t.Error("a password would be shown")
		}
		if signal == syscall.SIGINT {
			at.types("half a pass\x03")
		} else if err := at.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := at.waits(); code != 128+int(signal) {
			t.Errorf("%v: exit %d", signal, code)
		}
		if !at.echoes() {
			t.Errorf("%v: the terminal does not show any more what is typed", signal)
		}
	}
}

// Nothing that a transaction carries reaches the terminal as it is, and line
// by line nothing moves the cursor.
func TestHostileDataOnATerminal(t *testing.T) {
	p := newPlace(t)
	evil := []byte("\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\x00\x7f\xe2\x80\xaeSIGNED\x1b[1;1Hok")
	list := []payout{{to: "a", value: 20_000, fee: 200, data: evil}, {to: "b", value: 20_001, fee: 200, data: evil}}
	request := p.request("evil.kmsreq", 5, list)

	plain := sit(t, p.command("sign", request, "--out", p.path("plain"), "--plain"))
	plain.sees("password")
	plain.types(deskPassword + "\r")
	plain.sees("[y/N]")
	plain.types("list \r")
	plain.sees("the last.")
	plain.types("show 1\r")
	plain.sees("show 1\n[1 of 2]")
	plain.types("n\r")
	if code := plain.waits(); code != 21 {
		t.Errorf("exit %d", code)
	}
	if plain.screen.escapes > 0 || len(plain.screen.strange) > 0 {
		t.Errorf("%d escape sequences, %q", plain.screen.escapes, plain.screen.strange)
	}

	screen := sit(t, p.command("sign", request, "--out", p.path("screen"), "--session"))
	screen.sees("password")
	screen.types(deskPassword + "\r")
	screen.sees("The batch")
	screen.types("l\r")
	screen.sees(`"\x1b[2J\x1b]0;owned\a`)
	screen.types("q?")
	screen.sees("What you reject is not signed")
	screen.types("qq\x0cA/flagged\rV2\rs")
	screen.sees("to sign 2 transactions")
	screen.types("\x1b")
	screen.sees("approved 2")
	screen.types("qd")
	if code := screen.waits(); code != 21 {
		t.Errorf("exit %d", code)
	}
	if len(screen.screen.strange) > 0 {
		t.Errorf("the terminal was sent %q", screen.screen.strange)
	}
}
