//go:build unix

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/creack/pty"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/parallel"
)

// scene is an attack of several steps: files are put back, approvals are used
// again. Whatever it does, nothing may be signed.
type scene struct {
	name  string
	files files // that the program finds
	play  func(*stage)
}

// files are those of a wallet and what lies beside it, by name.
type files map[string][]byte

// stage is a folder in which the program runs.
type stage struct {
	*run
}

// playScenes plays all scenes and returns how many were met as they must be.
func playScenes(t *testing.T, dir string) (met, all int) {
	t.Helper()
	scenes := slices.Concat(replays(t, dir), rollbacks(t, dir), denials(t, dir))
	held := make([]bool, len(scenes))
	parallel.Each(len(scenes), func(i int) {
		s := newStage(t, dir, fmt.Sprint("scene-", i), scenes[i].name)
		s.put(scenes[i].files)
		scenes[i].play(s)
		held[i] = !s.failed
		_ = os.RemoveAll(s.work)
	})
	for _, h := range held {
		if h {
			met++
		}
	}
	return met, len(scenes)
}

func newStage(t *testing.T, dir, folder, name string) *stage {
	t.Helper()
	s := &stage{run: &run{t: t, dir: dir, work: filepath.Join(dir, folder), e: Case{Name: name}}}
	if err := os.Mkdir(s.work, 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) put(f files) {
	for name, b := range f {
		if err := os.WriteFile(filepath.Join(s.work, name), b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// files returns everything that lies on the stage.
func (s *stage) files() files {
	f := files{}
	entries, err := os.ReadDir(s.work)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(s.work, e.Name())); err == nil {
			f[e.Name()] = b
		}
	}
	return f
}

// must runs a command that has to succeed, and reads its reply.
func (s *stage) must(reply any, args ...string) {
	s.t.Helper()
	got := s.do(append([]string{"--json"}, args...)...)
	if got.code != cli.Done && got.code != cli.Part {
		s.t.Fatalf("%s: %v: exit %d: %s", s.e.Name, args, got.code, got.stderr)
	}
	if reply != nil {
		if err := json.Unmarshal(got.stdout, reply); err != nil {
			s.t.Fatalf("%v: %v", args, err)
		}
	}
}

// refuses runs a command that must fail so, and say something.
func (s *stage) refuses(exit int, says string, args ...string) {
	got := s.do(args...)
	if got.code != exit || !bytes.Contains(got.stderr, []byte(says)) {
		s.errorf("%v: exit %d, want %d and %q: %.300s", args, got.code, exit, says, got.stderr)
	}
	s.noSignatures()
}

// talks runs a command on a terminal and answers its questions in order.
func (s *stage) talks(exit int, args []string, dialogue ...string) {
	s.t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	defer master.Close()
	cmd := s.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	go func() {
		var shown []byte
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if shown = append(shown, b[:n]...); err != nil {
				return
			}
			if len(dialogue) > 1 && bytes.Contains(shown, []byte(dialogue[0])) {
				time.Sleep(50 * time.Millisecond)
				_, _ = master.WriteString(dialogue[1] + "\r")
				shown, dialogue = nil, dialogue[2:]
			}
		}
	}()
	s.wait(cmd)
	slave.Close()
	if got := cmd.ProcessState.ExitCode(); got != exit {
		s.t.Fatalf("%s: %v: exit %d, want %d", s.e.Name, args, got, exit)
	}
}

// policyFile asks for two operators above 50,000 satoshi, and for a person to
// name the ledger's length.
func policyFile(operators int) []byte {
	return fmt.Appendf(nil, `{"version": 1, "requireLedgerCheck": true, "chains": [{"chain": "BTC", "network": "testnet", "quorum": [{"per": "batch", "above": 50000, "operators": %d}]}]}`, operators)
}

// prepared is a stage with the wallet of the corpus, the operators alice and
// bob, and a policy.
func prepared(t *testing.T, dir, folder string) *stage {
	t.Helper()
	s := opening(t, dir, folder)
	s.put(files{"alice": []byte("alice fig9 Kelvin-mortar 71"), "bob": []byte("bob tern4 Oxide-pulley 28"),
		"carol":    []byte("carol yew6 Basalt-gimlet 53"),
		"two.json": policyFile(2), "three.json": policyFile(3), "relay.kmsid": keyOf(1).File()})
	s.must(nil, "operator", "add", "alice", "--operator-password-file", "alice")
	s.must(nil, "operator", "add", "bob", "--operator-password-file", "bob")
	s.must(nil, "policy", "set", "two.json")
	return s
}

// payments are a request with these payments, which states a ledger head.
func (s *stage) payments(salt uint32, head []byte, values ...int64) []byte {
	s.t.Helper()
	script := ownScripts(chain.BTC)[1]
	r := bundle.Request{Signer: s.signer(), Created: stopped().Unix(), LedgerHead: head}
	for i, value := range values {
		prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: salt<<8 + uint32(i)}},
			TxOut: []*wire.TxOut{{Value: 1_000_000, PkScript: script}}}
		var raw bytes.Buffer
		check(prev.SerializeNoWitness(&raw))
		r.Attach(utxo.Name, raw.Bytes())
		msg := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash()},
			Sequence: wire.MaxTxInSequenceNum}},
			TxOut: []*wire.TxOut{{Value: value, PkScript: stranger(7)}, {Value: 1_000_000 - value - 200, PkScript: script}}}
		tx, context := utxo.Encode(msg, func(chainhash.Hash) int { return i }, nil)
		r.Items = append(r.Items, bundle.Item{ID: pendingID(0x900000 + salt<<8 + uint32(i)), Family: utxo.Name,
			Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
			Tx:   tx, Context: context, Keys: []chain.Key{{SignatureID: single(chain.BTC), Index: chain.NoIndex}}})
	}
	return must(bundle.SealRequest(r, keyOf(1))).File
}

// signer reads the signer's identity from a watch file.
func (s *stage) signer() [32]byte {
	s.t.Helper()
	s.must(nil, "watch", "--out", "signer.kmswatch")
	watch, err := bundle.OpenWatch(must(os.ReadFile(filepath.Join(s.work, "signer.kmswatch"))))
	check(err)
	return watch.Signer
}

// packet is a PSBT of a payment.
func (s *stage) packet() []byte {
	c := &corpus{salt: 0x7000}
	p := c.spend(chain.BTC, ownScripts(chain.BTC)[0])
	p.msg.TxOut = []*wire.TxOut{{Value: 20_000, PkScript: stranger(8)},
		{Value: p.prev[0].TxOut[0].Value - 20_500, PkScript: ownScripts(chain.BTC)[0]}}
	return packet(p)
}

// reviewed reviews a file and returns its digest and round.
func (s *stage) reviewed(name string) (digest, round string) {
	s.t.Helper()
	var r struct{ Digest, Round string }
	s.must(&r, "review", name)
	return r.Digest, r.Round
}

func approval(name, file, digest string) []string {
	return []string{"approve", file, "--operator", name, "--operator-password-file", name, "--digest", digest}
}

// approves has an operator approve a reviewed batch, and keeps the file.
func (s *stage) approves(name, file, digest, kept string) {
	s.t.Helper()
	var r struct{ Approval string }
	s.must(&r, append(approval(name, file, digest), "--out", "stick")...)
	s.put(files{kept: must(os.ReadFile(filepath.Join(s.work, r.Approval)))})
}

// replays use approvals again after each thing that ends their round, in every
// form in which somebody may have kept them.
func replays(t *testing.T, dir string) (scenes []scene) {
	t.Helper()
	s := prepared(t, dir, "replays")
	s.put(files{"salary.kmsreq": s.payments(1, s.head(), 60_000, 61_000)})
	digest, round := s.reviewed("salary.kmsreq")
	s.approves("alice", "salary.kmsreq", digest, "alice.kmsapproval")
	s.approves("bob", "salary.kmsreq", digest, "bob.kmsapproval")
	ready := s.files()
	for event, happens := range roundEnds() {
		after := newStage(t, dir, "after-"+plain(event), event)
		after.put(ready)
		happens(after, digest)
		state := after.files()
		for form, use := range replayForms(digest, round) {
			scenes = append(scenes, scene{"approvals after " + event + ": " + form, state, use})
		}
	}
	return scenes
}

// roundEnds are the events after which approvals of before count no longer.
func roundEnds() map[string]func(s *stage, digest string) {
	bob := []string{"approve", "salary.kmsreq", "--operator", "bob", "--operator-password-file", "bob"}
	return map[string]func(s *stage, digest string){
		"a no to approve": func(s *stage, _ string) { s.talks(cli.Declined, bob, `or "no":`, "no") },
		"a no to sign": func(s *stage, _ string) {
			s.talks(cli.Declined, []string{"sign", "salary.kmsreq", "--out", "none", "--plain"}, "Sign 2 transactions?", "n")
		},
		"items were taken out": func(s *stage, _ string) {
			s.talks(cli.Refused, []string{"sign", "salary.kmsreq", "--out", "none", "--plain"}, "Sign 2 transactions?",
				"reject 2", "Take 1 transaction out, for the operators to approve the other 1?", "y")
		},
		"another policy": func(s *stage, _ string) { s.must(nil, "policy", "set", "three.json") },
		"another policy and back": func(s *stage, _ string) {
			s.must(nil, "policy", "set", "three.json")
			s.must(nil, "policy", "set", "two.json")
		},
		"an operator came": func(s *stage, _ string) {
			s.must(nil, "operator", "add", "carol", "--operator-password-file", "carol")
		},
		"an operator came and went": func(s *stage, _ string) {
			s.must(nil, "operator", "add", "carol", "--operator-password-file", "carol")
			s.must(nil, "operator", "remove", "carol", "--yes")
		},
		"a copy was restored": func(s *stage, _ string) {
			s.must(nil, "backup", "copy.kms")
			s.must(nil, "restore", "copy.kms")
		},
	}
}

// replayForms are the ways to use approvals of before.
func replayForms(digest, round string) map[string]func(*stage) {
	sign := func(more ...string) []string {
		return append([]string{"sign", "salary.kmsreq", "--out", "out", "--approve", digest}, more...)
	}
	kept := []string{"--approval", "alice.kmsapproval", "--approval", "bob.kmsapproval"}
	anew := func(s *stage) { _ = s.do("review", "salary.kmsreq") }
	return map[string]func(*stage){
		"those in the ledger":           func(s *stage) { s.refuses(cli.Refused, "too few operators", sign()...) },
		"those in the ledger, reviewed": func(s *stage) { anew(s); s.refuses(cli.Refused, "too few operators", sign()...) },
		"those that were kept":          func(s *stage) { s.refuses(cli.Refused, "batch or round", sign(kept...)...) },
		"those that were kept, reviewed": func(s *stage) {
			anew(s)
			s.refuses(cli.Refused, "batch or round",
				sign(kept...)...)
		},
		"one that was kept beside a new": func(s *stage) {
			s.beside(digest)
			s.refuses(cli.Refused, "batch or round",
				sign(kept[2:]...)...)
		},
		"one in the ledger beside a new": func(s *stage) {
			s.beside(digest)
			s.refuses(cli.Refused, "too few operators",
				sign()...)
		},
		"the round is named again": func(s *stage) {
			anew(s)
			got := s.do(append(approval("alice", "salary.kmsreq", digest), "--json", "--round", round, "--out", "again")...)
			if got.code == cli.Refused && bytes.Contains(got.stderr, []byte("has ended")) {
				return
			}
			// after a copy was put back, it may be open where it was drawn: it counts there alone
			var r struct{ Approval string }
			if err := json.Unmarshal(got.stdout, &r); got.code != cli.Done || err != nil {
				s.errorf("exit %d: %.300s", got.code, got.stderr)
			}
			s.refuses(cli.Refused, "batch or round", sign("--approval", r.Approval)...)
		},
		"a kept one, moved to the new round": func(s *stage) {
			s.put(files{"moved": s.moved("bob.kmsapproval")})
			s.refuses(cli.BadBundle, "signature does not fit", sign("--approval", "moved")...)
		},
	}
}

// beside has alice approve the batch anew.
func (s *stage) beside(digest string) {
	_ = s.do("review", "salary.kmsreq")
	if got := s.do(approval("alice", "salary.kmsreq", digest)...); got.code != cli.Done {
		s.errorf("alice cannot approve anew: %.300s", got.stderr)
	}
}

// moved writes the open round into an approval that was given in another.
func (s *stage) moved(name string) []byte {
	var r struct{ Round string }
	got := s.do("--json", "review", "salary.kmsreq")
	if err := json.Unmarshal(got.stdout, &r); err != nil {
		s.errorf("review: %v: %.300s", err, got.stderr)
	}
	file := must(os.ReadFile(filepath.Join(s.work, name)))
	const at = 8 + 4*32 // magic, key, batch, policy, judgement
	copy(file[at:], must(hex.DecodeString(r.Round)))
	return file
}

// change is something that a person does between an old set of files and a new
// one, and what is said of an old wallet beside the new ledger.
type change struct {
	name   string
	do     func(*stage)
	wallet string // "" if an old wallet brings nothing back
}

func changes() []change {
	return []change{
		{"an operator was removed", func(s *stage) { s.must(nil, "operator", "remove", "bob", "--yes") }, "operator bob"},
		{"an operator was added", func(s *stage) {
			s.must(nil, "operator", "add", "carol", "--operator-password-file", "carol")
		}, `operator "carol"`},
		{"another relay was unpaired", func(s *stage) { s.must(nil, "unpair", keyOf(2).Public().Fingerprint(), "--yes") },
			"relay " + keyOf(2).Public().Fingerprint()},
		{"the policy was changed", func(s *stage) { s.must(nil, "policy", "set", "three.json") },
			"the policy in the wallet is not the one"},
		{"a key was made", func(s *stage) { s.must(nil, "--testnet", "generatemanagedprivatekeybatch", "BTC", "1") }, ""},
		{"a payment was signed", func(s *stage) {
			s.put(files{"small.kmsreq": s.payments(2, s.head(), 20_000)})
			digest, _ := s.reviewed("small.kmsreq")
			s.must(nil, "sign", "small.kmsreq", "--out", "done", "--approve", digest)
			check(os.RemoveAll(filepath.Join(s.work, "done")))
		}, ""},
	}
}

// rollbacks put old files back: each alone, and in every combination.
func rollbacks(t *testing.T, dir string) (scenes []scene) {
	t.Helper()
	begin := prepared(t, dir, "rollbacks")
	begin.put(files{"other.kmsid": keyOf(2).File()})
	begin.must(nil, "pair", "other.kmsid")
	first := begin.files()
	for i, c := range changes() {
		s := newStage(t, dir, "rollback-"+strconv.Itoa(i), c.name)
		s.put(first)
		c.do(s)
		now := s.book()
		s.put(files{"request": s.payments(uint32(10+i), s.head(), 20_000), "psbt": s.packet()})
		scenes = append(scenes, combined(c, first, s.files(), now)...)
	}
	return scenes
}

// book is how far a ledger is.
type book struct {
	Lines       uint64
	Head, Words string
}

func (s *stage) book() (now book) {
	s.t.Helper()
	s.must(&now, "ledger", "verify")
	return now
}

// head is what a relay states that has seen all of the ledger.
func (s *stage) head() []byte {
	s.t.Helper()
	return must(hex.DecodeString(s.book().Head))
}

// combined are the mixtures of two sets in which something would come back or
// be forgotten, each with a request and with a PSBT.
func combined(c change, older, newer files, now book) (scenes []scene) {
	noted := fmt.Sprintf("%d %s", now.Lines, now.Words)
	set := []string{walletName, walletName + ".ledger", walletName + ".ledger.mark"}
	for mix := 1; mix < 1<<len(set); mix++ {
		f, olds := maps.Clone(newer), []string{}
		same := false
		for i, name := range set {
			if mix>>i&1 == 1 {
				same = same || bytes.Equal(older[name], newer[name])
				f[name] = older[name]
				olds = append(olds, strings.TrimPrefix(name, walletName))
			}
		}
		for _, input := range []string{"request", "psbt"} {
			says := rolledBack(c, mix, input)
			if same || says == "" {
				continue
			}
			scenes = append(scenes, scene{fmt.Sprintf("%s, then old files of wallet%s: %s", c.name, strings.Join(olds, " "),
				input), f, func(s *stage) {
				if strings.HasPrefix(says, "not ") {
					digest, _ := s.reviewed(input)
					s.refuses(cli.Refused, "not these head words at line "+strconv.FormatUint(now.Lines, 10), "sign", input, "--out",
						"out", "--approve", digest, "--noted", noted)
					return
				}
				s.refuses(cli.Refused, says, "review", input)
				s.refuses(cli.Refused, says, "sign", input, "--out", "out", "--approve", strings.Repeat("0", 64), "--noted", noted)
			}})
		}
	}
	return scenes
}

// rolledBack is what the signer says of a mixture: bit 0 is an old wallet, 1
// an old ledger, 2 an old mark. "" if the mixture forgets nothing.
func rolledBack(c change, mix int, input string) string {
	wallet, ledger, mark := mix&1 != 0, mix&2 != 0, mix&4 != 0
	switch {
	case ledger && !mark:
		return "was acknowledged and is not in it"
	case ledger && wallet, ledger && c.name == "a payment was signed": // the whole set is old
		if input == "psbt" {
			return "not the number of lines that was noted"
		}
		return "the relay has seen a later state of this ledger"
	case ledger && strings.HasPrefix(c.name, "the policy"):
		return c.wallet
	case ledger:
		return "the ledger is an old copy"
	case wallet:
		return c.wallet
	}
	return ""
}

// TestScenes plays the attacks of several steps alone; TestHostile plays them
// too.
//
//	KMS_SCENES=1 go test ./cmd/testtools/adversarial -run Scenes -v
func TestScenes(t *testing.T) {
	if os.Getenv("KMS_SCENES") == "" {
		t.Skip("KMS_SCENES is not set")
	}
	dir := t.TempDir()
	_ = generated(t, dir)
	met, all := playScenes(t, dir)
	fmt.Printf("scenes: %d/%d\n", met, all)
}
