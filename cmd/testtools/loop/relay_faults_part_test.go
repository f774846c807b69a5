//go:build unix

package loop

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// partFaults are about a part that fails, and all else that goes on.
func partFaults() []fault {
	return []fault{
		{"99a-broken-records-stop-no-other", brokenRecords},
		{"99b-link-to-nothing-stops-no-other", linkToNothing},
	}
}

// Tatum fails for thirty payments, and for these alone. What is newer is sent by the
// same command.
func brokenRecords(t *testing.T) {
	p := newStick(t)
	var all []int
	for n := range 34 {
		all = append(all, n+1)
	}
	p.signed(all...)
	broken := make(map[string]bool)
	for n := range 30 {
		broken["/v3/kms/"+relaytest.ID(n+1)] = true
	}
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if broken[r.URL.Path] {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return broken[r.URL.Path]
	})
	if got := p.run("broadcast"); got.code != 3 {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
	states := p.states()
	for n := 31; n <= 34; n++ {
		if s := states[relaytest.ID(n)]; s != "completed" {
			t.Errorf("the good payment %d is %s", n, s)
		}
	}
}

// Links to nothing lie beside a good result.
func linkToNothing(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	result := p.result(p.export(), nil)
	data, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	for i, ending := range []string{"kmsres", "psbt", "txn"} {
		if err := os.Symlink("/nowhere", filepath.Join(p.stick(), fmt.Sprintf("a%d.%s", i, ending))); err != nil {
			t.Fatal(err)
		}
	}
	p.write(filepath.Join(p.stick(), "good.kmsres"), data)
	got := p.run("import", p.stick())
	if s := p.states()[relaytest.ID(1)]; s != "signed" {
		t.Errorf("it is %s", s)
	}
	if got.code != 1 || strings.Contains(got.err, "pulled out") || !strings.Contains(got.err, "remove it") {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
}
