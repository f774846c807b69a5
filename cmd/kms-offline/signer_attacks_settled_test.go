//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// settledAttacks wipe out, by writing the wallet, what shows that an old file
// was put back.
func settledAttacks() []attack {
	return []attack{
		{"24-write-over-a-removed-key", func(t *testing.T) {
			writeOverOldWallet(t, "was removed", func(o office) { o.run(0, "removewallet", deskKey, "--yes") })
		}},
		{"24-write-over-an-old-password", func(t *testing.T) {
			writeOverOldWallet(t, "the password was changed", func(o office) {
				o.run(0, "changepassword", "--new-password-file", passwordFile(t, o.dir, "new", "another horse eats seven plums"))
			})
		}},
		{"24-write-over-an-old-policy", func(t *testing.T) {
			writeOverOldWallet(t, "the policy in the wallet is not the one", func(o office) {
				o.policy("other.json", strings.Replace(quorumPolicy, "50000", "50001", 1))
			})
		}},
		{"24-settle-finishes-a-removal", settleFinishesRemoval},
		{"24-upgrade-over-a-removed-key", upgradeOverRemovedKey},
	}
}

func writeOverOldWallet(t *testing.T, says string, change func(office)) {
	o := newOffice(t)
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	old := o.files()
	change(o)
	o.put(old, "w.kms")
	now := o.files()
	relay2 := o.path("relay2.kmsid")
	if err := os.WriteFile(relay2, relayKey(2).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := [][]string{
		{"pair", relay2},
		{"unpair", relayKey(1).Public().Fingerprint(), "--yes"},
		{"operator", "add", "carol", "--operator-password-file", o.path("carol")},
		{"operator", "remove", "bob", "--yes"},
		{"generatemanagedwallet", "BTC"},
		{"generatemanagedprivatekeybatch", "BTC", "2"},
		{"removewallet", deskKey, "--yes"},
		{"changepassword", "--new-password-file", passwordFile(t, o.dir, "third", "a third horse walks over hills")},
	}
	if strings.Contains(says, "policy") { // to set it is how that is settled
		defer func() {
			o.policy("third.json", strings.Replace(quorumPolicy, "50000", "50002", 1))
			o.run(0, "operator", "remove", "bob", "--yes")
		}()
	} else {
		if err := os.WriteFile(o.path("third.json"), []byte(strings.Replace(quorumPolicy, "50000", "50002", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, []string{"policy", "set", o.path("third.json")})
	}
	for _, args := range commands {
		o.says(20, says, args...)
		if !bytes.Equal(o.files()["w.kms"], now["w.kms"]) {
			t.Fatalf("%v wrote the wallet", args)
		}
	}
	o.says(20, says, "ledger", "verify")
}

// Where removewallet is killed between its line and the wallet, settle takes
// the key out; so it does with those of an old wallet.
func settleFinishesRemoval(t *testing.T) {
	o := newOffice(t)
	before := o.files()
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	o.run(0, "removewallet", deskKey, "--yes")
	o.run(0, "changepassword", "--new-password-file", passwordFile(t, o.dir, "new", "another horse eats seven plums"))
	o.put(before, "w.kms")
	o.says(20, "ledger settle", "operator", "remove", "bob", "--yes")
	at := o.answers(0, []string{"ledger", "settle"}, "the password was changed", "settle")
	if !strings.Contains(at.stdout.String(), "was removed") {
		t.Errorf("settled: %s", at.stdout.String())
	}
	if o.has(deskKey) {
		t.Error("the key came back")
	}
	o.run(0, "ledger", "verify")
	o.run(0, "operator", "remove", "bob", "--yes")
}

// has reports whether the wallet has an entry.
func (o office) has(id string) bool {
	o.t.Helper()
	return strings.Contains(o.run(0, "--testnet", "report"), id)
}

// The upgrade of a ledger writes the wallet as well: it leaves a wallet of
// before an old one.
func upgradeOverRemovedKey(t *testing.T) {
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark"} {
		o.put(files{name: []byte(readFile(t, filepath.Join("testdata", "ledger-v1", name)))})
	}
	var clock []string
	if time.Since(time.Unix(1795795309, 0)) > maxJump { // of its last line
		clock = []string{"clock right?", "y"}
	}
	old := o.files()
	o.answers(0, []string{"ledger", "upgrade"}, slices.Concat(clock, []string{"Type upgrade", "upgrade"})...)
	id := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindString(o.run(0, "--testnet", "report"))
	o.run(0, "removewallet", id, "--yes")
	o.put(old, "w.kms")
	o.answers(0, []string{"ledger", "upgrade"}, "Type upgrade", "upgrade")
	o.says(20, "was removed", "ledger", "verify")
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	if o.has(id) {
		t.Error("the key came back")
	}
}
