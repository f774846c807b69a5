//go:build unix

package loop

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// restoredFaults are about what a restored journal has, and was given up since the
// backup.
func restoredFaults() []fault {
	return []fault{
		{"91a-signed-in-the-backup-and-given-up-since", givenUpSinceBackup},
		{"91b-signed-after-the-restore-and-given-up-before", signedSinceBackup},
		{"91c-signed-in-the-backup-and-listed", listedSinceBackup},
		{"94a-given-up-since-the-backup-and-cached", givenUpAndCached},
		{"94b-not-wanted-in-the-backup-and-paid-since", unwantedAndPaid},
	}
}

// stale has Tatum's record of payment 1 answered from a cache for ever.
func (h *teller) stale() {
	h.Helper()
	h.answers(answer{"GET /v3/kms/" + relaytest.ID(1), string(h.signer.Payment(1, h.signer.Funding(1), nil)), 200})
}

func givenUpSinceBackup(t *testing.T) {
	h := newTeller(t)
	backup, approvals := filepath.Join(h.dir, "backup"), newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(0, "backup", backup)
	h.run(3, "broadcast", "--external-url", approvals.url)
	h.run(0, "reject", relaytest.ID(1), "--why", "paid otherwise")
	h.restores(backup)
	h.stale()
	h.run(3, "fetch")
	for range 2 {
		words := h.says(3, "broadcast", "--external-url", "none")
		if !strings.Contains(words, "the list of Tatum does not have it") {
			t.Error(words)
		}
		h.wants(1, "signed", "restored")
		h.run(3, "fetch")
	}
	h.sends(0)
	h.run(1, "retry", relaytest.ID(1))
	if typed := strings.Join(h.retry(1), " "); !strings.HasSuffix(typed, " --content same") {
		t.Error(typed)
	}
	h.retries(1)
	h.run(3, "broadcast") // Tatum does not have it, so it cannot be marked
	h.sends(1)
}

func signedSinceBackup(t *testing.T) {
	h := newTeller(t)
	backup, usb := filepath.Join(h.dir, "backup"), t.TempDir()
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "backup", backup)
	h.run(0, "reject", relaytest.ID(1), "--why", "paid otherwise")
	h.restores(backup)
	h.stale()
	h.run(3, "fetch")
	h.run(3, "import", usb) // the alarm that the journal was restored is open
	h.run(3, "broadcast", "--external-url", "none")
	h.sends(0)
	h.wants(1, "signed", "restored")
}

// What Tatum lists goes on, and what the network has is paid, listed or not.
func listedSinceBackup(t *testing.T) {
	h := newTeller(t)
	backup := filepath.Join(h.dir, "backup")
	h.signed(nil, 1, 2)
	h.run(0, "backup", backup)
	h.server.Chain(h.signedHex(2))
	h.server.Change(relaytest.ID(2), "txId", h.item(2).TxID)
	h.restores(backup)
	h.run(3, "broadcast", "--external-url", "none")
	h.wants(1, "signed", "restored")
	h.wants(2, "completed", "")
	h.run(0, "fetch")
	h.run(3, "broadcast") // a list may be old
	h.sends(0)
	h.releases()
	h.run(0, "broadcast")
	h.sends(1)
	h.wants(1, "completed", "")
}

// releases has a person release all that waits for it.
func (h *teller) releases() {
	h.Helper()
	var reply struct{ List string }
	if err := json.Unmarshal(h.run(3, "release"), &reply); err != nil || reply.List == "" {
		h.Fatalf("%+v, %v", reply, err)
	}
	h.run(0, "release", "--list", reply.List)
}

// cached has Tatum's list and its record of payment 1 answered from one cache, and
// the network has nothing of it.
func (h *teller) cached() {
	h.Helper()
	text := string(h.signer.Payment(1, h.signer.Funding(1), nil))
	h.answers(answer{"POST /v3/kms/pending/", "[" + text + "]", 200},
		answer{"GET /v3/kms/" + relaytest.ID(1), text, 200})
}

// A payment was given up after the backup. Its list and its record at Tatum are old:
// nothing is sent before a person has said so, by name.
func givenUpAndCached(t *testing.T) {
	for name, signs := range map[string]int{
		"signed in the backup": 0, "imported after the restore": 1, "signed anew": 2,
	} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			backup, usb := filepath.Join(h.dir, "backup"), t.TempDir()
			approvals := newService(t, true, "application/json", "")
			h.pay(nil, 1)
			h.run(0, "fetch")
			if signs < 2 {
				h.run(0, "export", "--out", usb)
				h.sign(usb)
			}
			if signs == 0 {
				h.run(0, "import", usb)
				h.run(0, "backup", backup)
				h.run(3, "broadcast", "--external-url", approvals.url)
			} else {
				h.run(0, "backup", backup)
			}
			h.run(0, "reject", relaytest.ID(1), "--why", "paid otherwise")
			h.restores(backup)
			h.cached()
			h.run(0, "fetch")
			if signs == 2 {
				h.run(0, "export", "--out", usb)
				h.sign(usb)
			}
			if signs > 0 {
				h.run(3, "import", usb) // the alarm that the journal was restored is open
			}
			for range 2 {
				h.run(3, "broadcast", "--external-url", "none")
				h.run(0, "daemon", "--runOnce", "--drop", usb)
				h.run(0, "fetch")
			}
			h.sends(0)
			if s := h.wants(1, "signed", "restored"); !strings.Contains(s.Reason, "kms-online release") {
				t.Error(s.Reason)
			}
			h.run(1, "release", "--list", "0123456789abcdef")
			h.run(1, "release", relaytest.ID(2))
			h.sends(0)
			if words := h.says(3, "release"); !strings.Contains(words, "kms-online release --list ") ||
				!strings.Contains(words, relaytest.ID(1)) {
				t.Error(words)
			}
			h.releases()
			h.run(0, "release")
			h.run(3, "broadcast") // and Tatum does not have it to mark it
			h.sends(1)
		})
	}
}

// What was not wanted, or refused, in the backup was taken up again, signed and paid
// since: that is an alarm, and to take it up once more looks first.
func unwantedAndPaid(t *testing.T) {
	for _, state := range []string{"reject-pending", "refused"} {
		t.Run(state, func(t *testing.T) {
			h := newTeller(t)
			backup, usb := filepath.Join(h.dir, "backup"), t.TempDir()
			h.pay(nil, 1)
			h.run(0, "fetch")
			h.run(0, "export", "--out", usb)
			h.sign(usb)
			if state == "refused" {
				h.sql("UPDATE items SET state = 'refused', code = 'destination'")
			} else {
				h.answers(answer{"GET /v3/kms/", "", 500})
				h.run(30, "reject", relaytest.ID(1), "--why", "a mistake")
				h.server.Fault(nil)
			}
			h.run(0, "backup", backup)
			h.sql("UPDATE items SET state = 'exported', code = '', withheld = ''")
			h.run(0, "import", usb)
			raw := h.signedHex(1)
			h.restores(backup)
			h.run(3, "watch") // the alarm that the journal was restored is open
			h.server.Chain(raw)
			h.age("items", "retry_at", 1<<40)
			h.run(3, "watch")
			h.alarms("restored paid-unrecorded")
			h.run(0, "retry", relaytest.ID(1))
			h.run(3, "fetch")
			if s := h.item(1); s.Withheld != "paid-unrecorded" {
				t.Errorf("%+v", s)
			}
			h.run(0, "export", "--out", t.TempDir())
			if s := h.item(1); s.State == "exported" && state == "refused" {
				t.Errorf("%+v", s)
			}
		})
	}
}
