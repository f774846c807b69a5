//go:build unix

package loop

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
)

// toldFaults are about what the relay tells of a payment that may be made: a
// small trouble hides nothing that matters to money.
func toldFaults() []fault {
	return []fault{
		{"60a-a-hand-over-is-told-whatever-comes-later", handOverIsTold},
		{"60b-network-trouble-keeps-the-reason", troubleKeepsReason},
		{"60c-a-lost-journal-is-not-an-empty-one", journalLost},
		{"60e-the-transaction-of-what-was-given-up", sameAsGivenUp},
		{"60d-a-restored-journal-says-so", restoredSaysSo},
	}
}

// away has every call end without a reply.
func (h *teller) away() {
	h.server.Fault(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
}

// Sent, and the reply lost; then Tatum is away, and its line is left alone.
func handOverIsTold(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.losing(1)
	h.run(3, "broadcast")
	h.away()
	h.run(3, "broadcast")
	for _, words := range []string{h.says(0, "status", relaytest.ID(1)), h.says(0, "status")} {
		if !strings.Contains(words, "handed to the network at 20") || !strings.Contains(words, "do not have it paid anew") || strings.Contains(words, "not sent") {
			t.Error(words)
		}
	}
	for _, command := range []string{"status", "report"} {
		if out := string(h.run(0, command, relaytest.ID(1))); !strings.Contains(out, `"handed": "20`) {
			t.Errorf("%s: %s", command, out)
		}
	}
	if out := h.says(0, "report", "--csv"); !strings.Contains(out, ",handed,trouble,restored,fee\n") {
		t.Error(out)
	}
	h.server.Fault(nil)
	h.run(0, "broadcast")
	if words := h.says(0, "status", relaytest.ID(1)); strings.Contains(words, "paid anew") {
		t.Error(words)
	}
}

// Its inputs are spent by something else; then there is no reply.
func troubleKeepsReason(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path != "POST /v3/bitcoin/broadcast" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, missing)
		return true
	})
	h.rival(1, []byte{0x51})
	h.server.Mine(1)
	h.run(3, "broadcast")
	before := h.item(1)
	if before.Code == "" || before.Code == "network" {
		t.Fatalf("%+v", before)
	}
	h.away()
	h.run(3, "broadcast")
	if now := h.item(1); now.Code != before.Code || now.Reason != before.Reason {
		t.Errorf("%+v, was %+v", now, before)
	}
	if words := h.says(0, "status", relaytest.ID(1)); !strings.Contains(words, "by now: ") {
		t.Error(words)
	}
}

// loses has the relay lose its journal.
func (h *teller) loses() {
	for _, name := range []string{"journal.db", "journal.db-wal", "journal.db-shm"} {
		_ = os.Remove(filepath.Join(h.dir, "relay", name))
	}
}

// A journal that is gone is no journal that has nothing to do, and nothing makes
// one that a restore would then refuse to write over.
func journalLost(t *testing.T) {
	h := newTeller(t)
	path := filepath.Join(h.dir, "relay", "journal.db")
	idle, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.signed(nil, 1)
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	for name, lose := range map[string]func() error{
		"missing": func() error { return nil },
		"empty":   func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		h.loses()
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"status"}, {"alarms"}, {"checkconfig"}, {"fetch"}, {"broadcast"}, {"report"}, {"daemon", "--period", "1"}, {"init"}} {
			if words := h.says(1, args...); !strings.Contains(words, "the journal is missing") || !strings.Contains(words, "kms-online restore FILE") {
				t.Errorf("%s: %s: %s", name, args, words)
			}
		}
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			t.Errorf("%s: a journal was made", name)
		}
		h.run(0, "restore", backup)
		h.wants(1, "signed", "")
	}
	h.loses()
	if err := os.WriteFile(path, idle, 0o600); err != nil {
		t.Fatal(err)
	}
	if words := h.says(0, "init"); strings.Contains(words, "a new relay") {
		t.Error(words)
	}
	h.run(0, "restore", backup) // over one that never had an item
	h.wants(1, "signed", "")
	h.run(1, "restore", backup)
}

// A restored journal says so until a person has dealt with that; what was made
// after the restore is not in doubt.
func restoredSaysSo(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	h.loses()
	h.run(0, "restore", backup)
	h.alarms("restored")
	const words = "this journal was restored at 20"
	for _, args := range [][]string{{"status"}, {"checkconfig"}, {"report"}} {
		if got := h.says(0, args...); !strings.Contains(got, words) || !strings.Contains(got, "from a backup of 20") || !strings.Contains(got, "not on record") {
			t.Errorf("%s: %s", args, got)
		}
	}
	if out := string(h.run(0, "status", relaytest.ID(1))); !strings.Contains(out, `"restored": "`+words) {
		t.Error(out)
	}
	h.run(0, "acknowledge", "1", "--why", "all results are in")
	if got := h.says(0, "status"); strings.Contains(got, "not on record") {
		t.Error(got)
	}
	h.sql("UPDATE restores SET made = made - 172800, at = at - 172800")
	late := fmt.Sprintf("%08x%016x", time.Now().Unix(), 3) // made after the restore
	h.pay(nil, 2)                                          // the lost journal may have had it
	h.pay(func(tx map[string]any) { tx["id"] = late }, 3)
	h.cross(0)
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice("--external-url", "none")
	if s := h.wants(2, "signed", "signed-after-drop"); !strings.Contains(s.Reason, "his journal was restored at 20") || !strings.Contains(s.Reason, "may be paid") {
		t.Errorf("%+v", s)
	}
	if out := string(h.run(0, "status", late)); !strings.Contains(out, "It was not sent from here") || strings.Contains(out, "restored at") {
		t.Error(out)
	}
}

// Another id asks for the very transaction of one that was given up: nobody is
// paid, and a person may have it pay the other one, once.
func sameAsGivenUp(t *testing.T) {
	h := newTeller(t)
	approvals := newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	if s := h.wants(1, "failed", "disarmed"); s.Withheld == "dropping" || s.Withheld == "reject-pending" {
		t.Errorf("%+v", s)
	}
	approvals.no.Store(false)
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), func(tx map[string]any) { tx["id"] = relaytest.ID(2) }))
	h.cross(0)
	h.run(3, "broadcast")
	if s := h.wants(2, "failed", "same-transaction"); !strings.Contains(s.Reason, "neither is paid") || !strings.Contains(s.Reason, "kms-online retry "+relaytest.ID(2)) || strings.Contains(s.Reason, "that pays "+relaytest.ID(1)) {
		t.Errorf("%+v", s)
	}
	h.sends(0)
	h.run(0, "retry", relaytest.ID(2))
	h.run(0, "broadcast")
	h.sends(1)
	h.wants(2, "completed", "")
	h.run(0, "watch")
	h.wants(1, "failed", "disarmed")
	if words := h.says(1, "retry", relaytest.ID(1)); !strings.Contains(words, "one payment does not settle two") {
		t.Error(words)
	}
	h.wants(1, "failed", "disarmed")
}
