//go:build unix

package loop

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// decisionFaults are about what was sent or given up, and who decided so.
func decisionFaults() []fault {
	return []fault{
		{"30a-sent-vetoed-and-rejected", func(t *testing.T) { sentThenRejected(t, nil) }},
		{"30b-withdrawal-sent-vetoed-and-rejected", func(t *testing.T) { sentThenRejected(t, withdrawn) }},
		{"30c-a-copy-of-what-was-disarmed-is-sent", disarmedIsPaid},
		{"30d-a-copy-of-what-was-rejected-is-sent", rejectedIsPaid},
		{"31a-signed-for-content-that-changed", changedIsHeld},
		{"31b-content-changes-after-import", changedAfterImport},
		{"32-acknowledge-frees-nothing", acknowledgeFreesNothing},
		{"33a-sent-is-not-called-unsent", sentIsSaid},
		{"33b-withdrawal-sent-is-not-called-unsent", withdrawalSentIsSaid},
		{"34-another-service-lifts-no-veto", otherServiceLiftsNothing},
		{"35-a-veto-outlives-reject-and-retry", vetoOutlives},
		{"36-a-wish-to-reject-is-kept", wishIsKept},
		{"37-rejected-again-after-it-was-signed", rejectedAgain},
		{"38-withdrawals-that-differ-in-case", withdrawalCase},
	}
}

// service is an approval service that says yes or no.
type service struct {
	url string
	no  atomic.Bool
}

func newService(t *testing.T, no bool, kind, body string) *service {
	s := &service{}
	s.no.Store(no)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		if s.no.Load() {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// losing lets item n reach the network, loses the reply, and has the index lag.
func (h *teller) losing(n int) {
	h.Helper()
	bytes := h.signedHex(n)
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		switch path := r.Method + " " + r.URL.Path; {
		case r.Method == http.MethodPost && strings.HasSuffix(path, "/broadcast"):
			h.server.Chain(bytes)
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/"):
			w.WriteHeader(404)
			_, _ = io.WriteString(w, noTx)
		default:
			return false
		}
		return true
	})
}

var lag = answer{"GET /v3/bitcoin/transaction/", noTx, 404}

const gone = `{"errorCode":"kms.missing","message":"no such"}`

// dropped checks how many times the relay has called DELETE /v3/kms.
func (h *teller) dropped(times int) {
	h.Helper()
	if n := h.server.Calls("DELETE /v3/kms/"); n != times {
		h.Errorf("%d drops at Tatum, want %d", n, times)
	}
}

// sends wants so many sends.
func (h *teller) sends(times int) {
	h.Helper()
	if n := len(h.server.Sent()); n != times {
		h.Errorf("%d sends, want %d", n, times)
	}
}

// Sent, the reply lost, the index lags; then the approval service says no, and
// a person rejects: nothing is dropped, for that would give the amount back of
// what is paid.
func sentThenRejected(t *testing.T, change func(map[string]any)) {
	h, approvals := newTeller(t), newService(t, false, "application/json", "")
	h.signed(change, 1)
	h.losing(1)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	approvals.no.Store(true)
	h.answers(lag)
	h.run(3, "broadcast")
	h.wants(1, "signed", "four-eye-refused")
	h.run(1, "reject", relaytest.ID(1), "--why", "as the service says")
	h.dropped(0)
	if s := h.wants(1, "signed", "four-eye-refused"); s.Withheld != "reject-pending" {
		t.Errorf("%+v", s)
	}
	h.run(3, "broadcast")
	h.alarms("signed-after-drop")
	h.server.Fault(nil)
	h.server.Mine(8)
	h.run(1, "reject", relaytest.ID(1), "--why", "once more") // the network has it
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("signed-after-drop(healed)")
	h.dropped(0)
}

// What was disarmed and never sent from here is watched: a copy is sent.
func disarmedIsPaid(t *testing.T) {
	h, approvals := newTeller(t), newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	h.wants(1, "failed", "disarmed")
	h.dropped(1)
	h.run(0, "watch")
	txid := h.server.Chain(h.signedHex(1))
	h.run(3, "watch")
	h.wants(1, "broadcast", "")
	h.alarms("paid-but-rejected")
	h.run(3, "broadcast")
	h.alarms("paid-but-rejected")
	h.server.Forget(txid)
	h.run(3, "watch")
	if n := h.server.Calls("POST /v3/bitcoin/broadcast"); n != 0 {
		t.Errorf("%d sends of what was given up", n)
	}
}

func rejectedIsPaid(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.sign(usb)
	h.run(3, "import", usb)
	h.run(0, "acknowledge", "1", "--why", "result destroyed")
	h.server.Chain(h.signedHex(1))
	var round struct{ Alarms map[string]int }
	if err := json.Unmarshal(h.run(3, "daemon", "--runOnce"), &round); err != nil || round.Alarms["paid-but-rejected"] != 1 {
		t.Errorf("%v, %+v", err, round)
	}
	h.wants(1, "broadcast", "")
}

// The old request is signed, though Tatum asks for something else by now.
func changedIsHeld(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1, 2)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.server.Change(relaytest.ID(1), "index", 7)
	h.server.Change(relaytest.ID(2), "index", 7)
	h.run(3, "fetch")
	h.run(3, "import", usb)
	h.run(3, "broadcast")
	h.wants(1, "signed", "signed-after-drop")
	h.run(0, "acknowledge", "1", "2", "3", "4", "--why", "seen")
	h.server.Change(relaytest.ID(2), "index", nil) // asks for it again: that is no decision
	h.run(3, "broadcast")
	h.sends(0)
	h.run(0, "reject", relaytest.ID(1), "--why", "changed")
	h.wants(1, "failed", "disarmed")
	h.server.Change(relaytest.ID(2), "index", 8)
	h.run(3, "broadcast") // a retry stands for what was seen
	h.retries(2)
	h.run(0, "broadcast")
	h.wants(2, "completed", "")
	h.sends(1)
	h.alarms("")
}

func changedAfterImport(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Change(relaytest.ID(1), "index", 7) // nobody fetches
	h.run(3, "broadcast")
	h.wants(1, "signed", "signed-after-drop")
	h.alarms("content-changed signed-after-drop")
	h.server.Change(relaytest.ID(1), "index", nil)
	h.run(3, "broadcast")
	h.sends(0)
	h.run(0, "reject", relaytest.ID(1), "--why", "changed")
	h.wants(1, "failed", "disarmed")
	h.alarms("")
}

// Tatum does not have it, and then has it again.
func acknowledgeFreesNothing(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1, 2)
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice()
	h.server.Fault(nil)
	h.run(3, "broadcast")
	h.wants(1, "signed", "signed-after-drop")
	h.run(0, "acknowledge", "3", "4", "--why", "must not be paid")
	h.run(3, "broadcast")
	h.sends(0)
	h.run(0, "retry", relaytest.ID(1))
	h.run(3, "broadcast") // of the other
	h.sends(1)
	h.wants(1, "completed", "")
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.run(3, "broadcast")
	h.retries(2) // although Tatum does not have it
	h.twice()
	h.sends(2)
	h.wants(2, "broadcast", "paid-but-cancelled")
}

func sentIsSaid(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.losing(1)
	h.run(3, "broadcast")
	h.answers(lag, answer{"GET /v3/kms/", gone, 403})
	h.twice()
	if s := h.wants(1, "signed", "signed-after-drop"); !strings.Contains(s.Reason, "handed to the network at") || strings.Contains(s.Reason, "not sent") {
		t.Errorf("%+v", s)
	}
	h.run(1, "reject", relaytest.ID(1), "--why", "gone there") // it may be paid
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("signed-after-drop(healed)")
}

func withdrawalSentIsSaid(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.losing(1)
	h.run(3, "broadcast")
	h.server.Cancel("w-1")
	refused := answer{"POST /v3/offchain/withdrawal/broadcast", `{"errorCode":"withdrawal.unexpected.state","message":"unexpected state"}`, 403}
	h.answers(lag, refused)
	h.run(3, "broadcast")
	if s := h.wants(1, "signed", "withdrawal-not-open"); !strings.Contains(s.Reason, "handed to the network at") {
		t.Errorf("%+v", s)
	}
	h.server.Fault(nil)
	h.run(3, "broadcast")
	h.alarms("withdrawal-not-open(healed) paid-but-cancelled")
}

// Any web server answers 200.
func otherServiceLiftsNothing(t *testing.T) {
	h, first := newTeller(t), newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--externalUrl", first.url)
	other := newService(t, false, "application/json", "{}")
	h.run(3, "broadcast", "--externalUrl", other.url)
	h.run(3, "broadcast", "--externalUrl", "none")
	h.wants(1, "signed", "four-eye-refused")
	h.run(3, "broadcast", "--externalUrl", newService(t, false, "text/html", "<html>Welcome").url)
	h.sends(0)
	first.no.Store(false)
	h.run(0, "broadcast", "--externalUrl", first.url)
	h.wants(1, "completed", "")

	page := newService(t, true, "text/html; charset=utf-8", "ok") // a page that would pass for a yes
	h.pay(nil, 2)
	h.run(0, "fetch")
	h.run(3, "export", "--out", filepath.Join(h.dir, "usb"), "--externalUrl", page.url)
	page.no.Store(false)
	h.run(3, "export", "--out", filepath.Join(h.dir, "usb"))
	if s := h.wants(2, "prepared", "four-eye-no-answer"); s.Withheld != "four-eye-refused" {
		t.Errorf("%+v", s)
	}
	h.run(0, "unveto", relaytest.ID(2), "--why", "by phone")
	h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
	h.wants(2, "exported", "")
}

func vetoOutlives(t *testing.T) {
	h, approvals := newTeller(t), newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.pay(nil, 2)
	h.run(0, "fetch")
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	h.run(3, "export", "--out", filepath.Join(h.dir, "usb"))
	h.run(1, "retry", relaytest.ID(2)) // a veto is for unveto
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	h.run(0, "broadcast", "--externalUrl", "none")
	h.run(0, "retry", relaytest.ID(1))
	if s := h.wants(1, "signed", "given-up"); s.Withheld != "given-up" {
		t.Errorf("%+v", s)
	}
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), nil)) // Tatum has it again
	h.run(3, "broadcast")
	h.retries(1)
	if s := h.wants(1, "signed", "signed-after-drop"); s.Withheld != "four-eye-refused" {
		t.Errorf("%+v", s)
	}
	h.run(3, "broadcast")
	h.sends(0)
	h.run(3, "export", "--out", filepath.Join(h.dir, "usb"), "--externalUrl", newService(t, false, "application/json", "").url)
	h.wants(2, "prepared", "four-eye-refused")
	h.run(0, "unveto", relaytest.ID(1), "--why", "by phone")
	h.run(0, "broadcast")
	h.sends(1)
}

// Tatum does not know it under this key, so nothing is dropped; it stays here
// all the same.
func wishIsKept(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.run(1, "reject", relaytest.ID(1), "--why", "a mistake")
	h.server.Fault(nil)
	h.run(0, "fetch")
	h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
	if s := h.wants(1, "prepared", ""); s.Withheld != "reject-pending" {
		t.Errorf("%+v", s)
	}
	h.run(0, "retry", relaytest.ID(1))
	if s := h.wants(1, "prepared", ""); s.Withheld != "" {
		t.Errorf("%+v", s)
	}
	h.answers(answer{"GET /v3/kms/", "<html>", 502})
	h.run(30, "reject", relaytest.ID(1), "--why", "a mistake")
	h.server.Fault(nil)
	h.run(0, "daemon", "--runOnce", "--drop", filepath.Join(h.dir, "usb"))
	h.wants(1, "prepared", "")
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.wants(1, "rejected", "refused-by-relay")
	h.dropped(1)
}

func rejectedAgain(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.answers(answer{"DELETE /v3/kms/", "<html>", 500})
	h.run(30, "reject", relaytest.ID(1), "--why", "a mistake")
	h.server.Fault(nil)
	h.sign(usb)
	h.run(3, "import", usb)
	h.run(3, "broadcast")
	h.wants(1, "signed", "signed-after-drop")
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.wants(1, "failed", "disarmed")
	h.alarms("")
	h.sends(0)
}

func withdrawalCase(t *testing.T) {
	h := newTeller(t)
	h.pay(withdrawn, 1)
	h.pay(func(p map[string]any) { p["withdrawalId"] = "W-1" }, 2)
	h.cross(3)
	h.wants(2, "refused", "same-withdrawal")
	h.run(0, "broadcast")
	h.sends(1)
}
