//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldkms/shared/bundle"
)

// approvalAttacks are about approvals, operators, policies and the ledger.
func approvalAttacks() []attack {
	return []attack{
		{"02-approval-after-decline", approvalAfterDecline},
		{"02-approval-after-policy-there-and-back", approvalAfterPolicies},
		{"02-approval-after-operators-changed", approvalAfterOperators},
		{"02-approval-used-twice", approvalUsedTwice},
		{"02-approvals-of-all-for-a-part", approvalsForAPart},
		{"02-killed-between-chunks", killedBetweenChunks},
		{"02-killed-and-something-else-recorded", killedAndChanged},
		{"02-round-named-again", roundNamedAgain},
		{"02-round-of-another-machine", roundOfAnotherMachine},
		{"02-digest-after-policy-there-and-back", digestAfterPolicies},
		{"03-removed-operator-by-copy", removedOperatorByCopy},
		{"03-removed-relay-by-copy", removedRelayByCopy},
		{"03-old-policy-by-copy", oldPolicyByCopy},
		{"03-old-ledger-under-new-wallet", oldLedgerUnderNewWallet},
		{"03-old-set-and-a-psbt", oldSetAndPSBT},
		{"03-every-review-names-policy-and-ledger", reviewsNamePolicyAndLedger},
		{"04-signed-lines-dropped", signedLinesDropped},
		{"04-ledger-cut-and-mark-rewritten", ledgerCut},
		{"04-ledger-others-may-write", ledgerOthersMayWrite},
		{"04-ledger-of-version-1-in-its-place", ledgerDowngraded},
		{"04-ledger-upgrade", ledgerUpgraded},
	}
}

// A no withdraws approvals for ever: those in the ledger, those that were
// kept, and those that somebody rebuilds from the ledger's own lines.
func approvalAfterDecline(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.ready(1)
	o.answers(21, []string{"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}, `or "no":`, "no")
	rebuilt := o.rebuilt(kept[0])
	for _, of := range [][]string{kept, {rebuilt, kept[1]}} {
		o.neverSigned(file, digest, of)
	}
	o.approved(file, digest, "alice", "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// rebuilt makes the file of an approval from what the ledger has in plain
// text, as far as it goes.
func (o office) rebuilt(kept string) string {
	o.t.Helper()
	was, err := os.ReadFile(kept)
	if err != nil {
		o.t.Fatal(err)
	}
	book := o.run(0, "ledger", "export")
	lines := regexp.MustCompile(`"kind":"approved".*?"policy":"(\w+)","judged":"(\w+)","round":"(\w+)".*?"operators":\["\w+ (\w+) (\w+)"\]`).FindAllStringSubmatch(book, -1)
	request := regexp.MustCompile(`"kind":"approved".*?"request":"(\w+)"`).FindStringSubmatch(book)
	for _, m := range lines {
		text := hex.EncodeToString([]byte("CKMSAPP\x03")) + m[4] + request[1] + m[1] + m[2] + m[3] + m[5]
		b, err := hex.DecodeString(text)
		if err != nil {
			o.t.Fatal(err)
		}
		if string(b) == string(was) { // it is the very file that was kept
			path := o.path("rebuilt.kmsapproval")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				o.t.Fatal(err)
			}
			return path
		}
	}
	o.t.Fatalf("the approval is not in the ledger: %s", book)
	return ""
}

// Approvals under a policy do not revive when it is set again.
func approvalAfterPolicies(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.ready(2)
	o.policy("other.json", strings.Replace(quorumPolicy, "50000", "50001", 1))
	o.policy("payroll.json", quorumPolicy)
	o.neverSigned(file, digest, kept)
}

// Neither does the review that --approve refers to.
func digestAfterPolicies(t *testing.T) {
	o := newOffice(t)
	small := o.request("small.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}})
	digest, _ := o.reviewed(small)
	o.policy("other.json", strings.Replace(quorumPolicy, "50000", "50001", 1))
	o.policy("payroll.json", quorumPolicy)
	o.says(20, "review it first", "sign", small, "--out", o.path("none"), "--approve", digest)
	o.reviewed(small)
	o.run(0, "sign", small, "--out", o.path("out"), "--approve", digest)
}

// Whoever may approve has changed: all approve anew.
func approvalAfterOperators(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.ready(4)
	o.enrol("carol")
	o.neverSigned(file, digest, kept)
	o.run(0, "operator", "remove", "carol", "--yes")
	o.neverSigned(file, digest, kept)
}

// An approval is used up by the signature that it was for. The same batch gives
// the same bytes again, for which nobody has to approve; no approval is counted
// for them.
func approvalUsedTwice(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.ready(5)
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", kept[0])
	o.run(0, "sign", file, "--out", o.path("again"), "--approve", digest)
	for folder, want := range map[string]int{"out": 2, "again": 0} {
		results, err := filepath.Glob(o.path(folder + "/*.kmsres"))
		if err != nil || len(results) != 1 {
			t.Fatal(results, err)
		}
		result, err := bundle.OpenResult([]byte(readFile(t, results[0])))
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Operators) != want {
			t.Errorf("%s counts %d operators, want %d", folder, len(result.Operators), want)
		}
	}
}

// Operators approved all of a batch; what is left of it, after a person took
// items out, is another question.
func approvalsForAPart(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.ready(6)
	at := o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 2", "Take 1 transaction out, for the operators to approve the other 1?", "y")
	if !strings.Contains(at.stderr.String(), "operators have to approve what is left") {
		t.Errorf("stderr: %s", at.stderr.String())
	}
	o.unsigned()
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", kept[0])
	o.run(3, "review", file) // one of both is left out
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "alice", "bob")
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest)
	results, err := filepath.Glob(o.path("out/*.kmsres"))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	if signed, codes := o.signedBy(file, results[0]); signed != 1 || codes["refused-by-person"] != 1 {
		t.Errorf("%d signed, %v", signed, codes)
	}
}

// A round that has ended cannot be named again.
func roundNamedAgain(t *testing.T) {
	o := newOffice(t)
	file := o.salary(7)
	digest, round := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.answers(21, []string{"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}, `or "no":`, "no")
	o.reviewed(file)
	o.says(20, "has ended", "approve", file, "--operator", "alice", "--operator-password-file", o.path("alice"), "--digest", digest, "--round", round)
	o.says(2, "48 hexadecimal digits", "approve", file, "--operator", "alice", "--operator-password-file", o.path("alice"), "--digest", digest, "--round", "00")
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
}

// An approval of another machine counts if it names the round of this one, and
// in no other case.
func roundOfAnotherMachine(t *testing.T) {
	o := newOffice(t)
	there := office{o.place}
	there.dir = filepath.Join(o.dir, "there")
	if err := os.Mkdir(there.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pw", "alice", "bob"} {
		b, err := os.ReadFile(o.path(name))
		if err != nil {
			t.Fatal(err)
		}
		there.put(files{name: b})
	}
	there.put(o.files())
	file := o.salary(8)
	digest, round := o.reviewed(file)
	o.approved(file, digest, "alice")
	there.reviewed(file)
	wrong := there.approved(file, digest, "bob")
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", wrong[0])
	var right struct{ Approval string }
	out := there.run(0, "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"), "--digest", digest, "--round", round, "--out", there.path("stick"))
	if err := json.Unmarshal([]byte(out), &right); err != nil {
		t.Fatal(err)
	}
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest, "--approval", right.Approval)
}

// A removed operator does not come back with an old wallet file. A person
// settles it; the operator stays removed.
func removedOperatorByCopy(t *testing.T) {
	o := newOffice(t)
	o.run(0, "operator", "remove", "bob", "--yes")
	o.copyPrevious()
	file := o.salary(9)
	for _, args := range [][]string{{"review", file}, {"sign", file, "--out", o.path("none")}, {"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}} {
		o.says(20, "operator bob", args...)
	}
	o.says(20, "operator bob", "review", o.psbt("p.psbt"))
	o.answers(21, []string{"ledger", "settle"}, "Type settle", "no")
	o.says(20, "operator bob", "review", file)
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.reviewed(file)
	o.says(1, "no operator", "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"))
	o.says(1, "agree", "ledger", "settle")
}

// Nor does a relay that was unpaired.
func removedRelayByCopy(t *testing.T) {
	o := newOffice(t)
	o.run(0, "unpair", relayKey(1).Public().Fingerprint(), "--yes")
	file := o.salary(10)
	o.says(22, "not paired", "review", file)
	o.copyPrevious()
	o.says(20, "relay "+relayKey(1).Public().Fingerprint(), "review", file)
	o.says(20, "relay "+relayKey(1).Public().Fingerprint(), "sign", file, "--out", o.path("none"))
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.says(22, "not paired", "review", file)
	o.run(0, "pair", o.path("relay.kmsid"))
	o.reviewed(file)
}

// Nor the policy of before.
func oldPolicyByCopy(t *testing.T) {
	o := newOffice(t)
	o.policy("strict.json", strings.Replace(quorumPolicy, `"operators": 2`, `"operators": 3`, 1))
	o.copyPrevious()
	for _, file := range []string{o.salary(11), o.psbt("p.psbt")} {
		o.says(20, "policy in the wallet is not the one", "review", file)
		o.says(20, "policy in the wallet is not the one", "sign", file, "--out", o.path("none"))
	}
	o.policy("strict.json", strings.Replace(quorumPolicy, `"operators": 2`, `"operators": 3`, 1))
	o.reviewed(o.salary(11))
}

// An old ledger with its own mark is not taken up by a wallet that was written
// since, and no change of the wallet covers that.
func oldLedgerUnderNewWallet(t *testing.T) {
	o := newOffice(t)
	old := o.files()
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1") // no operator, no relay, no policy
	o.put(old, "w.kms.ledger", "w.kms.ledger.mark")
	file := o.salary(12)
	o.says(20, "the ledger is an old copy", "review", file)
	o.says(20, "the ledger is an old copy", "operator", "add", "carol", "--operator-password-file", o.path("carol"))
	o.says(20, "the ledger is an old copy", "review", file)
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.reviewed(file)
}

// A whole old set is a sound one to the machine. For a PSBT, which states
// nothing about the ledger, a policy can have a person name its length.
func oldSetAndPSBT(t *testing.T) {
	o := newOffice(t)
	o.policy("checked.json", strings.Replace(quorumPolicy, `"version": 1,`, `"version": 1, "requireLedgerCheck": true,`, 1))
	old := o.files()
	small := o.request("small.kmsreq", 13, []payout{{to: "a", value: 20_000, fee: 200}})
	digest, _ := o.reviewed(small)
	var said struct{ Ledger bookReply }
	words := strings.ToUpper(o.book().Words) // as some write them down
	signed := o.run(0, "sign", small, "--out", o.path("out"), "--approve", digest, "--noted", words)
	if err := json.Unmarshal([]byte(signed), &said); err != nil {
		t.Fatal(err)
	}
	noted := strconv.Itoa(said.Ledger.Lines)
	o.put(old)
	packet := o.psbt("p.psbt")
	at := o.answers(20, []string{"sign", packet, "--out", o.path("none"), "--plain"}, "such as 123 inmate wolf apple lens)?", noted)
	if !strings.Contains(at.stderr.String(), "alone proves nothing") {
		t.Errorf("stderr: %s", at.stderr.String())
	}
	o.says(20, "alone proves nothing", "sign", packet, "--out", o.path("none"), "--noted", noted)
	o.says(2, "--noted", "sign", packet, "--out", o.path("none"))
	o.answers(20, []string{"sign", packet, "--out", o.path("none"), "--plain"}, "such as 123 inmate wolf apple lens)?", "y")
	o.unsigned()

	// an old ledger that was padded to the length is told by the words
	now := o.book()
	for now.Lines < said.Ledger.Lines {
		o.reviewed(packet)
		now = o.book()
	}
	four := strings.Join(strings.Fields(said.Ledger.Words)[:4], " ")
	for what, says := range map[string]string{
		noted: "alone proves nothing", strconv.Itoa(now.Lines): "alone proves nothing", strconv.Itoa(now.Lines) + " " + strings.Fields(now.Words)[0]: "alone proves nothing",
		noted + " " + four: "at line " + noted, said.Ledger.Words: "at any line", four: "alone proves nothing",
	} {
		o.says(20, says, "sign", packet, "--out", o.path("none"), "--noted", what)
	}
	o.answers(21, []string{"sign", packet, "--out", o.path("none"), "--plain", "--noted", now.Words}, "Sign 1 transaction?", "n")
	o.answers(0, []string{"sign", packet, "--out", o.path("out"), "--plain"}, "such as 123 inmate wolf apple lens)?", strconv.Itoa(now.Lines)+" "+now.Words, "Sign 1 transaction?", "y")
}

// Request and PSBT, as text, JSON, summary and session: each names the policy,
// its hash and since when, and how far the ledger is.
func reviewsNamePolicyAndLedger(t *testing.T) {
	o := newOffice(t)
	for i, file := range []string{o.salary(14), o.psbt("p.psbt")} {
		var asJSON struct {
			Policy struct{ Name, Hash, Since string }
			Ledger struct {
				Lines       int
				Head, Words string
			}
		}
		summary := o.path(fmt.Sprintf("s%d.json", i))
		if err := json.Unmarshal([]byte(o.run(0, "review", file, "--summary", summary)), &asJSON); err != nil {
			t.Fatal(err)
		}
		after := o.book() // with the line about this review
		if asJSON.Policy.Name != "payroll" || len(asJSON.Policy.Hash) != 64 || asJSON.Policy.Since == "" || asJSON.Ledger.Lines != after.Lines || asJSON.Ledger.Words != after.Words || after.Words == "" {
			t.Errorf("JSON: %+v, the ledger is %+v", asJSON, after)
		}
		text := readFile(t, summary)
		for _, want := range []string{`"policyName": "payroll"`, asJSON.Policy.Hash, `"policySince": "` + asJSON.Policy.Since, after.Words} {
			if !strings.Contains(text, want) {
				t.Errorf("the summary does not say %q: %s", want, text)
			}
		}
		cmd := o.command("--password-file", o.path("pw"), "review", file)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		after = o.book()
		for _, want := range []string{"payroll, since " + asJSON.Policy.Since, "policy hash   " + asJSON.Policy.Hash, fmt.Sprintf("%d lines, head words:", after.Lines), after.Words} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the text does not say %q: %s", want, out)
			}
		}
	}
	at := sit(t, o.command("sign", o.psbt("q.psbt"), "--out", o.path("none"), "--session"))
	now := o.bookOf(at)
	screen := at.sees("The batch")
	for _, want := range []string{"payroll, since ", fmt.Sprintf("%d lines, head words:", now.Lines), now.Words} {
		if !strings.Contains(screen, want) {
			t.Errorf("the session does not say %q: %s", want, screen)
		}
	}
}

type bookReply struct {
	Lines       int
	Head, Words string
}

func (o office) book() (b bookReply) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.run(0, "ledger", "verify")), &b); err != nil {
		o.t.Fatal(err)
	}
	return b
}

// bookOf types the password and returns how far the ledger was before.
func (o office) bookOf(at *person) bookReply {
	o.t.Helper()
	at.sees("password")
	lines := strings.Count(string(o.files()["w.kms.ledger"]), "\n")
	at.types(deskPassword + "\r")
	at.sees("The batch")
	for _, l := range strings.Split(at.screen.String(), "\n") {
		if words := strings.Fields(l); len(words) == 8 && strings.HasPrefix(l, "          ") {
			return bookReply{Lines: lines, Words: strings.Join(words, " ")}
		}
	}
	o.t.Fatal("the session shows no head words")
	return bookReply{}
}

// Without its signed lines the ledger would let an outpoint be paid again.
func signedLinesDropped(t *testing.T) {
	o := newOffice(t)
	small := o.request("small.kmsreq", 15, []payout{{to: "a", value: 20_000, fee: 200}})
	digest, _ := o.reviewed(small)
	o.run(0, "sign", small, "--out", o.path("out"), "--approve", digest)
	unsigned := func(line map[string]any) bool { return line["kind"] != "signed" }
	all := o.files()
	for _, codes := range []bool{true, false} {
		text, mark := rewritten(t, all["w.kms.ledger"], unsigned, codes)
		o.put(files{"w.kms.ledger": text, "w.kms.ledger.mark": mark})
		for _, args := range [][]string{{"ledger", "verify"}, {"review", small}, {"sign", small, "--out", o.path("none")}, {"operator", "list"}} {
			if args[0] == "operator" {
				continue // reads the wallet only
			}
			o.says(20, "ledger is damaged", args...)
		}
	}
	o.put(all)
	o.run(0, "ledger", "verify")
}

// A ledger that is cut at any line, with a mark that fits, is found.
func ledgerCut(t *testing.T) {
	o := newOffice(t)
	all := o.files()
	lines := strings.SplitAfter(string(all["w.kms.ledger"]), "\n")
	for n := 1; n < len(lines)-1; n++ {
		head := lines[n-1][:64]
		text := strings.Join(lines[:n], "")
		for _, mark := range []string{
			fmt.Sprintf(`{"n":%d,"head":"%s"}`, n, head),
			fmt.Sprintf(`{"n":%d,"head":"%s","mac":"%s"}`, n, head, strings.Repeat("0", 64)),
		} {
			o.put(files{"w.kms.ledger": []byte(text), "w.kms.ledger.mark": []byte(mark)})
			o.says(20, "ledger is damaged", "ledger", "verify")
		}
		o.put(files{"w.kms.ledger.mark": all["w.kms.ledger.mark"]})
		o.says(20, "acknowledged and is not in it", "ledger", "verify")
	}
}

// Permissions are checked as for the wallet.
func ledgerOthersMayWrite(t *testing.T) {
	o := newOffice(t)
	file := o.salary(16)
	for _, name := range []string{"w.kms.ledger", "w.kms.ledger.mark"} {
		for _, mode := range []os.FileMode{0o666, 0o620} {
			if err := os.Chmod(o.path(name), mode); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"ledger", "verify"}, {"review", file}, {"sign", file, "--out", o.path("none")}} {
				o.says(20, "others may write to", args...)
			}
		}
		if err := os.Chmod(o.path(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.run(0, "ledger", "verify")
}

// A ledger whose lines all were of version 1 is not taken for this one.
func ledgerDowngraded(t *testing.T) {
	o := newOffice(t)
	text, mark := rewritten(t, o.files()["w.kms.ledger"], func(map[string]any) bool { return true }, false)
	text = []byte(strings.ReplaceAll(string(text), `"version":2,`, ``))
	text, mark = rehashed(text, mark)
	o.put(files{"w.kms.ledger": text, "w.kms.ledger.mark": mark})
	for _, args := range [][]string{{"ledger", "verify"}, {"review", o.salary(17)}} {
		o.says(20, "", args...)
	}
	at := o.answers(20, []string{"ledger", "upgrade"})
	if !strings.Contains(at.stderr.String(), "not the one that this wallet began with") {
		t.Errorf("stderr: %s", at.stderr.String())
	}
}

// A ledger that version 1 of this program wrote is read, and nothing is signed
// before a person has upgraded it. What was approved before does not count.
func ledgerUpgraded(t *testing.T) {
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark", "large.kmsreq", "small.kmsreq", "bob.kmsapproval"} {
		b, err := os.ReadFile(filepath.Join("testdata", "ledger-v1", name))
		if err != nil {
			t.Fatal(err)
		}
		o.put(files{name: b})
	}
	passwordFile(t, o.dir, "alice", "down to wonderland")
	passwordFile(t, o.dir, "bob", "the builder")
	large := o.path("large.kmsreq")
	o.reexported(large)
	o.reexported(o.path("small.kmsreq"))
	for _, args := range [][]string{{"review", large}, {"sign", large, "--out", o.path("none")}, {"ledger", "verify"}, {"operator", "remove", "bob", "--yes"}} {
		o.says(20, "ledger upgrade", args...)
	}
	var clock []string
	if made := time.Unix(1795795309, 0); time.Since(made) > maxJump { // of its last line
		clock = []string{"clock right?", "y"}
	}
	o.answers(21, []string{"ledger", "upgrade"}, slices.Concat(clock, []string{"Type upgrade", "y"})...)
	o.says(20, "ledger upgrade", "review", large)
	o.answers(0, []string{"ledger", "upgrade"}, slices.Concat(clock, []string{"Type upgrade", "upgrade"})...)
	o.says(1, "already", "ledger", "upgrade")
	digest, _ := o.reviewed(large)
	o.says(20, "0 of 2", "sign", large, "--out", o.path("none"), "--approve", digest)
	o.says(22, "version 1", "sign", large, "--out", o.path("none"), "--approve", digest, "--approval", o.path("bob.kmsapproval"))
	o.run(0, "review", o.path("small.kmsreq")) // known as signed before
	o.reviewed(large)
	o.approved(large, digest, "alice", "bob")
	o.run(0, "sign", large, "--out", o.path("out"), "--approve", digest)
	o.run(0, "ledger", "verify")

	// the wallet of before the upgrade is refused, and so is a changed old line
	old, err := os.ReadFile(filepath.Join("testdata", "ledger-v1", "w.kms"))
	if err != nil {
		t.Fatal(err)
	}
	now := o.files()
	o.put(files{"w.kms": old})
	o.says(20, "older than the upgrade", "review", large)
	o.put(now)
	changed := []byte(strings.Replace(string(now["w.kms.ledger"]), `"kind":"signed"`, `"kind":"zigned"`, 1))
	o.put(files{"w.kms.ledger": changed})
	o.says(20, "ledger is damaged", "ledger", "verify")
}

func hexSHA256(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
func decimal(n int) string      { return strconv.Itoa(n) }

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// relinked changes the number and the previous hash in a line's JSON.
func relinked(t *testing.T, body []byte, n int, head string) string {
	t.Helper()
	m := regexp.MustCompile(`^\{"n":\d+,"prev":"[0-9a-f]{64}"`)
	if !m.Match(body) {
		t.Fatalf("no line of a ledger: %s", body)
	}
	return m.ReplaceAllString(string(body), fmt.Sprintf(`{"n":%d,"prev":"%s"`, n, head))
}

// rehashed makes the hashes of a ledger of version 1 fit again.
func rehashed(text, _ []byte) (ledger, mark []byte) {
	head, n := strings.Repeat("0", 64), 0
	prev := regexp.MustCompile(`"prev":"[0-9a-f]{64}"`)
	for line := range strings.Lines(string(text)) {
		_, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		body = prev.ReplaceAllString(body, `"prev":"`+head+`"`)
		head = hexSHA256("coldkms ledger v1\n" + body)
		ledger = append(ledger, head+" "+body+"\n"...)
		n++
	}
	return ledger, []byte(`{"n":` + decimal(n) + `,"head":"` + head + `"}`)
}
