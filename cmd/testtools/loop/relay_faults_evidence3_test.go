//go:build unix

package loop

import (
	"os"
	"path/filepath"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// Three payments are rejected after they were exported. One is sent all the
// same, from another relay with the same journal; of one the inputs are spent by
// another payment; of one nothing is ever heard.
func rejectedIsWatched(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1, 2, 3)
	h.run(0, "fetch")
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	swap := h.twin()
	for n := range 3 {
		h.run(0, "reject", relaytest.ID(n+1), "--why", "a mistake")
	}
	raw := h.signedByTwin(swap, usb)
	h.run(0, "watch")
	h.wants(1, "rejected", "refused-by-relay")
	txid := h.server.Chain(raw)
	h.rival(2, []byte{0x51})
	h.server.Mine(8)
	h.run(0, "watch") // not due yet
	h.age("items", "retry_at", 1<<40)
	h.run(3, "watch")
	h.alarms("paid-but-rejected")
	h.wants(1, "rejected", "paid-but-rejected")
	h.run(0, "acknowledge", "1", "--why", "account corrected")
	h.age("items", "retry_at", 1<<40)
	h.age("looks", "at", 601)
	h.run(0, "watch")
	h.alarms("")
	if n := h.lookedFor(); n == 0 {
		t.Error("nothing is looked for any more, and one is open")
	}
	h.sql("UPDATE items SET outstanding = 1 WHERE id = '" + relaytest.ID(3) + "'")
	h.lookedFor()
	if n := h.lookedFor(); n != 0 {
		t.Errorf("%d looks when all has come to its end", n)
	}
	if h.server.TxID(relaytest.ID(1)) != "" || txid == "" {
		t.Error("it was marked")
	}
}

// lookedFor counts the looks into lists of addresses that a watch makes when all
// is due.
func (h *teller) lookedFor() int {
	h.Helper()
	h.age("items", "retry_at", 1<<40)
	before := h.server.Calls("GET /v3/bitcoin/transaction/")
	h.run(0, "watch")
	return h.server.Calls("GET /v3/bitcoin/transaction/") - before
}

// signedByTwin has the twin of the relay import, and returns what it has of
// payment 1 then.
func (h *teller) signedByTwin(swap func(), usb string) string {
	h.Helper()
	swap()
	h.run(0, "import", usb)
	raw := h.signedHex(1)
	relay := filepath.Join(h.dir, "relay")
	if err := os.Rename(relay, filepath.Join(h.dir, "twin")); err != nil {
		h.Fatal(err)
	}
	if err := os.Rename(filepath.Join(h.dir, "first"), relay); err != nil {
		h.Fatal(err)
	}
	return raw
}
