package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/local"
	"coldkms/cmd/kms-sandbox/sandbox/records"
	"coldkms/cmd/testtools/sandboxtest"
)

const (
	address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	height  = 435
)

// call runs one request and returns its reply.
func call(t *testing.T, h http.Handler, method, path, body string) map[string]any {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("x-api-key", sandbox.DefaultAPIKey)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var reply map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return reply
}

// What was acknowledged is there after a clean stop, and after btcd was
// killed. (btcd itself keeps nothing of a regression test.)
func TestRestart(t *testing.T) {
	config := local.Config{Dir: t.TempDir(), Btcd: sandboxtest.Btcd(t)}
	open := func() *local.Sandbox {
		t.Helper()
		s, err := local.Open(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	if _, err := local.Open(context.Background(), config); !errors.Is(err, records.ErrLocked) {
		t.Errorf("second sandbox on one folder: %v", err)
	}
	call(t, s, "POST", "/sandbox/mine", `{"blocks":3}`)
	paid := call(t, s, "POST", "/sandbox/faucet", fmt.Sprintf(`{"address":%q,"amount":"0.5"}`, address))
	pending := call(t, s, "POST", "/v3/bitcoin/transaction", fmt.Sprintf(
		`{"fromAddress":[{"address":%q,"signatureId":"k"}],"to":[{"address":%q,"value":0.4}]}`, address, address))

	litecoin := call(t, s, "POST", "/sandbox/faucet", `{"chain":"LTC","address":"tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0","amount":"5","mine":true}`)
	dogecoin := call(t, s, "POST", "/sandbox/faucet", `{"chain":"DOGE","address":"nesRpRaAbTDmZHwmzBkLd2AtF7Z9L9z5S2","amount":"5"}`)

	for _, how := range []string{"clean stop", "killed node", "killed node again"} {
		if how != "clean stop" {
			s.Node.Kill()
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: close: %v", how, err)
		}
		s = open()
		info := call(t, s, "GET", "/v3/bitcoin/info", "")
		if info["blocks"] != float64(height) {
			t.Errorf("%s: height %v, want %d", how, info["blocks"], height)
		}
		call(t, s, "GET", "/v3/bitcoin/transaction/"+paid["txId"].(string), "")
		call(t, s, "GET", "/v3/litecoin/transaction/"+litecoin["txId"].(string), "")
		call(t, s, "GET", "/v3/dogecoin/transaction/"+dogecoin["txId"].(string), "") // in no block
		call(t, s, "GET", "/v3/kms/"+pending["signatureId"].(string), "")
	}
	call(t, s, "POST", "/sandbox/faucet", fmt.Sprintf(`{"address":%q,"amount":"0.5","mine":true}`, address))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestBadBtcd(t *testing.T) {
	for _, path := range []string{"/nonexistent/btcd", "/dev/null"} {
		if s, err := local.Open(context.Background(), local.Config{Dir: t.TempDir(), Btcd: path}); err == nil {
			t.Errorf("%s: started", path)
			_ = s.Close()
		}
	}
}
