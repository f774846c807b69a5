package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// lostAttacks are about keys, operators and policies that an old copy takes away
// or brings back.
func lostAttacks() []attack {
	return []attack{
		{"50-restore-drops-a-key", restoreDropsKey},
		{"50-old-wallet-by-copy-drops-a-key", copyDropsKey},
		{"50-restore-over-the-last-copy", restoreOverLastCopy},
		{"50-watch-drops-a-key", watchDropsKey},
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
		{"generatemanagedwallet", "BTC"}, {"operator", "remove", "bob"}, {"removewallet", deskKey, "--yes"},
		{"changepassword", "--new-password-file", passwordFile(o.t, o.dir, "third", "a third horse")},
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
	if !strings.Contains(at.page(), "w.kms.prev holds 2 of them") || len(o.kept()) != 1 {
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
