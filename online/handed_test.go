package online_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/online"
)

// Items are recorded together as handed to the network, and each is on record
// before its own bytes arrive there.
func TestHandedBeforeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const items = 40
	w.signMany(items)
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sent := 0
	w.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/broadcast") {
			return false
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var asked struct {
			ID string `json:"signatureId"`
		}
		if err != nil || json.Unmarshal(body, &asked) != nil {
			t.Errorf("%.80q: %v", body, err)
		}
		w.faults.Lock()
		defer w.faults.Unlock()
		sent++
		var handed int64
		err = db.QueryRow("SELECT handed FROM items WHERE id = ? AND handed_known = 1", asked.ID).Scan(&handed)
		if err != nil || handed == 0 {
			t.Errorf("%s arrives, and that it was handed over is not on record: %v", asked.ID, err)
		}
		return false
	})
	if got := w.broadcast(); len(got.Completed) != items || sent != items {
		t.Errorf("%d completed, %d sent", len(got.Completed), sent)
	}
}

// What lets items leave is read for many at once: a statement of its own for each
// item, for any of it, would be one too many.
func TestBroadcastStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const items = 64
	w.signMany(items)
	statements, err := with(w, func(r *online.Relay) (int64, error) {
		before := r.Statements()
		_, err := r.Broadcast(t.Context(), online.BroadcastOptions{})
		return r.Statements() - before, err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Three changes, each with a beginning and an end where nothing keeps it company.
	if each := float64(statements) / items; each > 9.9 {
		t.Errorf("%.1f statements an item", each)
	}
}

// signMany brings payments to signed.
func (w *world) signMany(items int) {
	w.Helper()
	ns := make([]int, items)
	for i := range ns {
		ns[i] = i + 1
	}
	w.toSigned(nil, ns...)
}
