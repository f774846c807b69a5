// Package sandboxtest starts a sandbox on a real btcd for tests.
package sandboxtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/local"
)

// Sandbox is a sandbox behind a test server.
type Sandbox struct {
	*local.Sandbox
	URL string
	Key string
}

// Start runs a sandbox in a temporary folder until the test ends. Of config,
// APIKey, Rand, Now and Faults may be set.
func Start(t testing.TB, config sandbox.Config) *Sandbox {
	t.Helper()
	return StartIn(t, t.TempDir(), config)
}

// StartIn is Start in a given folder, which keeps its state.
func StartIn(t testing.TB, dir string, config sandbox.Config) *Sandbox {
	t.Helper()
	s, err := local.Open(context.Background(), local.Config{Dir: dir, Btcd: Btcd(t), Server: config})
	if err != nil {
		t.Fatal(err)
	}
	key := config.APIKey
	if key == "" {
		key = sandbox.DefaultAPIKey
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Sandbox{Sandbox: s, URL: server.URL, Key: key}
}

// Btcd returns the path of a btcd program: the module's tool, which the go
// command builds once and keeps in its cache.
func Btcd(t testing.TB) string {
	t.Helper()
	var words bytes.Buffer
	cmd := exec.Command("go", "tool", "-n", "github.com/btcsuite/btcd")
	cmd.Stderr = &words
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // or btcd looks for its home folder in passwd
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build btcd: %v: %s", err, words.String())
	}
	return strings.TrimSpace(string(out))
}

// Do calls the API with the key. The body is JSON: a string as it is,
// anything else marshalled. It returns the status and the reply's bytes.
func (s *Sandbox) Do(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	status, reply, err := s.Try(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return status, reply
}

// Try is Do for calls that a fault may interrupt.
func (s *Sandbox) Try(method, path string, body any) (int, []byte, error) {
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.URL+path, in)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("x-api-key", s.Key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	return resp.StatusCode, reply, err
}

// Want is Do for a call that has to succeed; it reads the reply into out,
// unless out is nil.
func (s *Sandbox) Want(t testing.TB, method, path string, body, out any) {
	t.Helper()
	status, reply := s.Do(t, method, path, body)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d: %s", method, path, status, reply)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(reply, out); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, reply)
	}
}

// Fund pays amount (in BTC) to an address, in a block of its own, and gives
// the transaction's id. The payment is its output 0.
func (s *Sandbox) Fund(t testing.TB, address, amount string) string {
	t.Helper()
	var reply struct{ TxID string }
	s.Want(t, "POST", "/sandbox/faucet", fmt.Sprintf(`{"address":%q,"amount":%q,"mine":true}`, address, amount), &reply)
	return reply.TxID
}
