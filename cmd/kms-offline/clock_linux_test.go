package main

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/durable"
)

// vouches runs a command that has to ask about the clock before anything else:
// nothing is recorded after a no, nor without a terminal.
func (o office) vouches(word string) {
	o.t.Helper()
	before := o.ledgerText()
	o.says(20, "clock", "ledger", word)
	o.answers(21, []string{"ledger", word}, "clock right?", "n")
	o.answers(21, []string{"ledger", word}, "clock right?", "y", "Type "+word, "no")
	if o.ledgerText() != before {
		o.t.Error("something was recorded")
	}
	o.answers(0, []string{"ledger", word}, "clock right?", "y", "Type "+word, word)
	if o.ledgerText() == before {
		o.t.Error("nothing was recorded")
	}
}

// changed changes the wallet without its ledger.
func (o office) changed(change func(*wallet.Wallet) error) {
	o.t.Helper()
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().Open(o.path("w.kms"), []byte(deskPassword))
	if err != nil {
		o.t.Fatal(err)
	}
	defer w.Close()
	if err := errors.Join(change(w), w.Save()); err != nil {
		o.t.Fatal(err)
	}
}

// A clock that was set ahead is asked about before wallet and ledger are settled.
func clockAheadSettle(t *testing.T) {
	o := office{newPlace(t)}
	o.sleeper(25 * time.Hour)
	o.changed(func(w *wallet.Wallet) error {
		w.Unpair(relayKey(1).Public()) // unrecorded, as by an old copy
		return nil
	})
	o.vouches("settle")
}

// And before a ledger of version 1 is upgraded.
func clockAheadUpgrade(t *testing.T) {
	o := office{newPlace(t)}
	o.sleeper(25 * time.Hour)
	past := time.Now().Add(-25 * time.Hour).UTC()
	body := fmt.Sprintf(`{"n":1,"prev":"%s","time":"%s","clock":%d,"kind":"genesis","signer":"%s"}`,
		strings.Repeat("0", 64), past.Format(time.RFC3339), past.Unix(), o.signer.Fingerprint())
	head := fmt.Sprintf("%x", sha256.Sum256([]byte("coldkms ledger v1\n"+body)))
	o.put(files{"w.kms.ledger": []byte(head + " " + body + "\n"), "w.kms.ledger.mark": []byte(`{"n":1,"head":"` + head + `"}`)})
	o.changed(func(w *wallet.Wallet) error { return errors.Join(w.SetLedger([]byte(head)), w.SetKnown(nil)) })
	o.vouches("upgrade")
}
