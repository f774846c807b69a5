package online_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/online/journal"
)

// When bytes arrive at Tatum, the journal has them already, on disk and for
// every process to see.
func TestJournaledBeforeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	early := 0
	w.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/broadcast") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var said struct{ TxData, SignatureID string }
		_ = json.Unmarshal(body, &said)
		look, err := journal.Open(t.Context(), filepath.Join(w.dir, "journal.db"), w.clock)
		if err != nil {
			t.Error(err)
			return false
		}
		defer look.Close()
		it, err := look.Item(t.Context(), said.SignatureID)
		if err != nil || hex.EncodeToString(it.Signed) != said.TxData {
			early++
		}
		return false
	})
	w.toSigned(nil, 1, 2)
	if n := len(w.server.Sent()); n != 0 {
		t.Errorf("%d sent by import", n)
	}
	if got := w.broadcast(); len(got.Completed) != 2 || early != 0 {
		t.Errorf("%d left before they were journaled: %+v", early, got)
	}
}
