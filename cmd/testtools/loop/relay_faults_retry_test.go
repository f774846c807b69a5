//go:build unix

package loop

import (
	"regexp"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// retryFaults are about what a person has read when they type retry.
func retryFaults() []fault {
	return []fault{
		{"90a-a-retry-stands-for-what-was-read", retryNamesWhatWasRead},
		{"90b-a-retry-does-not-stand-for-what-is-gone", retryNamesWhatIsGone},
		{"90c-two-retries-without-a-look", retryTwice},
	}
}

var retryCommand = regexp.MustCompile(`kms-online (retry [0-9a-f]{24}(?: --content [0-9a-z]+)?)`)

// retry is the command that an item's reason names.
func (h *teller) retry(n int) []string {
	h.Helper()
	reason := h.item(n).Reason
	found := retryCommand.FindStringSubmatch(reason)
	if found == nil {
		h.Fatalf("no command to retry it: %s", reason)
	}
	return strings.Fields(found[1])
}

// retries types the command that an item's reason names.
func (h *teller) retries(n int) {
	h.Helper()
	h.run(0, h.retry(n)...)
}

// Tatum changes an item once more between what the person reads and the retry, and
// the daemon sees that.
func retryNamesWhatWasRead(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	id := relaytest.ID(1)
	h.server.Change(id, "index", 7)
	h.run(3, "broadcast")
	read := h.retry(1)
	h.server.Change(id, "index", 8)
	h.run(3, "daemon", "--runOnce", "--drop", t.TempDir())
	for _, content := range []string{read[3], "", "none", "same", h.retry(1)[3][:16]} { // a part of it names others, too
		typed := []string{"retry", id, "--content", content}
		words := h.says(1, typed...)
		if !strings.Contains(words, "what you have read") || !strings.Contains(words, "kms-online status "+id) {
			t.Error(words)
		}
	}
	h.run(3, "broadcast")
	h.sends(0)
	h.retries(1)
	h.run(0, "broadcast")
	h.sends(1)
}

// The person reads that Tatum asks for the very same again, and it is dropped there
// before the retry.
func retryNamesWhatIsGone(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Change(relaytest.ID(1), "index", 7)
	h.run(3, "broadcast")
	changed := h.retry(1)
	h.server.Change(relaytest.ID(1), "index", nil)
	h.run(3, "broadcast")
	read := h.retry(1)
	h.run(1, changed...)
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.run(3, "broadcast")
	h.run(1, read...)
	h.run(3, "broadcast")
	h.sends(0)
}

// Two retries of what was given up, one after the other: the second one is about
// what Tatum has by now, and nobody has looked.
func retryTwice(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	id := relaytest.ID(1)
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice()
	h.run(0, "reject", id, "--why", "a mistake", "--gone")
	h.wants(1, "failed", "disarmed")
	h.twoRetries(id)

	h = newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "reject", id, "--why", "a mistake")
	h.run(3, "import", usb)
	h.wants(1, "failed", "signed-after-drop")
	h.twoRetries(id)
}

func (h *teller) twoRetries(id string) {
	h.Helper()
	h.run(0, "retry", id)
	for _, content := range []string{"", "none", "same", "unseen"} {
		words := h.says(1, "retry", id, "--content", content)
		if !strings.Contains(words, "kms-online broadcast looks") {
			h.Error(words)
		}
	}
	h.run(3, "broadcast")
	h.run(1, "retry", id)
	h.sends(0)
	if typed := strings.Join(h.retry(1), " "); typed != "retry "+id+" --content none" {
		h.Error(typed)
	}
	h.retries(1)
	h.run(3, "broadcast") // paid, and Tatum does not have it
	h.sends(1)
}
