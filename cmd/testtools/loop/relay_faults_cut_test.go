//go:build unix

package loop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// cutFaults are about replies that were cut, lag behind, or do not have what was
// looked for: neither is an answer.
func cutFaults() []fault {
	return []fault{
		{"150a-a-yes-that-was-cut-is-none", cutYes},
		{"150b-a-record-that-lags-behind-the-payment", recordLags},
		{"150c-a-paid-withdrawal-is-cancelled", paidThenCancelled},
		{"150d-a-withdrawal-that-the-list-does-not-show", withdrawalNotListed},
		{"150e-a-record-that-lags-before-sending", recordLagsBefore},
		{"150f-the-very-same-again-heals", sameAgainHeals},
		{"150h-a-withdrawal-marked-in-vain", withdrawalMarkedInVain},
		{"150g-an-empty-chunk-is-no-yes", chunkedYes},
		{"150j-a-damaged-element-keeps-no-payment-out", damagedElement},
		{"150i-a-damaged-element-that-an-older-version-kept", damagedKept},
	}
}

// rawService answers each request with the bytes that reply holds, and hangs up.
func rawService(t *testing.T, reply *atomic.Value) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(c, reply.Load().(string))
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// The approval service dies behind the header of its reply: that is no yes, and
// lifts no no.
func cutYes(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
	var reply atomic.Value
	h, url := newTeller(t), rawService(t, &reply)
	out := filepath.Join(h.dir, "usb")
	h.pay(nil, 1)
	h.run(0, "fetch")
	for _, cut := range []string{header + "\r\n", "HTTP/1.0 200 OK\r\n\r\n", header + "\r\nOK"} {
		reply.Store(cut)
		h.run(3, "export", "--out", out, "--external-url", url)
		h.wants(1, "prepared", "four-eye-no-answer")
	}
	reply.Store(header + "Content-Length: 0\r\n\r\n")
	h.run(0, "export", "--out", out, "--external-url", url)
	h.sign(out)
	h.run(0, "import", out)
	reply.Store(header + "Content-Length: 18\r\n\r\n" + `{"approved":false}`)
	h.run(3, "broadcast")
	h.wants(1, "signed", "four-eye-refused")
	reply.Store(header + "\r\n")
	h.run(3, "broadcast")
	if s := h.item(1); s.Withheld != "four-eye-refused" {
		t.Errorf("%+v", s)
	}
	h.sends(0)
	reply.Store(header + "\r\n" + `{"approved":true}`)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// The approval service dies behind the header of its reply, and a reverse proxy closes
// that with the empty chunk: it lifts no no. Neither do words whose length nobody states.
func chunkedYes(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	var reply atomic.Value
	h, behind := newTeller(t), rawService(t, &reply)
	at, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(at))
	t.Cleanup(proxy.Close)
	h.signed(nil, 1)
	reply.Store(header + "Content-Length: 18\r\n\r\n" + `{"approved":false}`)
	h.run(3, "broadcast", "--external-url", proxy.URL)
	h.wants(1, "signed", "four-eye-refused")
	for _, cut := range []string{header + "Connection: close\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n",
		header + "Connection: close\r\n\r\nOK", header + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		header + "Content-Length: 1\r\n\r\n\n"} {
		reply.Store(cut)
		h.run(3, "broadcast")
		if s := h.item(1); s.Withheld != "four-eye-refused" || s.State != "signed" {
			t.Errorf("%q: %+v", cut, s)
		}
	}
	h.sends(0)
	reply.Store("HTTP/1.1 204 No Content\r\n\r\n")
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// lags has Tatum answer one of the next calls for records, after some others, that it
// has no such record.
func (h *teller) lags(after int) {
	calls := 0
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Method+" "+r.URL.Path, "GET /v3/kms/") {
			return false
		}
		if calls++; calls != after+1 {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, gone)
		return true
	})
}

// A replica of Tatum lags once behind the broadcast: nobody is told to correct an
// account. If it does so for long, that is an alarm, which heals.
func recordLags(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.lags(1)
	h.run(0, "broadcast") // the withdrawal itself is done, by ours
	h.wants(1, "completed", "")
	h.alarms("")

	h = newTeller(t)
	h.signed(nil, 1, 2)
	h.lags(1)
	h.run(3, "broadcast", relaytest.ID(2))
	h.wants(2, "broadcast", "not-marked")
	h.alarms("")
	h.run(0, "broadcast", relaytest.ID(2))
	h.wants(2, "completed", "")
	h.alarms("")
	h.lags(1)
	h.run(3, "broadcast")
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice()
	if s := h.wants(1, "broadcast", "paid-but-cancelled"); strings.Contains(s.Reason, "account") {
		t.Error(s.Reason)
	}
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("paid-but-cancelled(healed)")
}

// notOpen is Tatum's word about a withdrawal in a state.
func notOpen(prefix, state string) answer {
	return answer{prefix, fmt.Sprintf(`{"errorCode":"withdrawal.unexpected.state",`+
		`"message":"Withdrawal is in unexpected state %s, expected InProgress."}`, state), 403}
}

// A withdrawal is paid, and cancelled at Tatum: the record of the pending transaction
// does not take the txid, or Tatum says that it completed it.
func paidThenCancelled(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.server.Reply("failed")
	h.server.Cancel("w-1")
	h.answers(notOpen("PUT /v3/kms/", "Cancelled"))
	h.run(3, "broadcast")
	if s := h.wants(1, "broadcast", "paid-but-cancelled"); !strings.Contains(s.Reason, "correct the account") {
		t.Error(s.Reason)
	}
	h.alarms("paid-but-cancelled")

	h = newTeller(t)
	h.signed(withdrawn, 1)
	h.server.Cancel("w-1") // its reply to the broadcast says completed
	h.run(3, "broadcast")
	h.wants(1, "broadcast", "paid-but-cancelled")
	h.alarms("paid-but-cancelled")
}

// The list does not have a withdrawal that is done: it is empty, long, or one page
// again and again. That is no evidence that it was cancelled.
func withdrawalNotListed(t *testing.T) {
	var page []string
	for i := range 50 {
		page = append(page, fmt.Sprintf(`{"id":"other-%d","status":"Done"}`, i))
	}
	for _, list := range []string{"[]", "[" + strings.Join(page, ",") + "]"} {
		h := newTeller(t)
		h.signed(withdrawn, 1)
		h.server.Reply("incomplete")
		listed := answer{"GET /v3/offchain/withdrawal", list, 200}
		h.answers(listed, notOpen("PUT /v3/offchain/withdrawal/", "Odd"))
		h.run(3, "broadcast")
		h.wants(1, "broadcast", "not-marked")
		h.alarms("")
		if n := h.server.Calls("GET /v3/offchain/withdrawal"); n > 2 {
			t.Errorf("%d pages are read", n)
		}
		h.age("looks", "at", 601)
		h.run(3, "broadcast")
		if s := h.wants(1, "broadcast", "withdrawal-unclear"); strings.Contains(s.Reason, "correct the account") {
			t.Error(s.Reason)
		}
		h.answers(listed, notOpen("PUT /v3/offchain/withdrawal/", "Done"))
		h.run(0, "broadcast")
		h.wants(1, "completed", "")
		h.alarms("withdrawal-unclear(healed)")
	}
}

// Tatum does not have the record of a signed payment once, and has it again: it goes
// out by itself. If it lacks it for long, a person decides.
func recordLagsBefore(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.lags(0)
	h.run(3, "broadcast")
	h.wants(1, "signed", "unknown-at-tatum")
	h.sends(0)
	h.alarms("")
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("")

	h.signed(nil, 2)
	h.lags(0)
	h.run(3, "broadcast")
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice()
	h.wants(2, "signed", "signed-after-drop")
	h.server.Fault(nil)
	h.run(3, "broadcast")
	h.sends(1)
	if s := h.item(2); !strings.Contains(s.Reason, "by now it asks for the very same again") ||
		strings.Contains(s.Reason, "does not have it any more") {
		t.Error(s.Reason)
	}
	h.run(0, "retry", relaytest.ID(2))
	h.run(0, "broadcast")
	h.wants(2, "completed", "")
}

// What is not signed yet is changed at Tatum, and changed back: it goes on, and its
// alarm says so.
func sameAgainHeals(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.server.Change(relaytest.ID(1), "index", 7)
	h.run(3, "fetch")
	h.alarms("content-changed")
	h.server.Change(relaytest.ID(1), "index", nil)
	h.run(0, "fetch")
	h.alarms("content-changed(healed)")
	h.run(0, "acknowledge", "1", "--why", "key changed")
	h.cross(0)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// Tatum answers that it completed a withdrawal, without effect, and its list does not
// show that it is done by ours: it is looked at again, and then an alarm.
func withdrawalMarkedInVain(t *testing.T) {
	for _, list := range []string{`[]`, `null`, `[{"id":"w-1","status":"Failed"}]`, `[{"id":"w-1"}]`,
		`[{"id":"w-1","status":"Done"}]`, `[{"id":"w-1","status":"InProgress"}]`} {
		h := newTeller(t)
		h.signed(withdrawn, 1)
		if list != "[]" { // else its reply to the broadcast says completed
			h.server.Reply("incomplete")
		}
		txid := h.wants(1, "signed", "").TxID
		h.server.Change(relaytest.ID(1), "txId", txid)
		h.answers(answer{"GET /v3/offchain/withdrawal", list, 200}, answer{"PUT /v3/offchain/withdrawal/", "", 204})
		h.run(3, "broadcast")
		h.wants(1, "broadcast", "not-marked")
		h.alarms("")
		h.age("looks", "at", 601)
		h.run(3, "broadcast")
		s := h.wants(1, "broadcast", "withdrawal-unclear")
		if !strings.Contains(s.Reason, "look at Tatum") || strings.Contains(s.Reason, "correct the account") {
			t.Error(s.Reason)
		}
		h.server.Fault(nil)
		h.run(0, "broadcast")
		h.wants(1, "completed", "")
		h.alarms("withdrawal-unclear(healed)")
	}
}
