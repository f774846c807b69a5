package online_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox/approver"
	"coldkms/online"
	"coldkms/online/approval"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
)

// fourEye is an approval service between this world and the reference
// approver; says may answer by itself.
type fourEye struct {
	*approval.Client
	says  func(w http.ResponseWriter, r *http.Request) bool
	asked []string
}

func (w *world) fourEye(method string) *fourEye {
	w.Helper()
	key, err := approver.TestKey()
	if err != nil {
		w.Fatal(err)
	}
	reference := approver.Approver{Key: key, Limit: 1 << 50, Valid: time.Hour, Now: w.clock}
	f := &fourEye{says: func(http.ResponseWriter, *http.Request) bool { return false }}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.faults.Lock()
		defer w.faults.Unlock()
		f.asked = append(f.asked, r.Method+" "+r.URL.Path)
		if !f.says(rw, r) {
			reference.ServeHTTP(rw, r)
		}
	}))
	w.Cleanup(server.Close)
	f.Client, err = approval.New(approval.Config{URL: server.URL + "/approver", Method: method, Now: w.clock,
		Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *world) exportAsking(f *fourEye) (online.Exported, error) {
	return with(w, func(r *online.Relay) (online.Exported, error) {
		r.FourEye = f.Client
		return r.Export(w.Context(), online.ExportOptions{Dir: w.out})
	})
}

func (w *world) broadcastAsking(f *fourEye) online.Broadcasted {
	w.Helper()
	got, err := with(w, func(r *online.Relay) (online.Broadcasted, error) {
		r.FourEye = f.Client
		return r.Broadcast(w.Context(), online.BroadcastOptions{})
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func (w *world) read(path string) bundle.SealedRequest {
	w.Helper()
	file, err := durable.ReadFile(durable.OS{}, path, bundle.MaxFile)
	if err != nil {
		w.Fatal(err)
	}
	req, err := bundle.OpenRequest(file)
	if err != nil {
		w.Fatal(err)
	}
	return req
}

// Each item travels with a statement about it; what is refused stays behind.
func TestStatementsTravel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := 1; n <= 3; n++ {
		w.pay(n, nil)
	}
	w.fetch()
	f := w.fourEye("POST")
	f.says = func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, id(2)) {
			return false
		}
		http.Error(rw, "not this one", http.StatusForbidden)
		return true
	}
	got, err := w.exportAsking(f)
	if err != nil || got.Request == nil || got.Items != 2 || codes(got.Problems) != "four-eye-refused " || got.Problems[0].ID != id(2) {
		t.Fatalf("%+v, %v", got, err)
	}
	w.wantState(id(2), "prepared")
	req := w.read(*got.Request)
	table, err := utxo.NewTable(req.Attached(utxo.Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range req.Items {
		tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
		if err != nil {
			t.Fatal(err)
		}
		if len(it.Statements) != 1 || !attestation.Of(it.ID, tx.Explain(utxo.NoKeys{})).Verify(it.Statements[0]) {
			t.Errorf("%s travels with %d statements", it.ID, len(it.Statements))
		}
	}
	if len(f.asked) != 3 {
		t.Errorf("asked %q", f.asked)
	}
}

// With GET nothing travels; a service that does not answer is no yes.
func TestFourEyeAsInKMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	w.fetch()
	f := w.fourEye("")
	f.says = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			t.Error(r.Method)
		}
		if strings.HasSuffix(r.URL.Path, id(2)) {
			rw.WriteHeader(http.StatusBadGateway)
		}
		return true
	}
	got, err := w.exportAsking(f)
	if err != nil || got.Items != 1 || codes(got.Problems) != "four-eye-no-answer " {
		t.Fatalf("%+v, %v", got, err)
	}
	if it := w.read(*got.Request).Items[0]; it.ID != id(1) || len(it.Statements) != 0 {
		t.Errorf("%+v", it)
	}
}

// Nothing is written where nothing was approved.
func TestNothingApprovedNothingExported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	f := w.fourEye("POST")
	f.says = func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(403); return true }
	if got, err := w.exportAsking(f); err != nil || got.Request != nil || len(got.Problems) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Before a transaction is sent the service is asked again: its no keeps the
// transaction here, its yes lets it go.
func TestAskedAgainBeforeBroadcast(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		w := newWorld(t)
		w.toSigned(nil, 1)
		f := w.fourEye(method)
		for _, c := range []struct {
			status int
			code   string
		}{{403, "four-eye-refused "}, {503, "four-eye-no-answer "}} {
			f.says = func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(c.status); return true }
			if got := w.broadcastAsking(f); codes(got.Problems) != c.code || len(w.server.Sent()) != 0 {
				t.Fatalf("%s %d: %+v", method, c.status, got)
			}
			w.wantState(id(1), "signed")
		}
		f.says = func(rw http.ResponseWriter, _ *http.Request) bool { return method == "GET" }
		if got := w.broadcastAsking(f); len(got.Completed) != 1 || len(w.server.Sent()) != 1 {
			t.Fatalf("%s: %+v", method, got)
		}
		w.wantState(id(1), "completed")
	}
}

// What the network has already is marked, whatever the service says by now.
func TestNotAskedAboutWhatIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Chain(w.signedHex(id(1)))
	f := w.fourEye("POST")
	f.says = func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(403); return true }
	if got := w.broadcastAsking(f); len(got.Completed) != 1 || len(f.asked) != 0 {
		t.Errorf("%+v, asked %q", got, f.asked)
	}
	w.wantState(id(1), "completed")
}
