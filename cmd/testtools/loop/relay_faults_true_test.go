//go:build unix

package loop

import (
	"path/filepath"
	"testing"
)

// trueFaults are about what the relay says that is not so, and advice that leads
// nowhere.
func trueFaults() []fault {
	return []fault{
		{"130a-a-yes-is-for-one-request", yesForOneRequest},
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
