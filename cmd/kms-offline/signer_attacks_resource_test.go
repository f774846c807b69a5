//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/psbt/psbttest"
)

// resourceAttacks are about memory, time, backups and clocks.
func resourceAttacks() []attack {
	return []attack{
		{"08-batch-memory", batchMemory},
		{"08-session-memory", sessionMemory},
		{"08-many-inputs", manyInputs},
		{"08-many-items", manyItems},
		{"08-many-keys", manyKeys},
		{"08-many-legacy-inputs", manyLegacyInputs},
		{"08-large-previous", largePrevious},
		{"08-psbt-one-previous-many-inputs", psbtManyInputs},
		{"08-psbt-empty-witness-items", psbtEmptyWitness},
		{"09-restore-from-read-only", restoreReadOnly},
		{"09-torn-line-of-a-copy", tornCopy},
		{"09-backup-killed", backupKilled},
		{"09-op-return-in-ledger", dataInLedger},
		{"09-clock-set-ahead", clockAhead},
		{"09-clock-set-ahead-settle", clockAheadSettle},
		{"09-clock-set-ahead-upgrade", clockAheadUpgrade},
	}
}

// usage is what one run of the program took.
type usage struct {
	code           int
	memory         int64         // peak of resident memory, bytes
	cpu            time.Duration // of user and system
	stdout, stderr string
}

// measure runs the program without a terminal. The program is built with the
// cheap password derivation: the memory of the real one, which is freed before
// anything else is done, is not in these figures.
func (p place) measure(args ...string) usage {
	p.t.Helper()
	cmd := p.command(append([]string{"--password-file", p.path("pw"), "--json"}, args...)...)
	return measured(p.t, cmd)
}

func measured(t *testing.T, cmd *exec.Cmd) usage {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, peak := make(chan struct{}), make(chan int64)
	go watchMemory(cmd.Process.Pid, done, peak)
	_ = cmd.Wait()
	close(done)
	return usage{code: cmd.ProcessState.ExitCode(), memory: <-peak, stdout: stdout.String(), stderr: stderr.String(),
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}

// watchMemory asks the kernel for the peak of a process until it has ended, from
// when it has become the program: before that its memory is this test's. What the
// kernel says afterwards, in the resource usage, counts this test program too.
func watchMemory(pid int, done <-chan struct{}, peak chan<- int64) {
	var most int64
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok && strings.HasPrefix(string(status), "Name:\tkms-offline\n") {
			var kB int64
			if _, err := fmt.Sscan(after, &kB); err == nil {
				most = max(most, kB<<10)
			}
		}
		select {
		case <-done:
			peak <- most
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (u usage) String() string {
	return fmt.Sprintf("exit %d, %d MB, %.1f s of CPU", u.code, u.memory/1_000_000, u.cpu.Seconds())
}

// itemsOf is KMS_ITEMS, or what a test run can afford. The full measure:
//
//	KMS_ITEMS=25000 go test ./cmd/kms-offline -run TestSignerAttacks/08-batch-memory -v
func itemsOf(t *testing.T) int {
	text := os.Getenv("KMS_ITEMS")
	if text == "" {
		return 2_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 50_000 {
		t.Fatalf("KMS_ITEMS=%q: want a number from 1 to 50000", text)
	}
	return n
}

// A large batch is reviewed and signed in 150 MB.
func batchMemory(t *testing.T) {
	p := newPlace(t)
	list := make([]payout, itemsOf(t))
	for i := range list {
		list[i] = payout{to: fmt.Sprintf("payee-%d", i), value: int64(20_000 + i), fee: 200}
	}
	request := p.request("large.kmsreq", 1, list)
	const most = 150_000_000
	review := p.measure("review", request)
	var said struct{ Digest string }
	if err := json.Unmarshal([]byte(review.stdout), &said); err != nil {
		t.Fatalf("%v: %s", err, review.stderr)
	}
	sign := p.measure("sign", request, "--out", p.path("out"), "--approve", said.Digest)
	t.Logf("%d items: review %s, sign %s", len(list), review, sign)
	if review.memory == 0 || sign.memory == 0 {
		t.Error("the program's memory was not seen")
	}
	if review.code != 0 || sign.code != 0 || review.memory > most || sign.memory > most {
		t.Errorf("review %s, sign %s; want at most %d bytes", review, sign, int64(most))
	}
}

// A session on the screen takes no more than a signature by digest does.
func sessionMemory(t *testing.T) {
	p := newPlace(t)
	list := make([]payout, itemsOf(t))
	for i := range list {
		list[i] = payout{to: fmt.Sprintf("payee-%d", i), value: int64(20_000 + i), fee: 200}
	}
	at := sit(t, p.command("sign", p.request("large.kmsreq", 1, list), "--out", p.path("out")))
	done, peak := make(chan struct{}), make(chan int64, 1)
	go watchMemory(at.cmd.Process.Pid, done, peak)
	number := strconv.Itoa(len(list))
	for _, step := range [][2]string{{"password", deskPassword + "\r"}, {"The batch", "l"}, {"undecided " + number, "V"}, {"Type their number", number + "\r"},
		{"undecided 0", "s"}, {"to sign " + number, "sign " + number + "\r"}} {
		at.sees(step[0])
		at.types(step[1])
	}
	code := at.waits()
	close(done)
	memory := <-peak
	const most = 150_000_000
	t.Logf("%s items in a session: exit %d, %d MB", number, code, memory/1_000_000)
	if code != 0 || memory == 0 || memory > most {
		t.Errorf("exit %d, %d bytes; want at most %d: %s", code, memory, int64(most), at.stderr.String())
	}
}

// bounded fails where a run took more than judging any file may cost.
func (u usage) bounded(t *testing.T, what string) {
	t.Helper()
	u.within(t, what, 30*time.Second)
}

func (u usage) within(t *testing.T, what string, cpu time.Duration) {
	t.Helper()
	const memory = 500_000_000
	t.Logf("%s: %s", what, u)
	slow := os.Getenv("KMS_ITEMS") != "" && u.cpu > cpu // of a machine that does nothing else
	if u.memory > memory || slow {
		t.Errorf("%s: %s; want at most %d bytes and %s", what, u, int64(memory), cpu)
	}
}

// refused wants words and the exit code of a file that is not valid.
func (u usage) refused(t *testing.T, words string) {
	t.Helper()
	if u.code != 22 || !strings.Contains(u.stderr, words) {
		t.Errorf("exit %d, want 22 and %q: %.500s", u.code, words, u.stderr)
	}
}

// fund is a previous transaction of n outputs to a script.
func fund(salt uint32, n int, value int64, script []byte) []byte {
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: salt}}}
	for range n {
		prev.TxOut = append(prev.TxOut, &wire.TxOut{Value: value, PkScript: script})
	}
	var raw bytes.Buffer
	_ = prev.SerializeNoWitness(&raw) // a buffer does not fail
	return raw.Bytes()
}

// wide is an item that spends outputs, from first on, of the previous
// transaction at a place of a bundle, and pays to many.
func (p place) wide(n, inputs, outputs, previous, first int) bundle.Item {
	msg := &wire.MsgTx{Version: 2}
	for i := range inputs {
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: uint32(first + i)}, Sequence: wire.MaxTxInSequenceNum})
	}
	for i := range outputs {
		script := append([]byte{txscript.OP_0, 20}, hashFor(fmt.Sprintf("%d-%d", n, i))...)
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: int64(2000*inputs/outputs - 50), PkScript: script})
	}
	tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return previous }, nil)
	return bundle.Item{ID: fmt.Sprintf("%024x", n+1), Family: utxo.Name, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
		Tx: tx, Context: context, Keys: []chain.Key{{SignatureID: deskKey, Index: chain.NoIndex}}}
}

// sealed writes a request of the paired relay.
func (p place) sealed(name string, r bundle.Request) string {
	p.t.Helper()
	r.Signer, r.Created = p.signer, 1_790_000_000
	sealed, err := bundle.SealRequest(r, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path(name), sealed.File, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// Few bytes announce many inputs: as many as a request can hold are judged,
// more are refused, in all or of one item alone.
func manyInputs(t *testing.T) {
	p := newPlace(t)
	of := func(items, inputs, outputs int) bundle.Request {
		r := bundle.Request{}
		for i := range items {
			r.Attach(utxo.Name, fund(uint32(i), inputs, 2000, p.script))
			r.Items = append(r.Items, p.wide(i, inputs, outputs, i, 0))
		}
		return r
	}
	u := p.measure("review", p.sealed("most.kmsreq", of(bundle.MaxAllInputs/bundle.MaxInputs, bundle.MaxInputs, bundle.MaxOutputs)))
	u.bounded(t, "as many inputs as a request can hold")
	u.tooLong(t)
	u = p.measure("review", p.sealed("more.kmsreq", of(bundle.MaxAllInputs/bundle.MaxInputs+1, bundle.MaxInputs, 1)))
	u.bounded(t, "an item more")
	u.refused(t, "inputs, a request has at most")
	r := of(2, bundle.MaxInputs+1, 1)
	r.Items[1] = p.wide(1, 2, 1, 1, 0)
	u = p.measure("review", p.sealed("one.kmsreq", r))
	if u.code != 3 || !strings.Contains(u.stdout, string(chain.TooLarge)) {
		t.Errorf("one item with too many inputs: exit %d: %.500s", u.code, u.stdout)
	}
}

// As many items as a request can hold, each with several inputs, outputs and keys.
func manyItems(t *testing.T) {
	p := newPlace(t)
	r := bundle.Request{}
	const each = 4
	for i := range bundle.MaxItems {
		if i%1000 == 0 {
			r.Attach(utxo.Name, fund(uint32(i), each*1000, 2000, p.script))
		}
		it := p.wide(i, each, each, len(r.Attached(utxo.Name))-1, i%1000*each)
		r.Items = append(r.Items, it)
	}
	u := p.measure("review", p.sealed("items.kmsreq", r))
	u.bounded(t, "as many items as a request can hold")
	if u.code != 0 {
		t.Errorf("exit %d: %.500s", u.code, u.stderr)
	}
}

// A body's worth of previous transactions of the smallest outputs.
func largePrevious(t *testing.T) {
	p := newPlace(t)
	r := bundle.Request{}
	const size, outputs = 4_000_000, 4_000_000 / 9
	for i := range (bundle.MaxBody - 1<<20) / size {
		r.Attach(utxo.Name, fund(uint32(i), outputs, 2000, nil))
	}
	r.Attach(utxo.Name, fund(1000, 1, 2000, p.script))
	r.Items = append(r.Items, p.wide(0, 1, 1, len(r.Attached(utxo.Name))-1, 0))
	u := p.measure("review", p.sealed("previous.kmsreq", r))
	u.bounded(t, "a body full of small outputs")
	if u.code != 0 {
		t.Errorf("exit %d: %.500s", u.code, u.stderr)
	}
}

// As many keys of a mnemonic as a request can name.
func manyKeys(t *testing.T) {
	p := newPlace(t)
	out := p.run(0, "--testnet", "generatemanagedwallet", "BTC")
	var made struct{ SignatureID string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.SignatureID == "" {
		t.Fatalf("%v: %s", err, out)
	}
	r := bundle.Request{Attachments: bundle.AttachmentsOf(utxo.Name, [][]byte{fund(1, 1000, 2000, p.script)})}
	for i := range bundle.MaxAllKeys / bundle.MaxKeys {
		it := p.wide(i, 1, 1, 0, i)
		it.Keys = it.Keys[:0]
		for k := range bundle.MaxKeys {
			it.Keys = append(it.Keys, chain.Key{SignatureID: made.SignatureID, Index: int64(i*bundle.MaxKeys + k)})
		}
		r.Items = append(r.Items, it)
	}
	u := p.measure("review", p.sealed("keys.kmsreq", r))
	u.bounded(t, "as many keys as a request can name")
}

// One previous transaction of four megabytes is named by thousands of inputs
// that claim to spend from it, and carried by one.
func psbtManyInputs(t *testing.T) {
	p := newPlace(t)
	const inputs = 9_000
	prev := new(wire.MsgTx)
	if err := prev.DeserializeNoWitness(bytes.NewReader(fund(1, 125_000, 2000, p.script))); err != nil {
		t.Fatal(err)
	}
	id := prev.TxHash()
	msg := wire.NewMsgTx(2)
	for i := range inputs {
		msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, uint32(i)), nil, nil))
	}
	msg.AddTxOut(wire.NewTxOut(2000*inputs-400_000, append([]byte{txscript.OP_0, 20}, hashFor("a")...)))
	packet, err := library.NewFromUnsignedTx(msg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packet.Inputs {
		packet.Inputs[i].WitnessUtxo = prev.TxOut[i]
	}
	packet.Inputs[0].NonWitnessUtxo = prev
	if err := os.WriteFile(p.path("many.psbt"), psbttest.Write(packet), 0o600); err != nil {
		t.Fatal(err)
	}
	u := p.measure("--testnet", "review", p.path("many.psbt"))
	u.bounded(t, "a PSBT of 9,000 inputs from one transaction")
	u.tooLong(t)
}

// tooLong wants what was judged to be refused because no node relays it.
func (u usage) tooLong(t *testing.T) {
	t.Helper()
	if u.code != 20 || !strings.Contains(u.stdout, string(chain.TxSize)) {
		t.Errorf("exit %d: %.500s", u.code, u.stderr)
	}
}

// A previous transaction may have millions of witness items without a byte.
func psbtEmptyWitness(t *testing.T) {
	p := newPlace(t)
	const inputs, items = 8, 3_900_000
	var raw []byte
	raw = append(raw, 2, 0, 0, 0, 0, 1, inputs)
	for i := range inputs {
		raw = append(append(raw, make([]byte, 32)...), byte(i), 0, 0, 0, 0, 255, 255, 255, 255)
	}
	raw = append(raw, 1, 0, 8, 0, 0, 0, 0, 0, 0, byte(len(p.script)))
	raw = append(raw, p.script...)
	for range inputs {
		raw = append(binary.LittleEndian.AppendUint32(append(raw, 0xfe), items), make([]byte, items)...)
	}
	raw = append(raw, 0, 0, 0, 0)
	msg := wire.NewMsgTx(2)
	msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{1}, 0), nil, nil))
	msg.AddTxOut(wire.NewTxOut(1000, p.script))
	packet, err := library.NewFromUnsignedTx(msg)
	if err != nil {
		t.Fatal(err)
	}
	bare := psbttest.Write(packet)
	var file []byte
	file = append(file, bare[:len(bare)-2]...) // without the separators of input and output
	file = append(file, 1, 0, 0xfe)
	file = append(binary.LittleEndian.AppendUint32(file, uint32(len(raw))), raw...)
	file = append(file, 0, 0)
	if err := os.WriteFile(p.path("witness.psbt"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	u := p.measure("--testnet", "review", p.path("witness.psbt"))
	u.bounded(t, fmt.Sprintf("a PSBT with %d items of witness", inputs*items))
	u.refused(t, "items of witness")
}

// backedUp is a place whose wallet has signed, and a copy of it on a stick.
func backedUp(t *testing.T) (p place, stick, copied string) {
	p = newPlace(t)
	stick = p.path("stick")
	if err := os.Mkdir(stick, 0o700); err != nil {
		t.Fatal(err)
	}
	copied = filepath.Join(stick, "copy.kms")
	p.run(0, "backup", copied)
	return p, stick, copied
}

// contents reads every file of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// A copy is never opened for writing: one on a write-protected stick restores,
// with a ledger in place and without. Permissions do not stop root, so that the
// stick is one where files cannot be changed only for others; what is asserted
// for all is that nothing on it was.
func restoreReadOnly(t *testing.T) {
	p, stick, copied := backedUp(t)
	files, err := filepath.Glob(filepath.Join(stick, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("on the stick: %v", files)
	}
	before := contents(t, stick)
	mountReadOnly(t, stick)
	p.run(0, "restore", copied)
	for _, name := range []string{"w.kms.ledger", "w.kms.ledger.mark"} {
		if err := os.Rename(p.path(name), p.path("away."+name)); err != nil {
			t.Fatal(err)
		}
	}
	p.run(0, "restore", copied)
	if after := contents(t, stick); !maps.Equal(before, after) {
		t.Error("the stick was written to")
	}
}

// mountReadOnly write-protects a folder: as a mount where that is allowed, by
// its permissions otherwise.
func mountReadOnly(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err == nil {
		t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
		if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
}

// A torn last line of a copy stays in the copy.
func tornCopy(t *testing.T) {
	p, stick, copied := backedUp(t)
	f, err := os.OpenFile(copied+".ledger", os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("0123 torn")
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	before := contents(t, stick)
	p.run(0, "restore", copied)
	if after := contents(t, stick); !maps.Equal(before, after) {
		t.Error("the copy was changed")
	}
	for _, name := range []string{"w.kms.ledger", "w.kms.ledger.mark"} {
		if err := os.Remove(p.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	p.run(0, "restore", copied) // its ledger comes back, and is cut in its place
	p.run(0, "ledger", "verify")
	if after := contents(t, stick); !maps.Equal(before, after) {
		t.Error("the copy was changed")
	}
}

// Whatever a backup that was cut short left, there is no wallet without its
// ledger, and the next try succeeds. What is somebody else's stays.
func backupKilled(t *testing.T) {
	p, stick, copied := backedUp(t)
	whole := contents(t, stick)
	for _, left := range [][]string{{}, {"copy.kms.ledger"}, {"copy.kms.ledger", "copy.kms.ledger.mark"}} {
		for name := range whole {
			if err := os.RemoveAll(filepath.Join(stick, name)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range left {
			if err := os.WriteFile(filepath.Join(stick, name), []byte(whole[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p.run(0, "backup", copied)
		p.run(0, "restore", copied)
	}
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied+".ledger", []byte("of another wallet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(1, "backup", copied)
	if b, err := os.ReadFile(copied + ".ledger"); err != nil || string(b) != "of another wallet\n" {
		t.Errorf("a file that was there is now %q (%v)", b, err)
	}
	backupKilledAtRandom(t, p, stick)
}

// backupKilledAtRandom kills backups: a wallet file means a whole set. Some are
// killed at any time, and one at least between its first file and its last.
func backupKilledAtRandom(t *testing.T, p place, stick string) {
	const random, most = 6, 30
	for i, within := 0, false; i < random || !within; i++ {
		if i == most {
			t.Fatal("no kill came between the files of a backup: nothing was tested; run it again on a machine that does less")
		}
		to := filepath.Join(stick, fmt.Sprintf("killed-%d.kms", i))
		begun := func() bool { _, err := os.Stat(to + ".ledger"); return err == nil }
		at := time.Now().Add(time.Duration(5+8*i) * time.Millisecond)
		killWhen(t, p.command("--password-file", p.path("pw"), "backup", to), func() bool {
			return begun() || i < random && time.Now().After(at)
		})
		if _, err := os.Stat(to); err == nil {
			p.run(0, "restore", to)
			continue
		}
		within = within || begun()
		p.run(0, "backup", to)
	}
}

// Data is in the ledger once, by length and hash.
func dataInLedger(t *testing.T) {
	p := newPlace(t)
	data := []byte("seventy bytes that nobody has to keep twice, or even once as they are")
	request := p.request("data.kmsreq", 1, []payout{{to: "a", value: 20_000, fee: 200, data: data}})
	var said struct{ Digest string }
	if err := json.Unmarshal([]byte(p.run(0, "review", request)), &said); err != nil {
		t.Fatal(err)
	}
	p.run(0, "sign", request, "--out", p.path("out"), "--approve", said.Digest)
	b, err := os.ReadFile(p.path("w.kms.ledger"))
	if err != nil {
		t.Fatal(err)
	}
	script := append([]byte{txscript.OP_RETURN, byte(len(data))}, data...)
	if strings.Contains(string(b), hex.EncodeToString(data)) {
		t.Error("the ledger has the data")
	}
	if n := strings.Count(string(b), fmt.Sprintf("sha256:%d:%x", len(script), sha256.Sum256(script))); n != 1 {
		t.Errorf("the ledger names the data %d times, want once", n)
	}
}

// sleeper makes the wallet of a place anew, with a ledger that ends so long ago.
func (p *place) sleeper(ago time.Duration) {
	p.t.Helper()
	for _, name := range []string{"w.kms", "w.kms.prev", "w.kms.ledger", "w.kms.ledger.mark"} {
		if err := os.RemoveAll(p.path(name)); err != nil {
			p.t.Fatal(err)
		}
	}
	past := func() time.Time { return time.Now().Add(-ago) }
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: past}
	w, err := a.store().New(p.path("w.kms"), []byte(deskPassword))
	if err == nil {
		err = freshLedger(a, p.path("w.kms"), w)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Close()
	id, err := w.Identity()
	if err != nil {
		p.t.Fatal(err)
	}
	p.signer = id.Public()
	key, err := wallet.FromKey(deskKey, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), bytes.Repeat([]byte{7}, 32), true, past())
	relay := relayKey(1).Public()
	files := ledger.NewFiles(a.fs, w.Path()+ledgerSuffix)
	defer func() { _ = files.Close() }()
	o := &opened{Wallet: w, files: files, fresh: true}
	if err = errors.Join(err, w.Add(key), w.Pair(wallet.Relay{Key: relay, Added: past().Unix()})); err == nil {
		err = a.save(o, ledger.Line{Act: ledger.ActPair, Relay: relay.Fingerprint()})
	}
	if err = errors.Join(err, w.Save()); err != nil {
		p.t.Fatal(err)
	}
}

// A clock that jumped by more than a day is asked about before anything is
// judged or recorded; without a terminal nothing is.
func clockAhead(t *testing.T) {
	p := newPlace(t)
	p.sleeper(23 * time.Hour)
	list := []payout{{to: "a", value: 20_000, fee: 200}}
	p.run(0, "review", p.request("soon.kmsreq", 1, list))
	p.sleeper(25 * time.Hour)
	request := p.request("late.kmsreq", 1, list)
	before := len(p.ledgerText())
	p.run(20, "review", request)
	p.run(20, "backup", p.path("backup.kms"))
	for answer, code := range map[string]int{"n": 21, "y": 0} {
		at := sit(t, p.command("--password-file", p.path("pw"), "review", request))
		at.sees("25 hours")
		at.types(answer + "\r")
		if got := at.waits(); got != code {
			t.Errorf("answer %q: exit %d, want %d: %s", answer, got, code, at.stderr.String())
		}
		if answer == "n" {
			continue
		}
		if len(p.ledgerText()) == before {
			t.Error("the review was not recorded")
		}
		p.run(0, "review", request) // asked once
		p.sleeper(25 * time.Hour)
		request = p.request("late.kmsreq", 1, list)
		before = len(p.ledgerText())
	}
	at := sit(t, p.command("--password-file", p.path("pw"), "ledger", "clock"))
	at.sees("Type clock")
	if len(p.ledgerText()) != before {
		t.Error("something was recorded under a clock that nobody vouched for")
	}
	at.types("clock\r")
	if code := at.waits(); code != 0 {
		t.Errorf("ledger clock: exit %d: %s", code, at.stderr.String())
	}
	p.run(0, "review", request)
}

func (p place) ledgerText() string {
	p.t.Helper()
	b, err := os.ReadFile(p.path("w.kms.ledger"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}
