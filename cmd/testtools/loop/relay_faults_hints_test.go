//go:build unix

package loop

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// hintFaults are about what a person reads who uses the relay for the first time:
// what failed, and what to type next.
func hintFaults() []fault {
	return []fault{
		{"70a-a-page-is-described", pageIsDescribed},
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
