package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox/approver"
)

func TestApproverOptions(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	known, err := approver.TestKey()
	if err != nil {
		t.Fatal(err)
	}
	own := write("own", strings.Repeat("03", 32)+"\n")
	for _, c := range []struct {
		o    approverOptions
		ok   bool
		test bool // the key that everyone knows
	}{
		{approverOptions{5, time.Hour, ""}, true, true},
		{approverOptions{0, time.Second, own}, true, false},
		{approverOptions{-1, time.Hour, ""}, false, false},
		{approverOptions{5, 0, ""}, false, false},
		{approverOptions{5, time.Hour, filepath.Join(dir, "missing")}, false, false},
		{approverOptions{5, time.Hour, write("short", "0303")}, false, false},
		{approverOptions{5, time.Hour, write("text", "secret")}, false, false},
		{approverOptions{5, time.Hour, write("long", strings.Repeat("03", 200))}, false, false},
	} {
		a, err := c.o.approver()
		if (err == nil) != c.ok || (c.ok && (a.Key.Public() == known.Public()) != c.test) {
			t.Errorf("%+v: %v", c.o, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%v has what is in the file", err)
		}
	}
}

// The approver answers under its own path and leaves every other to the API.
func TestBeside(t *testing.T) {
	o := approverOptions{5, time.Hour, ""}
	a, err := o.approver()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	both := beside(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.URL.Path) }), a)
	for _, path := range []string{"/approver", "/approver/x", "/approvers", "/v3//x", "/"} {
		both.ServeHTTP(httptest.NewRecorder(), &http.Request{Method: http.MethodGet, URL: httptest.NewRequest(http.MethodGet, "http://x"+path, nil).URL})
	}
	if got := strings.Join(seen, " "); got != "/approvers /v3//x /" {
		t.Errorf("the API got %s", got)
	}
}
