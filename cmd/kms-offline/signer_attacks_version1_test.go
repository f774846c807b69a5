//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// versionOne is a place with a wallet whose ledger version 1 of this program wrote.
func versionOne(t *testing.T) office {
	t.Helper()
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark", "large.kmsreq"} {
		b, err := os.ReadFile(filepath.Join("testdata", "ledger-v1", name))
		if err != nil {
			t.Fatal(err)
		}
		o.put(files{name: b})
	}
	return o
}

// Before a person upgrades a ledger they can check it and copy it. Neither
// changes it, and neither lets anything be signed.
func versionOneVerified(t *testing.T) {
	o := versionOne(t)
	before := o.files()
	for _, args := range [][]string{{"ledger"}, {"ledger", "verify"}} {
		var reply ledgerReply
		out := o.run(20, args...)
		if err := json.Unmarshal([]byte(out), &reply); err != nil || reply.Version != 1 || reply.Lines != uint64(bytes.Count(before["w.kms.ledger"], []byte("\n"))) ||
			len(strings.Fields(reply.Words)) != 8 || !bytes.Contains(before["w.kms.ledger.mark"], []byte(reply.Head)) {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	o.says(20, "the hashes of all lines hold; ledger is of version 1", "ledger", "verify")
	o.says(20, "kms-offline backup FILE", "ledger", "verify")

	copied := o.path("copy.kms")
	o.says(0, "this backup is not on record", "backup", copied)
	for _, suffix := range []string{"", ledgerSuffix, ledgerSuffix + ".mark"} {
		if b := []byte(readFile(t, copied+suffix)); !bytes.Equal(b, before["w.kms"+suffix]) {
			t.Errorf("the copy's w.kms%s is another", suffix)
		}
	}
	if now := o.files(); !bytes.Equal(now["w.kms.ledger"], before["w.kms.ledger"]) || !bytes.Equal(now["w.kms"], before["w.kms"]) {
		t.Error("something was changed")
	}
	for _, args := range [][]string{{"review", o.path("large.kmsreq")}, {"ledger", "release", "x"}, {"operator", "remove", "bob", "--yes"}} {
		o.says(20, "ledger upgrade", args...)
	}

	// the copy is put back elsewhere, and upgraded there
	there := office{o.place}
	there.dir = t.TempDir()
	there.put(files{"pw": []byte(readFile(t, o.path("pw")))})
	there.says(0, "ledger upgrade", "restore", copied)
	there.says(20, "the hashes of all lines hold", "ledger", "verify")

	// one that was changed is neither checked as whole nor copied
	o.put(files{"w.kms.ledger": bytes.Replace(before["w.kms.ledger"], []byte(`"kind":"signed"`), []byte(`"kind":"zigned"`), 1)})
	o.says(20, "ledger is damaged", "ledger", "verify")
	o.says(20, "ledger is damaged", "backup", o.path("other.kms"))
	if left, _ := filepath.Glob(o.path("other.kms*")); len(left) > 0 {
		t.Errorf("copied: %v", left)
	}
}
