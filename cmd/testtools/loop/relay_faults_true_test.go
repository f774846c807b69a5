//go:build unix

package loop

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// trueFaults are about what the relay says that is not so, and advice that leads
// nowhere.
func trueFaults() []fault {
	return []fault{
		{"130a-a-yes-is-for-one-request", yesForOneRequest},
		{"131a-a-request-that-was-replaced", replacedRequest},
		{"131b-a-request-that-signed-what-was-given-up", givenUpRequest},
		{"131c-what-a-person-decided-is-on-record", decidedOnRecord},
		{"131d-given-up-and-paid-is-one-alarm", givenUpAndPaid},
		{"131e-a-wish-to-reject-that-came-too-late", wishTooLate},
		{"132a-a-result-of-items-that-a-restore-lost", resultOfLostItems},
		{"132b-an-old-result-is-imported-again", oldResultAgain},
		{"132c-a-broadcast-that-was-cut-short", broadcastInPart},
		{"132d-dead-and-listed-says-what-can-be-done", deadAndListedSays},
		{"132e-small-words", wordsLeadOn},
		{"133a-what-is-typed-before-a-question-is-no-answer", typedAhead},
	}
}

// The approval service says no after a payment was exported: another request is not
// made of it, and the service is asked again each time.
func yesForOneRequest(t *testing.T) {
	h := newTeller(t)
	approvals := newService(t, false, "application/json", "")
	usb := filepath.Join(h.dir, "usb")
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb, "--external-url", approvals.url)
	h.run(0, "export", "--out", usb, "--again")
	approvals.no.Store(true)
	has(t, h.says(3, "export", "--out", usb, "--again"), "four-eye-refused", `"request": null`)
	if s := h.item(1); s.Withheld != "four-eye-refused" {
		t.Errorf("%+v", s)
	}
}

// A request that another one has replaced has no result.
func replacedRequest(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.pay(nil, 2)
	h.run(0, "fetch")
	words := h.says(0, "export", "--again", "--out", usb)
	has(t, words, "was replaced by a newer request: sign that one; it is in ")
	if strings.Contains(words, "its result") {
		t.Error(words)
	}
	if err := os.RemoveAll(filepath.Join(usb, "done")); err != nil {
		t.Fatal(err)
	}
	h.sign(usb)
	has(t, h.says(0, "import", usb), "has its result; it is in ")
}

// A result signs what was rejected meanwhile: its request is not done with, it is not
// to be signed again.
func givenUpRequest(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.sign(usb)
	has(t, h.says(3, "import", usb), "must not be signed any more ("+relaytest.ID(1))
	if void, done := requestsIn(usb, "void"), requestsIn(usb, "done"); void != 1 || done != 0 {
		t.Errorf("%d void, %d done", void, done)
	}
}

// Who decided, and why, is kept with the alarm that this closes; what was held says so
// no more once it is not held.
func decidedOnRecord(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Change(relaytest.ID(1), "id", relaytest.ID(9)) // it is not at Tatum any more
	h.twice()
	h.retries(1)
	if s := h.wants(1, "signed", ""); s.Reason != "" || s.Withheld != "" {
		t.Errorf("%+v", s)
	}
	type alarm struct{ By, Why string }
	var list []alarm
	h.pay(nil, 2)
	usb := t.TempDir()
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.run(0, "reject", relaytest.ID(2), "--why", "a mistake")
	h.sign(usb)
	h.run(3, "import", usb)
	h.run(0, "reject", relaytest.ID(2), "--why", "copies destroyed")
	if err := json.Unmarshal(h.run(0, "alarms", "--all"), &list); err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, why := range []string{"retry", "reject: copies destroyed"} {
		if a := list[i]; a.By == "" || a.By == "unknown" || a.Why != why {
			t.Errorf("%+v, want %s", a, why)
		}
	}
}

// A person gives up what Tatum does not have any more, takes that back, and the
// network has it. Nobody dropped it, and one alarm is about it; broadcast does not say
// that it is completed at Tatum.
func givenUpAndPaid(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Change(relaytest.ID(1), "id", relaytest.ID(9))
	h.twice()
	h.run(0, "reject", relaytest.ID(1), "--why", "paid by hand", "--gone")
	h.run(0, "retry", relaytest.ID(1))
	if s := h.wants(1, "signed", "given-up"); strings.Contains(s.Reason, "dropped at Tatum") {
		t.Error(s.Reason)
	}
	h.run(3, "broadcast")
	if s := h.item(1); strings.Contains(s.Reason, "dropped at Tatum") {
		t.Error(s.Reason)
	}
	h.run(0, "reject", relaytest.ID(1), "--why", "paid by hand", "--gone")
	h.server.Chain(h.signedHex(1))
	h.run(3, "watch")
	h.alarms("paid-but-rejected")
	h.run(3, "broadcast")
	if words := h.alarm("paid-but-rejected"); strings.Contains(words, "somebody dropped") ||
		!strings.Contains(words, "somebody sent a copy") {
		t.Error(words)
	}
	h.server.Mine(12)
	h.run(0, "acknowledge", "3", "--why", "booked")
	h.run(0, "watch")
	var got struct{ Completed, Ended []string }
	err := json.Unmarshal(h.run(0, "broadcast"), &got)
	if err != nil || len(got.Completed) != 0 || len(got.Ended) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	h.wants(1, "completed", "paid-but-rejected")
}

// A payment is handed to the network; then the approval service says no, and a person
// wants it rejected, which is too late. It turns up.
func wishTooLate(t *testing.T) {
	h := newTeller(t)
	h.handedAndHeld(nil)
	h.run(1, "reject", relaytest.ID(1), "--why", "as the service says")
	h.server.Chain(h.signedHex(1))
	h.run(3, "broadcast")
	s := h.wants(1, "completed", "")
	if s.Withheld != "" {
		t.Errorf("%+v", s)
	}
	h.alarms("paid-but-refused")
	words := h.alarm("paid-but-refused")
	if has(t, words, "said no", "It was handed to the network from here at 20"); strings.Contains(words, "copy") {
		t.Error(words)
	}
}

// A restored journal lacks two payments, and Tatum lists them no more. The stick has
// their result, and their request where import has moved it to; then not even that.
func resultOfLostItems(t *testing.T) {
	for name, there := range map[string]bool{"request in done": true, "no request": false} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			backup, usb := filepath.Join(h.dir, "backup"), t.TempDir()
			h.run(0, "backup", backup)
			h.pay(nil, 1, 2)
			h.run(0, "fetch")
			h.run(0, "export", "--out", usb)
			h.sign(usb)
			h.run(0, "import", usb)
			txid := h.wants(1, "signed", "").TxID
			h.run(0, "broadcast")
			h.restores(backup)
			h.run(0, "acknowledge", "1", "--why", "seen")
			if !there {
				if err := os.RemoveAll(filepath.Join(usb, "done")); err != nil {
					t.Fatal(err)
				}
			}
			words := h.says(3, "import", usb)
			if has(t, words, "not-in-journal", "may be paid"); strings.Contains(words, txid) != there ||
				strings.Contains(words, "belongs to another relay") {
				t.Error(words)
			}
			h.alarms("not-in-journal not-in-journal")
			has(t, h.says(3, "status", relaytest.ID(1)), relaytest.ID(1)+" is not in this journal; alarm ",
				"open: not-in-journal: ALARM")
			h.run(0, "acknowledge", "2", "3", "--why", "found in an explorer")
			h.run(0, "import", usb)
			h.alarms("")
		})
	}
}

// A result with a refusal is imported again, long after that was dealt with, beside a
// new one.
func oldResultAgain(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	requests, _ := filepath.Glob(filepath.Join(usb, "*.kmsreq"))
	file, err := os.ReadFile(requests[0])
	if err != nil {
		t.Fatal(err)
	}
	req, err := bundle.OpenRequest(file)
	if err != nil {
		t.Fatal(err)
	}
	refused := h.signer.Sign(req, relaytest.Refuse(relaytest.ID(1), chain.RefusedByPerson))
	if err := os.WriteFile(filepath.Join(usb, "old.kmsres"), refused, 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(3, "import", usb)
	h.run(0, "retry", relaytest.ID(1))
	has(t, h.says(0, "export", "--out", usb), "fetched and not prepared yet: 1; kms-online fetch prepares them")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	h.run(0, "broadcast")
	has(t, h.says(0, "import", usb), "was imported before")
}

// Somebody types before setup has asked for the folder of the stick.
func typedAhead(t *testing.T) {
	h := newTeller(t)
	ahead, meant := t.TempDir(), t.TempDir()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if _, err := io.WriteString(master, ahead+"\n"); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(h.bin, "kms-online"),
		"--state", filepath.Join(h.dir, "relay"), "--testnet", "setup")
	cmd.Env, cmd.Stdin = h.env(), slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	shown := bufio.NewReader(master)
	for text := ""; !strings.HasSuffix(text, "such as /media/usb:"); {
		b, err := shown.ReadByte()
		if err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		text += string(b)
	}
	_, _ = io.WriteString(master, meant+"\n")
	go func() { _, _ = io.Copy(io.Discard, shown) }()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for dir, want := range map[string]bool{ahead: false, meant: true} {
		if _, err := os.Stat(filepath.Join(dir, "relay.kmsid")); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// Of two API keys one is revoked, the one called default: what the other fetched is
// sent, and the command says which key failed.
func broadcastInPart(t *testing.T) {
	h := newTeller(t)
	keys := filepath.Join(h.dir, "keys")
	text := "default testnet " + tatumtest.Key + "\nother testnet another-key\n"
	if err := os.WriteFile(keys, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.pay(nil, 1, 2)
	denied := ""
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		key, n := r.Header.Get("x-api-key"), 1
		if key == "another-key" {
			n = 2
		}
		switch r.Header.Set("x-api-key", tatumtest.Key); {
		case key == denied:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"statusCode":401,"errorCode":"subscription.invalid","message":"no"}`)
		case strings.HasPrefix(r.URL.Path, "/v3/kms/pending/"): // each lists its own
			_, _ = fmt.Fprintf(w, "[%s]", h.signer.Payment(n, h.signer.Funding(n), nil))
		default:
			return false
		}
		return true
	})
	h.run(0, "fetch", "--api-key-file", keys)
	h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
	h.sign(filepath.Join(h.dir, "usb"))
	h.run(0, "import", filepath.Join(h.dir, "usb"))
	denied = tatumtest.Key
	has(t, h.says(1, "fetch", "--api-key-file", keys), "API key default: ")
	has(t, h.says(3, "broadcast", "--api-key-file", keys), `API key "default"`, `"completed": [`, relaytest.ID(2))
	h.wants(2, "completed", "")
	h.wants(1, "signed", "network")
}

// What is dead, and listed by Tatum all the same, is not said to be dropped by a command
// that refuses.
func deadAndListedSays(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.rival(1, relaytest.Payee(1)) // pays the same address: reject refuses
	h.server.Mine(8)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice()
	h.wants(1, "failed", "inputs-spent")
	h.run(0, "acknowledge", "1", "--why", "seen")
	words := h.says(3, "fetch")
	has(t, words, "rejected-but-listed", "and says what is missing until then")
	if strings.Contains(words, "Drop it there") {
		t.Error(words)
	}
}

// Words about what did not work lead on.
func wordsLeadOn(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.answers(answer{"", "<html>", 502})
	has(t, h.says(30, "reject", relaytest.ID(1), "--why", "a mistake"), "withheld from now on",
		"kms-online retry "+relaytest.ID(1))
	h.server.Fault(nil)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	usb := t.TempDir()
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	h.run(0, "broadcast")
	has(t, h.says(1, "reject", relaytest.ID(2), "--why", "too late"),
		"is completed, and the network has its transaction "+h.item(2).TxID)

	nowhere := filepath.Join(h.dir, "nowhere")
	words := h.says(1, "backup", filepath.Join(nowhere, "x"))
	if has(t, words, nowhere, "folder does not exist", "mount"); strings.Contains(words, ".part") {
		t.Error(words)
	}
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	has(t, h.says(1, "backup", backup), "never written over")
	has(t, h.typed(1, "status", "--state", nowhere), "mount it", "init")

	lines, err := csv.NewReader(strings.NewReader(string(h.run(0, "report", "--csv")))).ReadAll()
	if err != nil || len(lines) < 3 || lines[0][len(lines[0])-1] != "fee" || lines[2][len(lines[2])-1] != "0.00001000" {
		t.Errorf("%q, %v", lines, err)
	}
}
