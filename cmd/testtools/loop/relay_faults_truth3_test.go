//go:build unix

package loop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
)

// wordFaults are about what the relay says of a payment that it does not know
// all of.
func wordFaults() []fault {
	return []fault{
		{"40a-disarmed-and-listed-all-the-same", disarmedIsListed},
		{"40b-dead-and-listed-all-the-same", deadIsListed},
		{"40c-rejected-and-completed-by-another", rejectedIsCompleted},
		{"41-dropped-as-tatum-says-and-there-all-the-same", dropHasNoEffect},
		{"42-reject-of-what-was-sent-needs-evidence", rejectWithRival},
		{"42b-reject-of-what-may-be-the-same-payment", rejectWithSame},
		{"43a-an-old-journal-does-not-know-what-it-sent", oldJournalKnowsNot},
		{"43b-a-restored-journal-does-not-know-what-it-sent", restoredKnowsNot},
		{"43c-an-old-journal-watches-on", oldJournalWatches},
		{"44-paid-and-cancelled-comes-to-an-end", paidCancelledEnds},
		{"47-events-say-what-is", eventsAreRead},
		{"45-reject-does-not-cancel-what-another-pays", rejectSharedWithdrawal},
	}
}

// says runs a command, wants this exit code, and returns what it says to people.
func (h *teller) says(code int, args ...string) string {
	h.Helper()
	cmd := exec.Command(filepath.Join(h.bin, "kms-online"), append([]string{"--state", filepath.Join(h.dir, "relay"), "--testnet"}, args...)...)
	cmd.Env = h.env()
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return h.short(string(out))
}

// short leaves the flags out that say where a relay works, so that a test has the
// words of a command only. That they are there has a test of its own.
func (h *teller) short(words string) string {
	place := "kms-online --state " + filepath.Join(h.dir, "relay") + " "
	return strings.ReplaceAll(strings.ReplaceAll(words, place+"--testnet ", "kms-online "), place, "kms-online ")
}

// disarmed has payment 1 signed, refused by the approval service, and given up.
func (h *teller) disarmed() {
	h.Helper()
	approvals := newService(h.T, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	h.wants(1, "failed", "disarmed")
}

func disarmedIsListed(t *testing.T) {
	h := newTeller(t)
	h.disarmed()
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), nil)) // Tatum has it again
	h.run(3, "fetch")
	h.alarms("rejected-but-listed")
	if words := h.says(0, "status"); !strings.Contains(words, "Tatum still lists it") {
		t.Errorf("status says nothing of it:\n%s", words)
	}
	h.run(0, "acknowledge", "1", "--why", "seen")
	h.run(3, "fetch")
	h.alarms("") // a person knows of it
	h.run(0, "reject", relaytest.ID(1), "--why", "once more")
	h.run(0, "fetch")
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), nil))
	h.run(3, "fetch")
	h.alarms("rejected-but-listed")
	h.answers(answer{"POST /v3/kms/pending/", "[]", 200}) // a list that came short is no word that it is gone
	h.run(0, "fetch")
	h.alarms("rejected-but-listed")
	h.answers(answer{"POST /v3/kms/pending/", "[]", 200}, answer{"GET /v3/kms/", gone, 403})
	h.run(0, "fetch")
	h.alarms("rejected-but-listed(healed)")
}

func deadIsListed(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.rival(1, []byte{0x51})
	h.server.Mine(8)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice()
	h.wants(1, "failed", "inputs-spent")
	h.run(3, "fetch")
	h.alarms("inputs-spent") // one matter, one alarm
	h.run(0, "acknowledge", "1", "--why", "seen")
	h.run(3, "fetch")
	h.run(3, "fetch")
	h.alarms("rejected-but-listed")
	h.run(0, "reject", relaytest.ID(1), "--why", "paid anew")
	h.wants(1, "failed", "disarmed")
	h.dropped(1)
	h.run(0, "fetch")
	h.alarms("")
}

func rejectedIsCompleted(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), nil))
	h.run(3, "fetch")
	h.server.Change(relaytest.ID(1), "txId", strings.Repeat("ab", 32))
	h.run(3, "fetch")
	h.alarms("rejected-but-listed(healed) completed-with-other-txid")
}

// Tatum answers 204 and drops nothing.
func dropHasNoEffect(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.answers(answer{"DELETE /v3/kms/", "", 204})
	if words := h.says(1, "reject", relaytest.ID(1), "--why", "a mistake"); !strings.Contains(words, "it is at Tatum all the same") {
		t.Error(words)
	}
	if s := h.wants(1, "prepared", ""); s.Withheld != "dropping" {
		t.Errorf("%+v", s)
	}
	h.server.Fault(nil)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.wants(1, "rejected", "refused-by-relay")
}

// handedAndHeld has payment 1 handed to the network, lost, and vetoed.
func (h *teller) handedAndHeld(change func(map[string]any)) {
	h.Helper()
	approvals := newService(h.T, false, "application/json", "")
	h.signed(change, 1)
	h.answers(answer{"POST /v3/bitcoin/broadcast", "<html>", 502}, answer{"POST /v3/offchain/withdrawal/broadcast", "<html>", 502}, lag)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	approvals.no.Store(true)
	h.run(3, "broadcast")
	h.server.Fault(nil)
}

// Sent, and lost, and another transaction took its place: that must be deep
// enough, in the block that Tatum says, and there at two looks.
func rejectWithRival(t *testing.T) {
	h := newTeller(t)
	h.handedAndHeld(nil)
	id := relaytest.ID(1)
	h.run(1, "reject", id, "--why", "as the service says") // no evidence
	h.rival(1, []byte{0x51})
	h.server.Mine(2)
	if words := h.says(1, "reject", id, "--why", "as the service says"); !strings.Contains(words, "of 6 confirmations") || !strings.Contains(words, "handed to the network at") {
		t.Error(words)
	}
	h.server.Mine(6)
	if words := h.says(1, "reject", id, "--why", "as the service says"); !strings.Contains(words, "one look is no evidence") {
		t.Error(words)
	}
	h.dropped(0)
	h.age("looks", "at", 601)
	h.run(0, "reject", id, "--why", "as the service says")
	h.wants(1, "failed", "disarmed")
	h.dropped(1)
}

// What took its place pays the same address.
func rejectWithSame(t *testing.T) {
	h := newTeller(t)
	h.handedAndHeld(nil)
	h.rival(1, relaytest.Payee(1))
	h.server.Mine(8)
	for range 2 {
		if words := h.says(1, "reject", relaytest.ID(1), "--why", "as the service says"); !strings.Contains(words, "may be this payment") {
			t.Error(words)
		}
		h.age("looks", "at", 601)
	}
	h.dropped(0)
}

// What an older version signed may have been sent by it.
func oldJournalKnowsNot(t *testing.T) {
	p := oldRelay(t, "")
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Method+" "+r.URL.Path, "GET /v3/kms/") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(gone))
		return true
	})
	id := relaytest.ID(3)
	p.run("broadcast", id)
	p.journal("UPDATE looks SET at = at - 601") // Tatum says it again ten minutes later
	p.run("broadcast", id)
	var list []itemStatus
	p.json(&list, "status", id)
	if s := list[0]; s.Code != "signed-after-drop" || strings.Contains(s.Reason, "not sent") || strings.Contains(s.Reason, "handed") || !strings.Contains(s.Reason, "may have been sent") {
		t.Errorf("%+v", s)
	}
	if got := p.run("reject", id, "--why", "test"); got.code != 1 || !strings.Contains(got.err, "may have been sent") || p.server.Calls("DELETE") != 0 {
		t.Errorf("exit code %d, %s", got.code, got.err)
	}
}

// What was sent after the backup was made is not in it.
func restoredKnowsNot(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	h.losing(1)
	h.run(3, "broadcast")
	for _, name := range []string{"journal.db", "journal.db-wal", "journal.db-shm"} {
		_ = os.Remove(filepath.Join(h.dir, "relay", name))
	}
	h.run(0, "restore", backup)
	h.answers(lag, answer{"GET /v3/kms/", gone, 403})
	h.run(3, "broadcast")
	if s := h.wants(1, "signed", "signed-after-drop"); strings.Contains(s.Reason, "not sent") || !strings.Contains(s.Reason, "from a backup of 20") {
		t.Errorf("%+v", s)
	}
	h.run(1, "reject", relaytest.ID(1), "--why", "gone there")
}

// An older version stopped watching at one confirmation.
func oldJournalWatches(t *testing.T) {
	p := oldRelay(t, "")
	p.journal("UPDATE items SET depth = 1 WHERE id = ?", relaytest.ID(1))
	txid := p.txID(1)
	for range 2 {
		p.run("watch")
	}
	if n := p.server.Calls("GET /v3/bitcoin/transaction/" + txid); n == 0 {
		t.Error("what was completed at one confirmation is not watched any more")
	}
	var list []struct{ ID, Code string }
	p.json(&list, "status", relaytest.ID(1))
	if list[0].Code != "reorganised" { // it is in no block of this Tatum
		t.Errorf("%+v", list)
	}
}

func paidCancelledEnds(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	txid := h.wants(1, "signed", "").TxID
	h.server.Chain(h.signedHex(1))
	h.server.Change(relaytest.ID(1), "txId", txid)
	h.server.Cancel("w-1")
	h.run(3, "broadcast")
	h.run(0, "acknowledge", "1", "--why", "account corrected")
	h.run(3, "broadcast") // not deep enough
	h.wants(1, "broadcast", "paid-but-cancelled")
	h.server.Mine(12)
	h.run(0, "watch")
	h.run(0, "broadcast")
	if s := h.wants(1, "completed", "paid-but-cancelled"); !strings.Contains(s.Reason, "account corrected") || !strings.Contains(s.Reason, txid) {
		t.Errorf("%+v", s)
	}
	h.alarms("")
}

// Two ids of one withdrawal, of which one is signed.
func rejectSharedWithdrawal(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.pay(withdrawn, 2)
	h.run(3, "fetch")
	h.wants(2, "refused", "same-withdrawal")
	if words := h.says(1, "reject", relaytest.ID(2), "--why", "twice"); !strings.Contains(words, "cancels it") {
		t.Error(words)
	}
	h.dropped(0)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	var list []struct{ Withheld string }
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(2)), &list); err != nil || list[0].Withheld != "reject-pending" {
		t.Errorf("%v, %+v", err, list)
	}
}

// Events wait behind slow ones; what they say is as it is when they are sent.
func eventsAreRead(t *testing.T) {
	p := newPairedRelay(t)
	p.unprovable(numbers(1, 12)...)
	p.run("fetch")
	p.journal("UPDATE items SET since = since - 100000")
	var mu sync.Mutex
	heard := make(map[string]string) // what was told first, by item
	slow, release := make(chan struct{}), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Event string
			Item  struct{ ID, State string }
		}
		_ = json.NewDecoder(r.Body).Decode(&e)
		mu.Lock()
		if heard[e.Item.ID] == "" {
			heard[e.Item.ID] = e.Event + " " + e.Item.State
		}
		n := len(heard)
		mu.Unlock()
		if n == 8 {
			close(slow)
		}
		if n <= 8 {
			<-release
		}
	}))
	defer hook.Close()
	d := p.daemon("--event-url", hook.URL)
	select {
	case <-slow:
	case <-time.After(2 * time.Minute):
		t.Fatalf("no events: %s", &d.words)
	}
	var waiting []string
	for _, n := range numbers(1, 12) {
		if id := relaytest.ID(n); heard[id] == "" {
			waiting = append(waiting, id)
			p.must("reject", id, "--why", "a mistake")
		}
	}
	close(release)
	p.eventually("the others are told", func() bool { mu.Lock(); defer mu.Unlock(); return len(heard) == 12 })
	d.stop()
	for _, id := range waiting {
		if heard[id] != "rejected rejected" {
			t.Errorf("%s is told as %s", id, heard[id])
		}
	}
}
