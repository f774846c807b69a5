//go:build unix

package loop

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// marksFaults are about an item that is withheld for several reasons at a time:
// each has to come to its own end.
func marksFaults() []fault {
	return []fault{
		{"120a-a-rejection-that-fails-hides-no-other-reason", rejectionHidesNothing},
		{"120b-a-rejection-that-fails-after-a-restore", rejectionAfterRestore},
		{"122a-a-signed-item-that-is-rejected-is-called-signed", rejectedIsSigned},
		{"121a-a-wrong-record-of-what-was-handed-over", wrongRecordHanded},
		{"121b-a-wrong-record-that-is-put-right-and-held", wrongRecordHeld},
		{"120c-retry-of-what-this-relay-may-have-dropped", retryOfDropped},
	}
}

// dropsUnheard has every drop at Tatum lose its reply, with or without effect.
func (h *teller) dropsUnheard(effect bool, list ...answer) {
	h.answers(list...)
	plain := h.server.Faulty()
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete {
			return plain(w, r)
		}
		if effect {
			h.server.Serve(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	})
}

// exportsNothing wants the signer to get no request.
func (h *teller) exportsNothing() {
	h.Helper()
	if got := h.exports(); !strings.Contains(got.words, `"request": null`) {
		h.Error(got.words)
	}
}

// Tatum changes the amount; the rejection that is to follow does not work.
func rejectionHidesNothing(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	prev := h.signer.Funding(1)
	text := strings.ReplaceAll(string(h.signer.Payment(1, prev, nil)), `99000`, `98000`)
	changed := []answer{{"POST /v3/kms/pending/", "[" + text + "]", 200}, {"GET /v3/kms/" + relaytest.ID(1), text, 200}}
	h.answers(changed...)
	h.run(3, "fetch")
	h.alarms("content-changed")
	h.run(1, "retry", relaytest.ID(1))
	h.dropsUnheard(false, changed...)
	h.run(30, "reject", relaytest.ID(1), "--why", "the amount is wrong")
	if words := h.says(1, "retry", relaytest.ID(1)); !strings.Contains(words, "something else under this id") {
		t.Error(words)
	}
	h.alarms("content-changed")
	h.exportsNothing()
	h.server.Fault(nil) // Tatum asks for the same again
	h.run(0, "fetch")
	if s := h.item(1); s.Withheld != "dropping" {
		t.Errorf("%+v", s)
	}
}

// What the restored journal has as prepared is paid. reject sees that, and it stays
// on record.
func rejectionAfterRestore(t *testing.T) {
	h := newTeller(t)
	backup := filepath.Join(h.dir, "backup")
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "backup", backup)
	h.cross(0)
	raw := h.signedHex(1)
	h.restores(backup)
	h.run(1, "reject", relaytest.ID(1), "--why", "not sure")
	if words := h.says(1, "retry", relaytest.ID(1)); !strings.Contains(words, "kms-online fetch looks") {
		t.Error(words)
	}
	h.exportsNothing()
	h.server.Fault(nil)
	h.server.Chain(raw)
	h.run(1, "reject", relaytest.ID(1), "--why", "not sure")
	if s := h.item(1); s.Withheld != "paid-unrecorded" {
		t.Errorf("%+v", s)
	}
	h.alarms("restored paid-unrecorded")
	h.exportsNothing()
	h.run(0, "retry", relaytest.ID(1)) // and is looked for again
	h.exportsNothing()
	h.run(3, "fetch")
	h.exportsNothing()
}

// The drop at Tatum took effect, and its reply is lost. Then the person changes
// their mind.
func retryOfDropped(t *testing.T) {
	for _, effect := range []bool{true, false} {
		h := newTeller(t)
		h.pay(nil, 1)
		h.run(0, "fetch")
		h.dropsUnheard(effect)
		h.run(30, "reject", relaytest.ID(1), "--why", "a mistake")
		h.server.Fault(nil)
		if words := h.says(0, "retry", relaytest.ID(1)); !strings.Contains(words, "next: kms-online fetch") {
			t.Error(words)
		}
		h.exportsNothing()
		if h.run(0, "fetch"); !effect { // it is listed
			h.cross(0)
			h.wants(1, "signed", "")
		} else if s := h.item(1); s.Withheld != "unknown-at-tatum" {
			t.Errorf("%+v", s)
		}
	}
}

// otherTxID is what a wrong record names.
var otherTxID = strings.Repeat("ab", 32)

// A payment is with the network, its reply was lost, no index has it, and Tatum's
// record names another transaction.
func wrongRecordHanded(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.losing(1)
	h.run(3, "broadcast")
	h.server.Change(relaytest.ID(1), "txId", otherTxID)
	h.run(3, "broadcast")
	s := h.wants(1, "signed", "completed-with-other-txid")
	if !strings.Contains(s.Reason, "It was handed to the network at 20") || strings.Contains(s.Reason, "not sent") {
		t.Error(s.Reason)
	}
	h.alarms("completed-with-other-txid")
	h.server.Fault(nil)
	h.server.Change(relaytest.ID(1), "txId", h.item(1).TxID)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("completed-with-other-txid(healed)")
	if words := h.alarm("completed-with-other-txid"); !strings.Contains(words, "names our transaction now") {
		t.Error(words)
	}
}

// What is signed while Tatum's record is wrong is held, also once that is right.
func wrongRecordHeld(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.server.Change(relaytest.ID(1), "txId", otherTxID)
	h.run(3, "fetch")
	h.sign(usb)
	h.says(3, "import", usb)
	h.run(3, "broadcast")
	s := h.wants(1, "failed", "completed-with-other-txid")
	if !strings.Contains(s.Reason, "It was not sent from here") {
		t.Error(s.Reason)
	}
	h.server.Change(relaytest.ID(1), "txId", "")
	h.age("items", "retry_at", 1<<40)
	h.run(3, "watch")
	if words := h.alarm("completed-with-other-txid"); strings.Contains(words, "it goes on") ||
		!strings.Contains(words, "held all the same") {
		t.Error(words)
	}
	h.run(3, "broadcast")
	h.sends(0)
}

// What is known to be signed is not said to be signed perhaps.
func rejectedIsSigned(t *testing.T) {
	h := newTeller(t)
	approvals := newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--external-url", approvals.url)
	words := h.says(0, "reject", relaytest.ID(1), "--why", "as the service says")
	if !strings.Contains(words, "is signed ("+h.item(1).TxID) ||
		strings.Contains(words, "if the signer has signed it") {
		t.Error(words)
	}
}
