//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// mendedAttacks are what somebody who read the reviews and summaries closely
// found missing or in the way.
func mendedAttacks() []attack {
	return []attack{
		{"61-without-frees-the-other", withoutFrees},
		{"61-rejecting-frees-the-other", rejectingFrees},
		{"61-freed-item-counts-for-the-quorum", freedCounts},
		{"62-a-yes-with-more-words-is-none", yesAndMore},
		{"62-reject-takes-a-list", rejectList},
		{"64-old-set-and-a-request-without-a-head", oldSetWithoutHead},
		{"65-approval-on-a-restored-copy", approvalOnRestoredCopy},
		{"65-round-of-another-batch", roundOfAnotherBatch},
		{"66-raw-failure-hides-the-result", rawFails},
		{"66-result-of-the-same-name", sameName},
		{"66-out-that-takes-no-file", outTakesNothing},
		{"67-compare-two-of-one-machine", compareOneMachine},
		{"67-words-of-the-copy-after-restore", wordsAfterRestore},
		{"68-pipes-devices-and-sockets", specialFiles},
		{"63-released-comes-again", releasedAgain},
		{"63-released-comes-again-needs-operators", releasedNeedsOperators},
		{"61-summary-leaves-out-what-is-burnt", summaryTellsBurnt},
	}
}

// conflicting is a request of a payment and of two others that spend one outpoint.
func (p purse) conflicting(name string) (request string, ids []string) {
	p.t.Helper()
	p.usual()
	prev := p.earlier(out(coinValue, p.script))
	pays := func(id string, value int64, prev *wire.MsgTx) spend {
		return spend{
			id:   id,
			prev: prev,
			in:   []*wire.TxOut{out(coinValue, p.script)},
			outs: []*wire.TxOut{out(value, payee(1)), out(coinValue-value-1_000, p.script)},
			keys: []chain.Key{single(deskKey)},
		}
	}
	ids = []string{"ac112233445566778899aa01", "ac112233445566778899aa02", "ac112233445566778899aa03"}
	return p.ask(name, pays(ids[0], 100_000, nil), pays(ids[1], 200_000, prev), pays(ids[2], 300_000, prev)), ids
}

// verdicts are those of a review --json, in order.
func (p purse) verdicts(args ...string) string {
	p.t.Helper()
	var r reviewed
	if err := json.Unmarshal([]byte(p.run(3, append([]string{"review"}, args...)...)), &r); err != nil {
		p.t.Fatal(err)
	}
	var said []string
	for _, it := range r.Items {
		said = append(said, it.Verdict)
	}
	return strings.Join(said, " ")
}

// signed are the ids that the newest result in a folder has signatures for.
func (p purse) signedIDs(out string) string {
	p.t.Helper()
	var ids []string
	out = strings.Join(strings.Fields(out), " ")
	for _, id := range []string{"ac112233445566778899aa01", "ac112233445566778899aa02", "ac112233445566778899aa03"} {
		if strings.Contains(out, `"id": "`+id+`", "txId"`) {
			ids = append(ids, id[22:])
		}
	}
	return strings.Join(ids, " ")
}

// Of two items that spend one outpoint neither is signed; with one of them left
// out, the other is judged as if that were not there.
func withoutFrees(t *testing.T) {
	p := newPurse(t)
	request, ids := p.conflicting("conflict.kmsreq")
	if got := p.verdicts(request); got != "ok refused refused" {
		t.Errorf("judged %s", got)
	}
	if got := p.verdicts(request, "--without", ids[2]); got != "ok ok refused" {
		t.Errorf("without one: %s", got)
	}
	if got := p.verdicts(request, "--without", ids[1], "--without", ids[2]); got != "ok refused refused" {
		t.Errorf("without both: %s", got)
	}
	var r reviewed
	if err := json.Unmarshal([]byte(p.run(3, "review", request, "--without", ids[2])), &r); err != nil {
		t.Fatal(err)
	}
	said := p.run(3, "sign", request, "--without", ids[2], "--out", p.path("out"), "--approve", r.Digest)
	if got := p.signedIDs(said); got != "01 02" {
		t.Errorf("signed %s: %s", got, said)
	}
	p.review(p.asked(request, "again.kmsreq", 2), 20) // what it spends is signed away
}

// The same by a rejection, line by line and on the screen.
func rejectingFrees(t *testing.T) {
	p := newPurse(t)
	request, _ := p.conflicting("conflict.kmsreq")
	at := p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain", "--json"},
		"Sign 1 transaction?", "reject 3", "Sign 2 transactions?", "y")
	if got := p.signedIDs(at.stdout.String()); got != "01 02" {
		t.Errorf("line by line: signed %s: %s", got, at.stdout.String())
	}
	// left for later, a no to one of both is on record
	other := newPurse(t)
	request, ids := other.conflicting("conflict.kmsreq")
	other.answers(21, []string{"sign", request, "--out", other.path("out"), "--plain"}, "Sign 1 transaction?",
		"reject 3", "Sign 2 transactions?", "later")
	if text := readFile(t, other.path("w.kms.ledger")); !strings.Contains(text, `"id":"`+ids[2]+`"`) {
		t.Error("a no to one of two that spend the same is not on record")
	}
	screen := newPurse(t)
	request, _ = screen.conflicting("conflict.kmsreq")
	s := sit(t, screen.command("sign", request, "--out", screen.path("out"), "--session", "--json"))
	s.sees("password")
	s.types(deskPassword + "\r")
	s.sees("The batch")
	s.types("ljr") // what is refused stands last
	s.sees("is left out")
	s.types("lA")
	s.sees("2 items approved")
	s.types("s")
	s.sees(`sign 2`)
	s.types("sign 2\r")
	if code := s.waits(); code != 3 || !strings.Contains(s.stdout.String(), "txId") {
		t.Errorf("on the screen: exit %d: %s %s", code, s.page(), s.stderr.String())
	}
}

// What comes free counts as whatever else is signed: operators approve it.
func freedCounts(t *testing.T) {
	p := newPurse(t)
	request, ids := p.conflicting("conflict.kmsreq")
	o := office{p.place}
	for _, name := range []string{"alice", "bob"} {
		passwordFile(t, o.dir, name, "the password of "+name)
		o.enrol(name)
	}
	o.policy("payroll.json", `{"version": 1, "name": "payroll", "chains": [{"chain": "BTC", "network": "testnet",`+
		` "quorum": [{"per": "batch", "above": 150000, "operators": 2}]}]}`)
	p.answers(20, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 1 transaction?", "reject 3",
		"the operators to approve", "y")
	o.says(20, "0 of 2", "sign", request, "--out", o.path("none"), "--without", ids[2], "--approve",
		p.review(request, 3).Digest)
	if _, err := os.Stat(p.path("none")); err == nil {
		t.Error("it was signed without the operators")
	}
}

// What is burnt is in every form of the summary, and in the highest fee.
func summaryTellsBurnt(t *testing.T) {
	p := newPurse(t)
	p.known()
	data := append([]byte{txscript.OP_RETURN, 4}, "burn"...)
	p.setPolicy("", `, "maxFeeRate": 100000`)
	pays := func(burnt, fee int64) spend {
		outs := []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_000_000-burnt-fee, p.script)}
		if burnt > 0 {
			outs = append(outs, out(burnt, data))
		}
		return spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: outs, keys: []chain.Key{single(deskKey)}}
	}
	request := p.ask("burn.kmsreq", pays(0, 2_000), pays(987_001, 1_000))
	for ending, want := range map[string][]string{
		"txt":  {"burn     0.00987001", "the highest 0.00988001 BTC (988001) with what is burnt, of [2]"},
		"html": {"burn 0.00987001", "(988001) with what is burnt, of [2]"},
		"csv":  {",987001,"}, "json": {`"burnt": 987001`, `"maxFee": 988001`, `"maxFeeItem": 2`},
	} {
		file := p.path("summary." + ending)
		said := p.run(0, "review", request, "--summary", file)
		text := readFile(t, file)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("the %s summary lacks %q:\n%s", ending, w, text)
			}
		}
		if !strings.Contains(said, `"maxFee": 988001`) {
			t.Errorf("the review has another highest fee: %s", said)
		}
	}
}

// A yes with anything after it does not sign: the rest may restrict it.
func yesAndMore(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	at := p.asksAgain(request, "y except 2", "yes but not 2", "y only 1", "y reject 2", "y n", "yes please", "y,",
		"yes, but not 2", "n 1", "no, only 2", "decline 2")
	at.types("sign 2 but 1\r")
	at.sees("Nothing was signed")
	at.types("n\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d", code)
	}
	if _, err := os.Stat(p.path("none")); err == nil {
		t.Error("it was signed")
	}
}

// asksAgain answers the question about two transactions; nothing of that is
// understood.
func (p purse) asksAgain(request string, answers ...string) *person {
	p.t.Helper()
	at := sit(p.t, p.command("sign", request, "--out", p.path("none"), "--plain"))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("Sign 2 transactions?")
	for _, answer := range answers {
		at.types(answer + "\r")
		at.sees("[y/N] " + answer + "\n")
		at.sees("still about 2 transactions")
		at.sees("Sign 2 transactions? [y/N]")
	}
	return at
}

// Several are rejected with one line, and a line that cannot be read rejects
// none and says so.
func rejectList(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	at := p.asksAgain(request, "reject 1;2", "reject 1 and 2", "reject 3", "reject 1 3")
	at.types("reject 1, 2\r")
	at.sees("Now 0 approved, 2 rejected, 0 undecided")
	at.sees("Tell the relay that all 2 are refused? [y/N]")
	at.types("n\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d", code)
	}
}

// A transaction that a person released comes again, under its id or another: it
// is judged like a new one, and no plain yes signs it.
func releasedAgain(t *testing.T) {
	p := newPurse(t)
	p.known()
	s := spend{
		id:   "ad112233445566778899aa01",
		prev: p.earlier(out(coinValue, p.script)),
		outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_001_000, p.script)},
		keys: []chain.Key{single(deskKey)},
	}
	first := p.ask("first.kmsreq", s)
	digest := p.review(first, 0).Digest
	p.run(0, "sign", first, "--out", p.path("out"), "--approve", digest)
	p.judged(first, "flagged", chain.FlagSignedBefore)
	p.run(0, "sign", first, "--out", p.path("out"), "--approve", digest) // the same bytes again
	p.release(s.id)
	office{p.place}.says(20, "", "sign", first, "--out", p.path("none"), "--approve", digest)
	other, same := s, s
	other.id = "ad112233445566778899aa02"
	for name, again := range map[string]spend{"under its id": same, "under another id": other} {
		r := p.judged(p.ask("again.kmsreq", again), "flagged", chain.FlagReplaces)
		if why := strings.Join(r.Items[0].Reasons, " "); !strings.Contains(why, "a person released it (line ") ||
			!strings.Contains(why, s.id) {
			t.Errorf("%s: %s", name, why)
		}
		p.noPlainYes(p.path("again.kmsreq"))
	}
	// what it pays counts once
	p.setPolicy("", `, "limits": [{"per": "day", "sum": 1020000}]`)
	p.judged(p.ask("again.kmsreq", same), "flagged", chain.FlagReplaces)
	p.setPolicy("", `, "limits": [{"per": "batch", "sum": 1000000}]`)
	p.review(p.ask("again.kmsreq", same), 20) // and it counts
	p.setPolicy("", "")
	replacement := s
	replacement.id, replacement.outs = "ad112233445566778899aa03", []*wire.TxOut{
		out(2_000_000, payee(1)),
		out(coinValue-2_001_000, p.script),
	}
	p.judged(p.ask("instead.kmsreq", replacement), "flagged", chain.FlagReplaces, chain.FlagRejected)
	p.signs(p.ask("again.kmsreq", same)) // after it was reviewed
	p.judged(p.path("again.kmsreq"), "flagged", chain.FlagSignedBefore)
	p.judged(p.path("instead.kmsreq"), "refused", chain.AlreadySpent)
	p.release(s.id)
	p.signs(p.path("instead.kmsreq"))
	p.judged(p.path("again.kmsreq"), "refused", chain.AlreadySpent, chain.FlagReplaces)
}

// Its operators approve it anew.
func releasedNeedsOperators(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(1)
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	var list struct {
		Items []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(o.run(0, "review", file)), &list); err != nil {
		t.Fatal(err)
	}
	for _, it := range list.Items {
		purse{place: o.place}.release(it.ID)
	}
	o.reviewed(file)
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"})
	o.unsigned()
}

// A request that names no line of the ledger shows no old set either: it is
// asked about as a PSBT is.
func oldSetWithoutHead(t *testing.T) {
	o := newOffice(t)
	o.policy("checked.json",
		strings.Replace(quorumPolicy, `"version": 1,`, `"version": 1, "requireLedgerCheck": true,`, 1))
	old := o.files()
	small := o.request("small.kmsreq", 13, []payout{{to: "a", value: 20_000, fee: 200}})
	digest, _ := o.reviewed(small)
	o.says(2, "--noted", "sign", small, "--out", o.path("none"), "--approve", digest)
	o.run(0, "sign", small, "--out", o.path("out"), "--approve", digest, "--noted", o.book().Words)
	noted := o.book().Words
	o.put(old)
	next := o.request("next.kmsreq", 13, []payout{{to: "b", value: 21_000, fee: 200}})
	digest, _ = o.reviewed(next)
	o.says(20, "had not these head words at any line", "sign", next, "--out", o.path("none"), "--approve", digest,
		"--noted", noted)
	o.answers(20, []string{"sign", next, "--out", o.path("none"), "--plain"}, "such as 123 inmate wolf apple lens)?",
		noted)
	o.unsigned()
}

// A copy that restore put in place after the review has no round open: an
// approval made there without a round would count nowhere.
func approvalOnRestoredCopy(t *testing.T) {
	o := newOffice(t)
	file := o.salary(72)
	digest, round := o.reviewed(file)
	o.approved(file, digest, "alice")
	o.run(0, "backup", o.path("copy.kms"))
	there := office{o.place}
	there.dir = o.path("there")
	if err := os.Mkdir(there.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pw", "alice", "bob"} {
		there.put(files{name: []byte(readFile(t, o.path(name)))})
	}
	there.run(0, "restore", o.path("copy.kms"))
	approve := []string{
		"approve",
		file,
		"--operator",
		"bob",
		"--operator-password-file",
		there.path("bob"),
		"--out",
		there.path("stick"),
	}
	there.says(2, "--round ROUND", approve...)
	there.answers(2, approve)
	there.reviewed(file)
	kept, elsewhere := there.approvedIn(file, digest, "bob", round)
	if !elsewhere {
		t.Error("the reply does not say that the round is of the other ledger")
	}
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest, "--approval", kept)
}

// The round of another batch of this ledger is a mistake: an approval in it
// would count nowhere.
func roundOfAnotherBatch(t *testing.T) {
	o := newOffice(t)
	first := o.salary(73)
	second := o.request("second.kmsreq", 74,
		[]payout{{to: "a", value: 62_000, fee: 200}, {to: "b", value: 63_000, fee: 200}})
	_, round := o.reviewed(first)
	digest, _ := o.reviewed(second)
	o.says(20, "is that of another batch", "approve", second, "--operator", "bob", "--operator-password-file",
		o.path("bob"), "--digest", digest, "--round", round, "--out", o.path("stick"))
}

// Where the transactions as hex cannot be written, the result was, and the reply
// says so and where.
func rawFails(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	digest := p.review(request, 0).Digest
	p.run(0, "sign", request, "--out", p.path("first"), "--raw", p.path("hex"), "--approve", digest)
	taken, err := os.ReadDir(p.path("hex"))
	if err != nil || len(taken) != 2 {
		t.Fatalf("%v %v", taken, err)
	}
	if err := os.WriteFile(filepath.Join(p.path("hex"), taken[0].Name()), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := p.run(1, "sign", request, "--out", p.path("second"), "--raw", p.path("hex"), "--approve", digest)
	written, err := filepath.Glob(p.path("second/*.kmsres"))
	if err != nil || len(written) != 1 || !strings.Contains(said, written[0]) || !strings.Contains(said, `"txId"`) {
		t.Errorf("%v %v: %s", written, err, said)
	}
	_, told := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "sign", request, "--out",
		p.path("second"), "--raw", p.path("hex"), "--approve", digest)
	if !strings.Contains(string(told), "the result is written, whole, as "+p.path("second")) ||
		!strings.Contains(string(told), "of 2 are") {
		t.Errorf("it does not say what was written: %s", told)
	}
}

// A result of the same name and other content, such as that of another machine,
// is left as it is, and this one gets another name.
func sameName(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	digest := p.review(request, 0).Digest
	before := p.run(0, "ledger")
	var book struct{ Lines int }
	if err := json.Unmarshal([]byte(before), &book); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("coldkms-%.8s-2of2-line%d", digest, book.Lines+3)
	if err := os.Mkdir(p.path("stick"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path("stick/"+name+".kmsres"), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := p.run(0, "sign", request, "--out", p.path("stick"), "--approve", digest)
	if !strings.Contains(said, name+"-2.kmsres") || readFile(t, p.path("stick/"+name+".kmsres")) != "another" {
		t.Errorf("%s", said)
	}
}

// A folder that takes no file is found before anything is reviewed.
func outTakesNothing(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	stick := p.path("stick")
	if err := os.Mkdir(stick, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(stick, stick, "", syscall.MS_BIND, ""); err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Unmount(stick, syscall.MNT_DETACH) }()
	if err := syscall.Mount("", stick, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{
		{"sign", request, "--out", stick}, {"sign", request, "--out", stick + "/new"},
		{"sign", request, "--out", p.path("out"), "--raw", stick},
		{"approve", request, "--operator", "alice", "--out", stick}} {
		// without a password: it is not asked for
		code, said := p.output(append([]string{"--path", p.path("w.kms")}, args...)...)
		if code != 1 || !strings.Contains(string(said), "cannot be written into, and nothing was done yet") ||
			strings.Contains(string(said), ".part") ||
			strings.Contains(string(said), "u000a") {
			t.Errorf("%v: exit %d: %s", args, code, said)
		}
	}
}

// Two results of one machine are no comparison.
func compareOneMachine(t *testing.T) {
	o := newOffice(t)
	small := o.request("small.kmsreq", 13, []payout{{to: "a", value: 20_000, fee: 200}})
	digest, _ := o.reviewed(small)
	there := o.elsewhere()
	for _, out := range []string{"a", "b"} {
		o.run(0, "sign", small, "--out", o.path(out), "--approve", digest)
	}
	there.reviewed(small) // so that its ledger goes another way
	there.run(0, "sign", small, "--out", o.path("c"), "--approve", digest)
	result := map[string]string{}
	for _, out := range []string{"a", "b", "c"} {
		list, err := filepath.Glob(o.path(out + "/*.kmsres"))
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		result[out] = list[0]
	}
	o.says(1, "of one machine", "compare", "--ledger", result["a"], result["b"])
	if said := o.run(0, "compare", "--ledger", result["a"], result["c"]); !strings.Contains(said, `"machines": "two"`) {
		t.Error(said)
	}
	code, said := o.output("compare", result["a"], result["b"])
	if code != 0 || !strings.Contains(string(said), "the results do not say") ||
		!strings.Contains(string(said), "unknown") {
		t.Errorf("without a wallet: exit %d: %s", code, said)
	}
}

// Restore prints how far the ledger of the copy was, as backup did.
func wordsAfterRestore(t *testing.T) {
	p := newPurse(t)
	p.known()
	var copied struct{ Words string }
	if err := json.Unmarshal([]byte(p.run(0, "backup", p.path("copy.kms"))), &copied); err != nil ||
		copied.Words == "" {
		t.Fatalf("%v %v", copied, err)
	}
	for _, path := range []string{p.path("w.kms"), p.path("new.kms")} {
		code, said := p.output("--path", path, "--password-file", p.path("pw"), "restore", p.path("copy.kms"))
		if code != 0 || !strings.Contains(string(said), "head words: "+copied.Words) {
			t.Errorf("exit %d, want the words %s: %s", code, copied.Words, said)
		}
	}
}

// What is no file is refused with words, as a request and as a source of
// pictures, and never waited for.
func specialFiles(t *testing.T) {
	p := newPurse(t)
	fifo, socket := p.path("fifo.kmsreq"), p.path("socket.kmsreq")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	for path, kind := range map[string]string{fifo: "named pipe", socket: "socket", "/dev/zero": "device"} {
		for _, args := range [][]string{{"review", path}, {"review", "--qr", path},
			{"sign", "--qr", path, "--out", p.path("none")}, {"policy", "check", path}} {
			ctx, stop := context.WithTimeout(context.Background(), time.Minute)
			cmd := exec.CommandContext(ctx, p.program,
				append([]string{"--path", p.path("w.kms"), "--password-file", p.path("pw")}, args...)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			said, _ := cmd.CombinedOutput()
			stop()
			if code := cmd.ProcessState.ExitCode(); code <= 0 || !strings.Contains(string(said), kind) ||
				strings.Contains(string(said), "pulled out") {
				t.Errorf("%v: exit %d: %s", args, code, said)
			}
		}
	}
}
