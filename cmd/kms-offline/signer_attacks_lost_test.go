//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"coldkms/shared/bundle"
)

// lostAttacks are about keys, operators and policies that an old copy takes away
// or brings back.
func lostAttacks() []attack {
	return []attack{
		{"50-restore-drops-a-key", restoreDropsKey},
		{"50-old-wallet-by-copy-drops-a-key", copyDropsKey},
		{"50-restore-over-the-last-copy", restoreOverLastCopy},
		{"50-watch-drops-a-key", watchDropsKey},
		{"50-old-set-accepted", oldSetAccepted},
		{"50-removal-is-asked", removalIsAsked},
		{"50-approved-on-a-restored-copy", approvedOnCopy},
		{"50-operators-that-count", operatorsThatCount},
		{"50-backup-says-its-words", backupSaysWords},
		{"50-restore-over-a-stranger", restoreOverStranger},
		{"50-wallet-on-a-read-only-medium", readOnlyMedium},
	}
}

var signatureID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// older returns a copy of the set on a stick, and keys that were added after it
// was made: one of words, two of a batch.
func (o office) older() (copied string, keys []string) {
	o.t.Helper()
	copied = filepath.Join(o.t.TempDir(), "copy.kms")
	o.run(0, "backup", copied)
	keys = append(keys, signatureID.FindString(o.run(0, "--testnet", "generatemanagedwallet", "BTC")))
	return copied, append(keys, signatureID.FindAllString(o.run(0, "--testnet", "generatemanagedprivatekeybatch", "BTC", "2"), -1)...)
}

// firstAddress returns the address of a key at index 0.
func (o office) firstAddress(id string) string {
	o.t.Helper()
	var r struct{ Address string }
	if err := json.Unmarshal([]byte(o.run(0, "getaddress", id, "0")), &r); err != nil {
		o.t.Fatal(err)
	}
	return r.Address
}

// kept lists the files that were kept beside the wallet.
func (o office) kept() []string {
	list, _ := filepath.Glob(o.path("w.kms.kept-*"))
	return list
}

// lacks fails unless everything says that the wallet lacks keys, and writes it
// not.
func (o office) lacks(keys []string) {
	o.t.Helper()
	before := o.files()["w.kms"]
	for _, args := range [][]string{
		{"ledger", "verify"}, {"checkconfig"}, {"operator", "list"}, {"watch", "--out", o.path("new.kmswatch")},
		{"review", o.salary(1)}, {"sign", o.salary(1), "--out", o.path("none")},
		{"generatemanagedwallet", "BTC"}, {"operator", "remove", "bob", "--yes"}, {"removewallet", deskKey, "--yes"},
		{"changepassword", "--new-password-file", passwordFile(o.t, o.dir, "third", "a third horse walks over hills")},
	} {
		o.says(20, "and is not in the wallet", args...)
	}
	o.says(1, "WARNING: the wallet and its ledger do not agree", "verify-address", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx")
	if !bytes.Equal(before, o.files()["w.kms"]) {
		o.t.Error("the wallet was written")
	}
	at := o.answers(21, []string{"ledger", "settle"}, "Type settle", "no")
	for _, id := range keys {
		if !strings.Contains(at.page(), id) {
			o.t.Errorf("settle does not name %s", id)
		}
	}
}

// restored fails unless a copy comes back with keys, and all agree.
func (o office) comesBack(from string, keys []string) {
	o.t.Helper()
	o.run(0, "restore", from)
	o.run(0, "ledger", "verify")
	for _, id := range keys {
		if !o.has(id) {
			o.t.Errorf("%s did not come back", id)
		}
	}
}

// A restore that drops keys names them, asks, and keeps the copy that has them.
func restoreDropsKey(t *testing.T) {
	o := newOffice(t)
	copied, keys := o.older()
	address := o.firstAddress(keys[0])
	newest := o.files()
	for _, id := range keys {
		o.says(20, id, "restore", copied)
	}
	o.says(20, "lacks 3 keys", "restore", copied, "--lose", keys[0], "--lose", keys[1])
	o.answers(21, []string{"restore", copied}, "Type restore", "yes")
	if now := o.files(); !bytes.Equal(now["w.kms"], newest["w.kms"]) || !bytes.Equal(now["w.kms.ledger"], newest["w.kms.ledger"]) {
		t.Fatal("a restore that was refused changed something")
	}
	at := o.answers(0, []string{"restore", copied}, "Type restore", "restore")
	if !strings.Contains(at.page(), address) || !strings.Contains(at.stderr.String(), ".kept-") {
		t.Errorf("the restore says: %s\n%s", at.page(), at.stderr.String())
	}
	o.lacks(keys)
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.run(0, "generatemanagedwallet", "BTC")
	o.run(0, "generatemanagedwallet", "BTC")
	if len(o.kept()) == 0 {
		t.Fatal("nothing was kept")
	}
	o.run(0, "ledger", "verify")
}

// So does an old wallet that was copied in place by hand: settle keeps the
// generation before, and a key that comes back is held again.
func copyDropsKey(t *testing.T) {
	o := newOffice(t)
	old := o.files()
	_, keys := o.older()
	o.run(0, "removewallet", keys[2], "--yes")
	o.run(0, "pair", o.path("relay.kmsid")) // the generation before has the keys as well
	newest := o.files()
	o.put(old, "w.kms")
	o.lacks(keys[:2])
	at := o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	if !strings.Contains(strings.ReplaceAll(at.page(), " ", ""), "w.kms.prevholds2ofthem") || len(o.kept()) != 1 {
		t.Errorf("kept %v: %s", o.kept(), at.page())
	}
	o.run(0, "ledger", "verify")
	o.run(0, "pair", o.path("relay.kmsid"))
	o.run(0, "pair", o.path("relay.kmsid"))
	o.comesBack(o.kept()[0], keys[:2])
	o.put(old, "w.kms")
	o.says(20, "and is not in the wallet", "ledger", "verify")
	o.put(newest, "w.kms")
	o.run(0, "ledger", "verify")
}

// Restored twice, with every key named: what is written over last is kept.
func restoreOverLastCopy(t *testing.T) {
	o := newOffice(t)
	copied, keys := o.older()
	var lose []string
	for _, id := range keys {
		lose = append(lose, "--lose", id)
	}
	for range 3 {
		o.run(0, append([]string{"restore", copied}, lose...)...)
	}
	if len(o.kept()) != 1 {
		t.Fatalf("kept: %v", o.kept())
	}
	o.comesBack(o.kept()[0], keys)
}

// A watch file that no longer has a key says so.
func watchDropsKey(t *testing.T) {
	o := newOffice(t)
	copied, keys := o.older()
	watch := o.path("signer.kmswatch")
	o.run(0, "watch", "--out", watch)
	o.answers(0, []string{"restore", copied}, "Type restore", "restore")
	before := readFile(t, watch)
	o.says(20, "and is not in the wallet", "watch", "--out", watch)
	if readFile(t, watch) != before {
		t.Error("the watch file was written")
	}
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	var r struct{ Gone []string }
	if err := json.Unmarshal([]byte(o.run(0, "watch", "--out", watch)), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Gone) != len(keys) {
		t.Errorf("gone: %v, want %v", r.Gone, keys)
	}
}

// page is what is on the screen, wrapped lines put together.
func (p *person) page() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ReplaceAll(p.screen.String(), "\n", "")
}

// later is a request whose relay has seen a later line of the ledger.
func (o office) later(file string) string {
	o.t.Helper()
	r, err := bundle.OpenRequest([]byte(readFile(o.t, file)))
	if err != nil {
		o.t.Fatal(err)
	}
	r.LedgerHead = bytes.Repeat([]byte{9}, 32)
	sealed, err := bundle.SealRequest(r.Request, relayKey(1))
	if err == nil {
		err = os.WriteFile(file, sealed.File, 0o600)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return file
}

// A whole old set that was accepted brings back only who is named, and every
// review says so.
func oldSetAccepted(t *testing.T) {
	o := newOffice(t)
	relay2 := relayKey(2)
	if err := os.WriteFile(o.path("relay2.kmsid"), relay2.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	o.run(0, "pair", o.path("relay2.kmsid"))
	old := o.files()
	o.run(0, "operator", "remove", "bob", "--yes")
	o.run(0, "unpair", relay2.Public().Fingerprint(), "--yes")
	o.policy("other.json", strings.Replace(quorumPolicy, "50000", "40000", 1))
	o.put(old)
	file := o.later(o.salary(1))
	accept := []string{"ledger", "accept", file}
	o.says(20, "ledger accept", "review", file)
	o.says(2, "at a terminal", accept...)
	for _, wrong := range []string{"alice zed", ""} {
		o.answers(21, accept, "names of the operators", wrong)
	}
	o.answers(21, accept, "names of the operators", "alice bob", "still paired?", "n", "Type accept", "no")
	at := o.answers(0, accept, "names of the operators", "alice", "still paired?", "n", "2 operators and relays count no longer. Type accept", "accept")
	for _, text := range []string{`policy "payroll" `, "operator alice (", "operator bob (", "relay " + relay2.Public().Fingerprint()} {
		if !strings.Contains(at.page(), text) {
			t.Errorf("accept does not name %q: %s", text, at.page())
		}
	}
	if list := o.run(0, "operator", "list"); strings.Contains(list, "bob") || !strings.Contains(list, `"counts": true`) {
		t.Errorf("operators: %s", list)
	}
	o.says(1, "bob", "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"))
	const notice = "an old copy of this ledger was accepted (line "
	if said := o.run(0, "review", file); !strings.Contains(said, notice) {
		t.Errorf("review says no notice: %s", said)
	}
	if said := o.run(0, "checkconfig"); !strings.Contains(said, notice) || strings.Contains(said, relay2.Public().Fingerprint()) {
		t.Errorf("checkconfig: %s", said)
	}
	o.says(0, "NOTICE: "+notice, "operator", "list")
	noticed := o.files()
	o.run(0, "policy", "set", o.path("payroll.json"))
	if said := o.run(0, "review", file); strings.Contains(said, notice) {
		t.Errorf("a policy was set, and the review still says: %s", said)
	}
	o.run(0, "ledger", "verify")

	o.put(noticed) // the other end: a person confirms, on a terminal, and the ledger has it
	confirm, lines := []string{"policy", "confirm"}, o.book().Lines
	o.says(2, "at a terminal", confirm...)
	o.answers(21, confirm, "operator alice (", "no")
	if said := o.run(0, "review", file); !strings.Contains(said, notice) || o.book().Lines != lines+1 {
		t.Errorf("nothing was confirmed, and the notice is gone: %s", said)
	}
	o.answers(0, confirm, `policy "payroll" `, "confirm")
	if said := o.run(0, "review", file); strings.Contains(said, notice) {
		t.Errorf("confirmed, and the review still says: %s", said)
	}
	if !strings.Contains(o.ledgerText()[len(noticed["w.kms.ledger"]):], `"kind":"policy"`) {
		t.Error("the ledger has no line about it")
	}
	o.says(1, "nothing to confirm", confirm...)
}

// An operator and a relay go only after a yes, and no password is asked for a
// name that is taken.
func removalIsAsked(t *testing.T) {
	o := newOffice(t)
	relay := relayKey(1).Public().Fingerprint()
	before := o.files()
	for _, args := range [][]string{{"operator", "remove", "bob"}, {"unpair", relay}} {
		o.says(2, "--yes", args...)
		o.answers(21, args, "left", "n")
	}
	if !bytes.Equal(before["w.kms"], o.files()["w.kms"]) {
		t.Error("the wallet was written")
	}
	at := o.answers(0, []string{"operator", "remove", "bob"}, "Go on?", "y")
	if !strings.Contains(at.page(), "1 operator is left, and the policy wants up to 2.") {
		t.Errorf("remove says: %s", at.page())
	}
	o.answers(0, []string{"unpair", relay}, "0 relays are left. Go on?", "y")
	o.answers(1, []string{"operator", "add", "Alice"}) // asks for no other password
	o.put(before, "w.kms")
	o.answers(20, []string{"operator", "add", "bob"})
}

// A machine on which a copy was put back after the review approves in the round
// of the machine that signs. Where the copy was put back on that one, it counts not.
func approvedOnCopy(t *testing.T) {
	o := newOffice(t)
	file := o.salary(1)
	digest, round := o.reviewed(file)
	copied := filepath.Join(t.TempDir(), "copy.kms")
	o.run(0, "backup", copied)
	there := o.elsewhere()
	there.wipe()
	there.run(0, "restore", copied)
	there.reviewed(file)
	path, elsewhere := there.approvedIn(file, digest, "bob", round)
	if !elsewhere {
		t.Error("the round is said to be of the copy")
	}
	there.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	if again, _ := o.reviewed(file); again != digest {
		t.Fatal("another batch")
	}
	o.approved(file, digest, "alice")
	before := o.files()
	o.run(0, "restore", copied)
	o.reviewed(file)
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", path)
	o.put(before)
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest, "--approval", path)
}

// Only operators who count are counted, and a restore points at settle where wallet
// and ledger do not agree.
func operatorsThatCount(t *testing.T) {
	o := newOffice(t)
	copied := filepath.Join(t.TempDir(), "copy.kms")
	o.run(0, "backup", copied)
	o.run(0, "operator", "remove", "bob", "--yes")
	cmd := o.command("--password-file", o.path("pw"), "restore", copied)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ledger settle") || strings.Contains(string(out), "ledger accept") {
		t.Errorf("restore: %v: %s", err, out)
	}
	if said := o.run(0, "policy", "check", o.path("payroll.json")); !strings.Contains(said, "2 operators, and 1 are enrolled") {
		t.Errorf("policy check: %s", said)
	}
	o.says(0, "WARNING: the wallet and its ledger do not agree", "backup", o.path("other.kms"))
}

// A backup prints what is to be written down with it.
func backupSaysWords(t *testing.T) {
	o := newOffice(t)
	var reply struct{ Words string }
	if err := json.Unmarshal([]byte(o.run(0, "backup", o.path("copy.kms"))), &reply); err != nil {
		t.Fatal(err)
	}
	if reply.Words == "" || reply.Words != o.book().Words {
		t.Errorf("backup says %q, the ledger %q", reply.Words, o.book().Words)
	}
}

// A stranger's wallet takes the place of another only after a question.
func restoreOverStranger(t *testing.T) {
	o, stranger := newOffice(t), newOffice(t)
	copied := filepath.Join(t.TempDir(), "copy.kms")
	stranger.run(0, "backup", copied)
	mine := o.files()["w.kms"]
	for _, name := range []string{"w.kms.ledger", "w.kms.ledger.mark"} {
		if err := os.Remove(o.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	o.says(20, "may be another one", "restore", copied)
	o.answers(21, []string{"restore", copied}, "Type replace", "y")
	if !bytes.Equal(o.now("w.kms"), mine) {
		t.Fatal("the wallet was replaced")
	}
	o.answers(0, []string{"restore", copied}, "Type replace", "replace")
	if len(o.kept()) != 1 || readFile(t, o.kept()[0]) != string(mine) {
		t.Errorf("kept: %v", o.kept())
	}
}

// now is a file as it is now.
func (o office) now(name string) []byte { return []byte(readFile(o.t, o.path(name))) }

// What only reads works on a write-protected medium; what writes says what to do.
func readOnlyMedium(t *testing.T) {
	o := newOffice(t)
	file, stick := o.salary(1), t.TempDir()
	there := o
	there.dir = stick
	there.put(o.files())
	there.put(files{"pw": []byte(readFile(t, o.path("pw")))})
	if err := syscall.Mount(stick, stick, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(stick, 0) })
	if err := syscall.Mount("", stick, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	for _, args := range [][]string{{"ledger", "verify"}, {"ledger", "export"}, {"report"}, {"operator", "list"}, {"policy", "show"}, {"checkconfig"}} {
		there.run(0, args...)
	}
	const advice = "open the write lock of the stick"
	there.says(1, advice, "generatemanagedwallet", "BTC")
	there.says(1, advice, "review", file)
	o.says(1, "is write-protected", "backup", filepath.Join(stick, "copy.kms"))
	o.says(1, "is write-protected", "watch", "--out", filepath.Join(stick, "signer.kmswatch"))
}
