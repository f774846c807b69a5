//go:build unix

package loop

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// hintFaults are about what a person reads who uses the relay for the first time:
// what failed, and what to type next.
func hintFaults() []fault {
	return []fault{
		{"80a-a-page-is-described", pageIsDescribed},
		{"80b-what-import-takes", whatImportTakes},
		{"80c-ids-that-are-not-here", idsNotHere},
		{"80d-one-of-two-ids-is-unknown", oneUnknown},
		{"80e-nothing-to-watch", nothingToWatch},
		{"80f-what-is-held-says-what-to-type", heldSaysWhat},
		{"80g-completed-with-another-txid-says-what-to-do", otherTxIDSaysWhat},
		{"80h-lost-stick-with-two-requests", lostStickOfTwo},
	}
}

// A proxy answers in Tatum's place: what came is named by its status and type, and
// none of it is shown.
func pageIsDescribed(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	for _, status := range []int{200, 302, 401, 403, 404, 407} {
		h.server.Fault(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html><h1>Blocked by Example</h1>")
			return true
		})
		for _, args := range [][]string{{"fetch"}, {"reject", relaytest.ID(1), "--why", "a mistake"}} {
			words := h.says(30, args...)
			if strings.Contains(words, "<") || strings.Contains(words, "Example") || !strings.Contains(words, "--api-url") {
				t.Errorf("%d: %s: %s", status, args, words)
			}
			if what := `content type "text/html" came, which is not Tatum's answer`; status != 302 && !strings.Contains(words, what) {
				t.Errorf("%d: %s: %s", status, args, words)
			}
		}
	}
	h.server.Fault(nil)
	h.run(0, "retry", relaytest.ID(1)) // takes the wish to reject it back
	h.cross(0)
	h.run(0, "broadcast")
}

// A stick with two requests is lost: another one gets both, the same files, so
// that no payment is left behind.
func lostStickOfTwo(t *testing.T) {
	h := newTeller(t)
	var lost []string
	for n := 1; n <= 2; n++ {
		h.pay(nil, n)
		h.run(0, "fetch")
		lost = append(lost, h.written()...)
	}
	slices.Sort(lost) // names of one second are in no order
	again := h.written()
	if len(lost) != 2 || !slices.Equal(again, lost) {
		t.Errorf("written again %v, want %v", again, lost)
	}
}

// written exports to a new folder, and returns the names of what is there.
func (h *teller) written() (names []string) {
	h.Helper()
	dir := h.TempDir()
	h.run(0, "export", "--out", dir)
	files, err := os.ReadDir(dir)
	if err != nil {
		h.Fatal(err)
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".kmsreq" {
			names = append(names, f.Name())
		}
	}
	return names
}

// has wants all of some words in a text.
func has(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("not said: %q\n%s", w, text)
		}
	}
}

// A folder that is missing, one without results, and a request in place of its
// result.
func whatImportTakes(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	has(t, h.says(1, "import", filepath.Join(h.dir, "gone")), "gone", "mount the stick", "kms-offline sign ")
	has(t, h.says(0, "import", usb), "no *.kmsres", "kms-offline sign ")
	requests, _ := filepath.Glob(filepath.Join(usb, "*.kmsreq"))
	has(t, h.says(22, append([]string{"import"}, requests...)...), "a request, not a result", "*.kmsres", "kms-offline sign FILE.kmsreq --out DIR")
	has(t, h.says(22, append([]string{"pair"}, requests...)...), "a request, not a watch file", "kms-offline watch --out signer.kmswatch")
}

// A restored journal has one of the two items of a result: the other one is named,
// not passed over.
func idsNotHere(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	p.pay(1)
	p.must("fetch")
	backup := filepath.Join(p.dir, "b.kmsbackup")
	p.must("backup", backup)
	p.pay(2)
	p.must("fetch")
	result := p.result(p.export(), nil)
	p.lose("")
	p.must("restore", backup)
	var imported struct {
		Imported int
		Problems []struct{ ID, Code, Reason string }
	}
	got := p.run("import", result)
	if err := json.Unmarshal([]byte(got.out), &imported); err != nil || got.code != 3 || imported.Imported != 1 || len(imported.Problems) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if x := imported.Problems[0]; x.ID != relaytest.ID(2) || x.Code != "not-in-journal" {
		t.Errorf("%+v", x)
	}
	has(t, imported.Problems[0].Reason, "it is signed, and may be paid", "run fetch")
	has(t, got.err, "1 of the 2 pending ids in this result are not in the journal")
	p.must("fetch")
	p.json(&imported, "import", result)
	if imported.Imported != 1 || len(imported.Problems) != 0 {
		t.Errorf("%+v", imported)
	}
}

// What is known is shown; what is not is named.
func oneUnknown(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	stranger := relaytest.ID(7)
	words := h.says(3, "status", relaytest.ID(1), stranger)
	has(t, words, relaytest.ID(1)+"  BTC", stranger, "no such item in the journal", "kms-online status --all")
	var list []itemStatus
	if err := json.Unmarshal(h.run(3, "status", stranger, relaytest.ID(1)), &list); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if words := h.says(3, "status", stranger); strings.Contains(words, "CHAIN") {
		t.Error(words)
	}
	has(t, h.says(1, "export", "--out", h.dir, relaytest.ID(1), stranger, relaytest.ID(8)), stranger, relaytest.ID(8))
}

func nothingToWatch(t *testing.T) {
	h := newTeller(t)
	has(t, h.says(2, "watch", "--confirmations", "0"), "leaves nothing to watch", "kms-online watch --confirmations 6")
	h.run(0, "watch")
}

// alarm is the reason of the only open alarm.
func (h *teller) alarm(code string) string {
	h.Helper()
	var list []struct{ Code, Reason string }
	if err := json.Unmarshal(h.run(3, "alarms"), &list); err != nil || len(list) != 1 || list[0].Code != code {
		h.Fatalf("%+v, %v", list, err)
	}
	return list[0].Reason
}

// The daemon takes a signature for what was rejected: what it says has the
// commands, as that of import does.
func heldSaysWhat(t *testing.T) {
	h := newTeller(t)
	usb := filepath.Join(h.dir, "usb")
	h.pay(nil, 1)
	h.run(0, "daemon", "--runOnce", "--drop", usb)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.sign(usb)
	h.run(3, "daemon", "--runOnce", "--drop", usb)
	commands := []string{"kms-online reject " + relaytest.ID(1) + " --why TEXT", "kms-online retry " + relaytest.ID(1), "kms-online acknowledge ALARM"}
	has(t, h.wants(1, "failed", "signed-after-drop").Reason, commands...)
	has(t, h.alarm("signed-after-drop"), commands...)
	done, _ := filepath.Glob(filepath.Join(usb, "done", "*.kmsres"))
	if len(done) == 0 {
		entries, _ := os.ReadDir(usb)
		t.Errorf("no result in done: %v", entries)
	}
}

// Tatum has it as completed by a transaction that is not ours, once signed and
// once not.
func otherTxIDSaysWhat(t *testing.T) {
	other := strings.Repeat("ab", 32)
	for _, signed := range []bool{true, false} {
		h := newTeller(t)
		h.pay(nil, 1)
		h.run(0, "fetch")
		if signed {
			h.cross(0)
		}
		h.server.Change(relaytest.ID(1), "txId", other)
		h.run(3, map[bool]string{true: "broadcast", false: "fetch"}[signed])
		has(t, h.alarm("completed-with-other-txid"), other, "Do not have it paid anew", "do not retry it", "block explorer that is not Tatum's", "kms-online acknowledge ALARM", "kms-online watch")
		if slices.Contains(h.server.Sent(), other) || len(h.server.Sent()) > 0 {
			t.Error("it was sent")
		}
	}
}
