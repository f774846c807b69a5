//go:build unix

package loop

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// spellingFaults are about a pending id that Tatum lists in another letter case.
func spellingFaults() []fault {
	return []fault{
		{"141a-an-id-in-capitals-first", capitalsFirst},
		{"141b-a-journal-with-an-id-in-capitals", capitalsJournaled},
		{"141c-a-journal-with-a-signed-id-in-capitals", capitalsSigned},
		{"141d-a-journal-with-both-spellings", bothSpellings},
	}
}

var capitals = strings.ToUpper(twinned)

// calledTwinned makes a payment under an id with letters in it.
func calledTwinned(p map[string]any) { p["id"] = twinned }

// Tatum's list has the id of a payment in capitals, once alone and then beside the true
// one. The payment is taken as soon as it is listed as Tatum writes it, and made once.
func capitalsFirst(t *testing.T) {
	h := newTeller(t)
	h.pay(calledTwinned, 1)
	list := func(change func(string) string) {
		h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/v3/kms/pending/BTC") {
				return false
			}
			rec := httptest.NewRecorder()
			h.server.Serve(rec, r)
			_, _ = io.WriteString(w, change(strings.TrimSpace(rec.Body.String())))
			return true
		})
	}
	list(func(good string) string { return strings.ReplaceAll(good, twinned, capitals) })
	for range 2 {
		if words := h.says(3, "fetch"); !strings.Contains(words, "small letters") {
			t.Error(words)
		}
	}
	h.run(3, "status", capitals)
	h.alarms("")
	list(func(good string) string {
		return strings.TrimSuffix(good, "]") + "," + strings.ReplaceAll(strings.TrimPrefix(good, "["), twinned, capitals)
	})
	h.run(3, "fetch")
	h.alarms("same-id")
	h.run(0, "acknowledge", "1", "--why", "told Tatum")
	for range 2 {
		h.run(3, "fetch")
		h.alarms("")
	}
	h.pays1()
}

// pays1 has all that is prepared signed and sent, which is one payment under the id
// that Tatum has.
func (h *teller) pays1() {
	h.Helper()
	h.server.Fault(nil)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	h.run(0, "broadcast", twinned)
	h.sends(1)
	if h.server.TxID(twinned) == "" {
		h.Error("it is not paid")
	}
}

// TestMakeSpellingJournals writes testdata/spelling: what a version that took ids in
// capitals left. It is kept to show how the files were made.
func TestMakeSpellingJournals(t *testing.T) {
	old := os.Getenv(oldEnv)
	if old == "" {
		t.Skip(oldEnv + " names no program")
	}
	for _, name := range []string{"prepared", "signed", "both"} {
		h := newTellerOf(t, filepath.Dir(old))
		first := capitals
		if name == "both" { // which the version before that one took
			first = strings.Replace(capitals, "B", "C", 1)
			h.pay(calledTwinned, 2)
		}
		h.pay(func(p map[string]any) { p["id"] = first }, 1)
		if name != "signed" {
			h.run(0, "fetch")
		} else {
			h.cross(0)
		}
		if name == "both" {
			var same string
			h.query("SELECT sql FROM sqlite_master WHERE name = 'items_same'", &same)
			for _, query := range []string{
				"DROP TRIGGER items_same", "UPDATE items SET twin = 1, withheld = 'same-id' WHERE id = '" + twinned + "'",
				"UPDATE items SET id = '" + capitals + "' WHERE id = '" + first + "'", same,
				"INSERT INTO alarms (item, code, evidence, reason, raised, seen) " +
					"VALUES ('" + capitals + "', 'same-id', '" + twinned + "', 'as it was', 1, 1)",
			} {
				h.sql(query)
			}
		}
		h.sql("PRAGMA wal_checkpoint(TRUNCATE)")
		relay := filepath.Join(h.dir, "relay")
		journal, err := os.ReadFile(filepath.Join(relay, "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(filepath.Join(relay, "identity.key"))
		if err != nil {
			t.Fatal(err)
		}
		for file, b := range map[string][]byte{name + ".gz": packed(journal), name + ".key": key} {
			if err := os.WriteFile(filepath.Join("testdata", "spelling", file), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// older is a relay on one of these journals, of a payment that Tatum lists as it writes
// it.
func older(t *testing.T, name string, n int) *teller {
	t.Helper()
	h := newTeller(t)
	key, err := os.ReadFile(filepath.Join("testdata", "spelling", name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	relay := filepath.Join(h.dir, "relay")
	for file, b := range map[string][]byte{
		"journal.db": unpacked(t, "spelling/"+name+".gz"), "identity.key": key, "journal.db-wal": nil,
	} {
		if err := os.WriteFile(filepath.Join(relay, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.pay(calledTwinned, n)
	return h
}

// What was in no request is no hindrance.
func capitalsJournaled(t *testing.T) {
	h := older(t, "prepared", 1)
	h.run(0, "fetch")
	h.alarms("same-id")
	for range 2 { // it is no way to have the payment cancelled
		h.run(0, "reject", capitals, "--why", "a spelling")
	}
	h.dropped(0)
	h.run(0, "fetch")
	h.alarms("")
	h.pays1()
	if words := h.says(1, "retry", capitals); !strings.Contains(words, "rejected") {
		t.Error(words)
	}
}

// What was signed may be paid: a person decides, and only then is the payment made.
func capitalsSigned(t *testing.T) {
	h := older(t, "signed", 1)
	h.run(0, "fetch")
	h.run(3, "broadcast")
	h.sends(0)
	h.run(0, "export", "--out", t.TempDir())
	if s := h.withheld(twinned); s != "same-id" {
		t.Errorf("withheld: %q", s)
	}
	if words := h.says(1, "retry", twinned); !strings.Contains(words, "reject "+capitals) {
		t.Error(words)
	}
	if words := h.says(1, "retry", capitals); !strings.Contains(words, "the payment is "+twinned) {
		t.Error(words)
	}
	h.run(0, "reject", capitals, "--why", "a spelling")
	h.dropped(0)
	h.run(0, "retry", twinned)
	h.run(0, "fetch")
	usb := t.TempDir()
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	h.run(3, "broadcast") // its transaction is that of the other, which was never sent
	h.sends(0)
	h.run(0, "retry", twinned)
	h.run(0, "broadcast", twinned)
	h.sends(1)
	if h.server.TxID(twinned) == "" {
		t.Error("it is not paid")
	}
}

// withheld is what an item is withheld for.
func (h *teller) withheld(id string) (code string) {
	h.Helper()
	h.query("SELECT withheld FROM items WHERE id = '"+id+"'", &code)
	return code
}

// query reads one value from the journal.
func (h *teller) query(query string, into any) {
	h.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, "relay", "journal.db"))
	if err == nil {
		err = db.QueryRow(query).Scan(into)
		_ = db.Close()
	}
	if err != nil {
		h.Fatal(err)
	}
}

// An older version has taken the capitals first, and holds the payment for it.
func bothSpellings(t *testing.T) {
	h := older(t, "both", 2)
	h.server.Chain(relaytest.Hex(h.signer.Funding(1))) // what the other asks to spend
	h.run(0, "fetch")
	h.alarms("same-id")
	if s := h.withheld(twinned) + " " + h.withheld(capitals); s != " same-id" {
		t.Errorf("withheld: %s", s)
	}
	h.run(0, "reject", capitals, "--why", "a spelling")
	h.dropped(0)
	h.pays1()
}
