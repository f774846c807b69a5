//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
)

// keyFaults are about API keys under wrong names.
func keyFaults() []fault {
	return []fault{
		{"142a-a-key-of-another-tenant-under-the-name", strangersKey},
		{"142b-two-keys-with-swapped-names", swappedNames},
		{"142c-a-key-replaced-for-the-same-tenant", replacedKey},
	}
}

// tenants is a Tatum with two accounts: keys that begin with a are of one, those that
// begin with b of the other. Payment n is of account a, if n is odd.
type tenants struct {
	*plainRelay
	names string // file of keys
}

func newTenants(t *testing.T) *tenants {
	p := &tenants{plainRelay: newStick(t)}
	p.names = filepath.Join(p.dir, "keys")
	owner := func(id string) byte {
		for n := range 20 {
			if id == relaytest.ID(n+1) {
				return "ab"[n%2]
			}
		}
		return 0
	}
	record := regexp.MustCompile("^/v3/kms/([0-9a-f]{24})")
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		tenant := r.Header.Get("x-api-key")[0]
		r.Header.Set("x-api-key", tatumtest.Key)
		if m := record.FindStringSubmatch(r.URL.Path); m != nil && owner(m[1]) != tenant {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, gone)
			return true
		}
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/pending/") {
			return false
		}
		var all []map[string]any
		mine := []map[string]any{}
		rec := httptest.NewRecorder()
		p.server.Serve(rec, r)
		d := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
		d.UseNumber()
		_ = d.Decode(&all)
		for _, e := range all {
			if id, _ := e["id"].(string); owner(id) == tenant {
				mine = append(mine, e)
			}
		}
		_ = json.NewEncoder(w).Encode(mine)
		return true
	})
	return p
}

// keys has the relay use the API keys a and b, by name.
func (p *tenants) keys(lines ...string) {
	p.Helper()
	var text strings.Builder
	for i := 0; i < len(lines); i += 2 {
		fmt.Fprintf(&text, "%s testnet %s-0123456789abcdef\n", lines[i], lines[i+1])
	}
	p.write(p.names, []byte(text.String()))
}

// do runs a command with the keys, and wants an exit code and words.
func (p *tenants) do(code int, words string, args ...string) {
	p.Helper()
	got := p.run(append([]string{"--api-key-file", p.names}, args...)...)
	if got.code != code || !strings.Contains(got.out+got.err, words) {
		p.Errorf("%v: exit code %d, want %d and %q: %s%s", args, got.code, code, words, got.out, got.err)
	} else if strings.Contains(got.out+got.err, "somebody dropped") || strings.Contains(got.out, "destroy") {
		p.Errorf("%v: %s", args, got.out)
	}
}

// signs has what is exported signed and imported.
func (p *tenants) signs() {
	p.Helper()
	p.do(0, "", "import", p.result(p.export(), nil))
}

// noAlarm wants no alarm, open or closed.
func (p *tenants) noAlarm() {
	p.Helper()
	if got := p.run("alarms", "--all"); strings.TrimSpace(got.out) != "[]" {
		p.Errorf("alarms: %s", got.out)
	}
}

// The key of another tenant comes under the name. What is prepared, with the signer,
// signed or marked is held, nobody is told that anything was dropped, and all goes on
// by itself under the right key.
func strangersKey(t *testing.T) {
	p := newTenants(t)
	p.keys("default", "a")
	p.pay(1)
	p.do(0, "", "fetch")
	p.signs()
	p.pay(3)
	p.do(0, "", "fetch")
	req := p.export()
	p.pay(5)
	p.do(0, "", "fetch")
	p.keys("default", "b")
	p.do(3, "another one than that under which Tatum had it", "fetch")
	p.do(3, "other-api-key", "broadcast")
	p.run("export", "--out", p.stick())
	if got := p.states()[relaytest.ID(5)]; got != "prepared" {
		t.Errorf("what is prepared goes to the signer: it is %s", got)
	}
	p.do(0, "", "import", p.result(req, nil)) // signed meanwhile
	p.do(3, "other-api-key", "broadcast")
	if got := p.states(); got[relaytest.ID(1)] != "signed" || got[relaytest.ID(3)] != "signed" ||
		len(p.server.Sent()) != 0 {
		t.Errorf("%v, %d sent", got, len(p.server.Sent()))
	}
	p.noAlarm()
	p.keys("default", "a")
	p.do(0, "", "fetch")
	p.do(0, "", "broadcast")
	p.signs()
	p.do(0, "", "broadcast")
	for _, n := range []int{1, 3, 5} {
		if got := p.states()[relaytest.ID(n)]; got != "completed" {
			t.Errorf("%d is %s", n, got)
		}
	}
	p.noAlarm()
}

func swappedNames(t *testing.T) {
	p := newTenants(t)
	p.keys("default", "a", "other", "b")
	p.pay(1, 2)
	p.do(0, "", "fetch")
	p.signs()
	p.keys("default", "b", "other", "a")
	p.pay(3, 4)
	p.do(3, "two names were swapped", "fetch")
	if len(p.states()) != 2 {
		t.Errorf("taken under the wrong name: %v", p.states())
	}
	p.do(3, "other-api-key", "broadcast")
	p.do(3, "two names were swapped", "daemon", "--runOnce")
	p.noAlarm()
	p.keys("default", "a", "other", "b")
	p.do(0, "", "broadcast")
	p.do(0, "", "fetch")
	p.signs()
	p.do(0, "", "broadcast")
	for n := range 4 {
		if got := p.states()[relaytest.ID(n+1)]; got != "completed" {
			t.Errorf("%d is %s", n+1, got)
		}
	}
	p.noAlarm()
}

// A new key of the same tenant comes under the name: nothing is held for it, and what
// the tenant has dropped is known as that.
func replacedKey(t *testing.T) {
	p := newTenants(t)
	p.keys("default", "a")
	p.pay(1, 3)
	p.do(0, "", "fetch")
	p.keys("default", "a-new")
	p.do(0, "", "fetch")
	p.signs()
	p.do(0, "", "broadcast", relaytest.ID(1))
	p.server.Change(relaytest.ID(3), "id", "gone")
	got := p.run("--api-key-file", p.names, "broadcast")
	if got.code != 3 || !strings.Contains(got.out, "unknown-at-tatum") {
		t.Errorf("%+v", got)
	}
}
