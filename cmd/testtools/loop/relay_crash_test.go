//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// killsEnv is how many kills TestCrash makes; a short run without it.
const killsEnv = "KMS_KILLS"

// operator is somebody at a relay who types the next command, and again when
// it was killed, and never does anything else.
type operator struct {
	t      *testing.T
	tatum  *badTatum
	bin    string
	dir    string
	where  string // the journal
	relays int    // that share it
	daemon bool   // it does everything, one round at a time
	random *rand.Rand
	kills  *atomic.Int64
	usual  map[string]time.Duration // how long a command takes that is left alone
	ids    []string
	txids  map[string]string // pending id: the one that was acknowledged as imported
}

// Exit codes that ask for nothing but the same command again.
var goOn = map[int]bool{0: true, 3: true, 11: true, 22: true, 30: true}

// command runs one command, perhaps killed on its way. It returns its output and
// whether it ended by itself and did its work.
func (o *operator) command(mayDie bool, name string, args ...string) (stdout []byte, done bool) {
	o.t.Helper()
	cmd := exec.Command(filepath.Join(o.bin, "kms-online"), append(o.relay(), append([]string{"--testnet", "--json", name}, args...)...)...)
	cmd.Env = append(os.Environ(), "TATUM_API_URL="+o.tatum.url, "TATUM_API_KEY="+testKey)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	usual := max(o.usual[name], 20*time.Millisecond)
	if mayDie {
		killer := time.AfterFunc(time.Duration((0.3+o.random.Float64())*float64(usual)), func() { _ = cmd.Process.Kill() })
		defer killer.Stop()
	}
	_ = cmd.Wait()
	code := cmd.ProcessState.ExitCode()
	switch {
	case code < 0:
		o.kills.Add(1)
		o.usual[name] = min(usual*11/10, 500*time.Millisecond) // give it a chance
		return nil, false
	case !goOn[code]:
		o.t.Fatalf("%s asks for a person: exit code %d\n%s%s", name, code, out.String(), words.String())
	}
	if code == 0 {
		o.usual[name] = (usual + time.Since(begin)) / 2
	}
	return out.Bytes(), code == 0 || code == 3 || code == 22 // 22: a torn file lay beside the good ones
}

// relay chooses one of the relays.
func (o *operator) relay() []string {
	dir := relayDir(o.dir, o.random.IntN(o.relays))
	if journal.IsAddress(o.where) {
		return []string{"--state", o.where, "--dir", dir}
	}
	return []string{"--state", dir}
}

func relayDir(dir string, n int) string { return filepath.Join(dir, "relay"+strconv.Itoa(n)) }

// again types a command until it has ended by itself.
func (o *operator) again(name string, args ...string) []byte {
	o.t.Helper()
	for try := range 200 {
		if out, done := o.command(try < 60 && o.random.Float64() < 0.95, name, args...); done {
			return out
		}
	}
	o.t.Fatalf("%s never ends well", name)
	return nil
}

func (o *operator) usb() string { return filepath.Join(o.dir, "usb") }

// sign stands for the signer and the stick: results of every request, one of
// them twice, one torn, some by another nonce.
func (o *operator) sign() {
	o.t.Helper()
	requests, err := filepath.Glob(filepath.Join(o.usb(), "*.kmsreq"))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, path := range requests {
		file, err := os.ReadFile(path)
		if err != nil {
			o.t.Fatal(err)
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			o.t.Fatalf("%s is on the stick and not whole: %v", path, err)
		}
		o.tatum.mu.Lock()
		o.tatum.signer.OtherNonce = o.random.IntN(4) == 0
		result := o.tatum.signer.Sign(req, nil)
		o.tatum.mu.Unlock()
		name := fmt.Sprintf("%.8s-%d.kmsres", req.Digest, o.random.IntN(1000))
		if o.random.IntN(4) == 0 {
			o.write("torn.kmsres", result[:o.random.IntN(len(result))])
		}
		o.write(name, result)
	}
}

func (o *operator) write(name string, b []byte) {
	if err := os.WriteFile(filepath.Join(o.usb(), name), b, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

type itemStatus struct {
	ID, State, TxID, Code, Reason, Withheld string
	Confirmations                           int64
}

func (o *operator) status() map[string]itemStatus {
	o.t.Helper()
	out, _ := o.command(false, "status")
	var list []itemStatus
	if err := json.Unmarshal(out, &list); err != nil {
		o.t.Fatal(err)
	}
	all := make(map[string]itemStatus)
	for _, s := range list {
		all[s.ID] = s
		if was := o.txids[s.ID]; was != "" && was != s.TxID {
			o.t.Errorf("%s was acknowledged as signed with txid %s and is %s with %q now", s.ID, was, s.State, s.TxID)
		}
		if s.State == "completed" && o.tatum.txID(s.ID) != s.TxID {
			o.t.Errorf("%s is falsely done: Tatum has %q", s.ID, o.tatum.txID(s.ID))
		}
		if s.State == "failed" || s.State == "refused" || callsDead(s.Code, s.Reason) {
			o.t.Errorf("I9: the chain has it or gets it, and %s needs a person: %+v", s.ID, s)
		}
	}
	return all
}

// round takes payments the whole way.
func (o *operator) round() {
	o.t.Helper()
	o.ids = o.tatum.pay(1+o.random.IntN(4), o.where)
	o.txids = make(map[string]string)
	for turns := 0; !o.settled(); turns++ {
		if turns == 50 {
			o.t.Fatalf("does not come to an end: %+v", o.status())
		}
		if turns >= 20 { // the daemon leaves an item alone for seconds that met trouble
			time.Sleep(time.Second)
		}
		if o.daemon {
			o.again("daemon", "--runOnce", "--chain", "LTC", "--drop", o.usb())
			o.sign()
			o.remember()
			continue
		}
		o.again("fetch")
		o.again("export", "--out", o.usb())
		o.sign()
		o.again("import", o.usb())
		o.remember()
		if o.random.IntN(3) == 0 { // a stick is used again, another signature on it
			o.sign()
			o.again("import", o.usb())
		}
		o.again("broadcast")
	}
	o.deepen()
	for _, id := range o.ids {
		if n := o.tatum.distinct(id); n != 1 {
			o.t.Errorf("%s: %d byte strings were sent", id, n)
		}
	}
}

// remember keeps what the relay has acknowledged: from here on it is never
// forgotten.
func (o *operator) remember() {
	o.t.Helper()
	for id, s := range o.status() {
		o.txids[id] = s.TxID
	}
}

// settled reports whether everything is completed, here and at Tatum.
func (o *operator) settled() bool {
	o.t.Helper()
	all := o.status()
	for _, id := range o.ids {
		if all[id].State != "completed" {
			return false
		}
	}
	return true
}

// newRelays returns paired relays: one with a journal of its own, or two on a
// database.
func (b *badTatum) newRelays(dir, database string) *operator {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "usb"), 0o700); err != nil {
		b.t.Fatal(err)
	}
	o := &operator{t: b.t, tatum: b, dir: dir, where: database, relays: 2}
	if database == "" {
		o.where, o.relays = filepath.Join(relayDir(dir, 0), "journal.db"), 1
	}
	for n := range o.relays {
		if n > 0 {
			b.copyIdentity(dir, n)
		}
		if _, err := online.InitShared(b.t.Context(), durable.OS{}, relayDir(dir, n), database, bytes.NewReader(bytes.Repeat([]byte{1}, identity.SeedSize)), time.Now); err != nil {
			b.t.Fatal(err)
		}
	}
	b.pairRelay(relayDir(dir, 0), database)
	return o
}

func (b *badTatum) copyIdentity(dir string, n int) {
	b.t.Helper()
	key, err := os.ReadFile(filepath.Join(relayDir(dir, 0), "identity.key"))
	if err == nil {
		err = os.Mkdir(relayDir(dir, n), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(relayDir(dir, n), "identity.key"), key, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *badTatum) pairRelay(state, database string) {
	b.t.Helper()
	open := func() (*online.Relay, error) {
		return online.Open(b.t.Context(), online.Options{Families: relaytest.Families(), Dir: state, Database: database, FS: durable.OS{}, Now: time.Now})
	}
	r, err := open()
	for errors.Is(err, durable.ErrLocked) { // a program that is being started has a copy of Init's lock for a moment
		time.Sleep(time.Millisecond)
		r, err = open()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Pair(b.t.Context(), b.watch()); err != nil {
		b.t.Fatal(err)
	}
}

// fewest is how many payments must go the whole way, however slow the machine:
// with fewer a fault that shows now and then could be missed.
const fewest = 24

// sharedEvery is how many rounds have one on PostgreSQL among them.
const sharedEvery = 5

// hasDaemon reports whether the relay has that command.
func hasDaemon(bin string) bool {
	out, err := exec.Command(filepath.Join(bin, "kms-online"), "daemon", "--help").CombinedOutput()
	return err == nil && bytes.Contains(out, []byte("--runOnce"))
}

// The real relay is killed at random moments, all along the way, while Tatum
// misbehaves and sticks come torn, twice and with other signatures. The same
// commands again bring every payment to its one end.
func TestCrash(t *testing.T) {
	t.Parallel()
	kills := int64(100)
	if n, err := strconv.ParseInt(os.Getenv(killsEnv), 10, 64); err == nil {
		kills = n
	}
	if _, err := programs(); err != nil {
		t.Fatal(err)
	}
	c := &crash{kills: kills}
	t.Run("PostgreSQL", func(t *testing.T) { c.server = pgtest.Start(t); c.run(t) })
	if c.server == nil { // skipped
		t.Run("SQLite", c.run)
	}
	if t.Failed() {
		return
	}
	if c.reorganised.Load() == 0 || c.lost.Load() == 0 {
		t.Errorf("%d reorganisations, %d payments lost: too few to tell", c.reorganised.Load(), c.lost.Load())
	}
	fmt.Printf("crash: %d kills, %d rounds (%d with two relays on PostgreSQL, %d by the daemon), %d reorganisations that lost %d transactions, %d payments: each sent as one byte string, completed and confirmed, none called dead, nothing repaired by hand\n",
		c.killed.Load(), c.rounds.Load(), c.shared.Load(), c.daemons.Load(), c.reorganised.Load(), c.lost.Load(), c.payments.Load())
}

// crash is what two operators, each with a Tatum, do at a time.
type crash struct {
	kills                            int64
	server                           *pgtest.Server // nil: SQLite only
	killed, rounds, payments, shared atomic.Int64
	daemons                          atomic.Int64 // rounds that it went by itself
	failed                           atomic.Bool
	reorganised, lost                atomic.Int64
}

func (c *crash) run(t *testing.T) {
	for worker := range 2 {
		t.Run(strconv.Itoa(worker), func(t *testing.T) { t.Parallel(); c.work(t, uint64(worker)) })
	}
}

func (c *crash) work(t *testing.T, worker uint64) {
	const seed = 20261123
	b := newBadTatum(t, seed+worker, 0.02)
	random := rand.New(rand.NewPCG(seed, worker))
	usual := make(map[string]time.Duration)
	bin, _ := programs()
	defer func() { c.failed.Store(c.failed.Load() || t.Failed()) }()
	for (c.killed.Load() < c.kills || c.payments.Load() < fewest) && !t.Failed() && !c.failed.Load() {
		database := ""
		if n := c.rounds.Add(1); c.server != nil && n%sharedEvery == 0 {
			database = c.server.Database(t)
			c.shared.Add(1)
		}
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		o := b.newRelays(dir, database)
		if o.daemon = random.IntN(3) == 0 && hasDaemon(bin); o.daemon {
			c.daemons.Add(1)
		}
		o.bin, o.random, o.kills, o.usual = bin, random, &c.killed, usual
		o.round()
		c.payments.Add(int64(len(o.ids)))
		_ = os.RemoveAll(dir)
	}
	c.reorganised.Add(int64(b.reorganised))
	c.lost.Add(int64(b.lost))
	for _, early := range b.early {
		t.Errorf("left before it was journaled: %s", early)
	}
}
