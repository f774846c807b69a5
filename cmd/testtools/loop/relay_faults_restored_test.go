//go:build unix

package loop

import (
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
	h.run(0, "broadcast")
	h.sends(1)
	h.wants(1, "completed", "")
}
