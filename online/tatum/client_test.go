package tatum_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// patient records pauses instead of making them.
type patient struct{ pauses []time.Duration }

func (p *patient) sleep(_ context.Context, d time.Duration) error {
	p.pauses = append(p.pauses, d)
	return nil
}

func client(t *testing.T, url string) (*tatum.Client, *patient) {
	t.Helper()
	p := &patient{}
	c, err := tatum.New(tatum.Config{
		URL: url, Key: tatumtest.Key, Sleep: p.sleep, Jitter: func() float64 { return 1 },
		Now: func() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"":                         true,
		"https://api.tatum.io":     true,
		"https://api.tatum.io/":    true,
		"http://127.0.0.1:3000":    true,
		"http://127.9.9.9":         true,
		"http://[::1]:3000":        true,
		"http://localhost:3000":    true,
		"http://api.tatum.io":      false,
		"http://10.0.0.1":          false,
		"http://localhost.evil.x":  false,
		"http://127.0.0.1.evil.x":  false,
		"https://u:p@api.tatum.io": false,
		"https://api.tatum.io?x=1": false,
		"ftp://127.0.0.1":          false,
		"api.tatum.io":             false,
		"https://":                 false,
		"://":                      false,
	} {
		_, err := tatum.New(tatum.Config{URL: address, Key: "k"})
		if (err == nil) != ok || (err != nil && !errors.Is(err, tatum.ErrURL)) {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, key := range []string{"", "a b", "a\nb", "é", strings.Repeat("k", 600)} {
		if _, err := tatum.New(tatum.Config{Key: key}); !errors.Is(err, tatum.ErrKey) {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestRetries(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header string
		calls  int32
		pauses []time.Duration
	}{
		"fault of the server":  {500, "", 5, []time.Duration{250e6, 500e6, 1e9, 2e9}},
		"too many":             {429, "", 5, []time.Duration{250e6, 500e6, 1e9, 2e9}},
		"too many, wait 3 s":   {429, "3", 5, []time.Duration{3e9, 3e9, 3e9, 3e9}},
		"too many, until":      {503, "Mon, 23 Nov 2026 00:00:04 GMT", 5, []time.Duration{4e9, 4e9, 4e9, 4e9}},
		"too many, wait a day": {429, "86400", 1, nil},
		"fault, wait a day":    {500, "86400", 5, []time.Duration{250e6, 500e6, 1e9, 2e9}},
		"no":                   {403, "", 1, nil},
		"not there":            {404, "", 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			cl, p := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
			}))
			if _, err := cl.TxIDOf(t.Context(), "x"); err == nil {
				t.Error("no error")
			}
			if calls.Load() != c.calls || fmt.Sprint(p.pauses) != fmt.Sprint(c.pauses) {
				t.Errorf("%d calls, pauses %v", calls.Load(), p.pauses)
			}
		})
	}
}

// A call that was answered in the end has no error.
func TestRecovers(t *testing.T) {
	var calls atomic.Int32
	cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(502)
			_, _ = io.WriteString(w, "<html>Bad gateway</html>")
		case 2:
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"txId":`)
		case 3:
			panic(http.ErrAbortHandler)
		default:
			_, _ = io.WriteString(w, `{"id":"x","serializedTransaction":"y","txId":"0xABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB "}`)
		}
	}))
	got, err := cl.TxIDOf(t.Context(), "x")
	if got != strings.Repeat("ab", 32) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A broadcast is sent once, whatever happens.
func TestBroadcastOnce(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"429":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"403":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			cl, _ := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); h(w, r) }))
			if _, err := cl.Broadcast(t.Context(), chain.BTC, "id", "00"); err == nil {
				t.Error("no error")
			}
			if _, err := cl.BroadcastWithdrawal(t.Context(), chain.BTC, "id", "w", "00"); err == nil {
				t.Error("no error")
			}
			if calls.Load() != 2 {
				t.Errorf("%d calls for two broadcasts", calls.Load())
			}
		})
	}
}

func TestBroadcastReplies(t *testing.T) {
	for reply, want := range map[string]struct{ plain, withdrawal tatum.Sent }{
		`{"txId":"ab"}`:                    {tatum.Sent{TxID: "ab", Completed: true}, tatum.Sent{TxID: "ab"}},
		`{"txId":"ab","failed":false}`:     {tatum.Sent{TxID: "ab", Completed: true}, tatum.Sent{TxID: "ab"}},
		`{"txId":"ab","failed":true}`:      {tatum.Sent{TxID: "ab"}, tatum.Sent{TxID: "ab"}},
		`{"txId":"ab","failed":"yes"}`:     {tatum.Sent{TxID: "ab"}, tatum.Sent{TxID: "ab"}},
		`{"txId":"ab","completed":true}`:   {tatum.Sent{TxID: "ab", Completed: true}, tatum.Sent{TxID: "ab", Completed: true}},
		`{"txId":"ab","completed":"true"}`: {tatum.Sent{TxID: "ab", Completed: true}, tatum.Sent{TxID: "ab", Completed: true}},
		`{"txId":"ab","completed":false}`:  {tatum.Sent{TxID: "ab"}, tatum.Sent{TxID: "ab"}},
		`{"txId":7}`:                       {tatum.Sent{Completed: true}, tatum.Sent{}},
		`{}`:                               {tatum.Sent{Completed: true}, tatum.Sent{}},
	} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, reply) }))
		plain, err1 := cl.Broadcast(t.Context(), chain.BTC, "id", "00")
		withdrawal, err2 := cl.BroadcastWithdrawal(t.Context(), chain.BTC, "id", "w", "00")
		if err1 != nil || err2 != nil || plain != want.plain || withdrawal != want.withdrawal {
			t.Errorf("%s: %v %v %v %v", reply, plain, withdrawal, err1, err2)
		}
	}
}

// The key leaves to nobody but the server that was named, and stays out of
// every error.
func TestKeyStaysHere(t *testing.T) {
	var elsewhere atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	replies := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other+"/?k="+r.Header.Get("x-api-key"), http.StatusTemporaryRedirect)
		},
		"echo": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			_ = json.NewEncoder(w).Encode(map[string]string{"errorCode": r.Header.Get("x-api-key"), "message": "no " + r.URL.Path + r.Header.Get("x-api-key")})
		},
		"node's no": func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": -1, "message": r.URL.Path}})
		},
		"lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, h := range replies {
		cl, _ := client(t, serve(t, h))
		_, err1 := cl.RawTransaction(t.Context(), chain.DOGE, "ab")
		_, err2 := cl.Pending(t.Context(), chain.BTC, []string{"a"}, 0)
		_, err3 := cl.Broadcast(t.Context(), chain.BTC, "a", "00")
		for _, err := range []error{err1, err2, err3} {
			if err != nil && strings.Contains(err.Error(), tatumtest.Key) {
				t.Errorf("%s: the key is in %v", name, err)
			}
		}
		if err1 == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestBadReplies(t *testing.T) {
	for name, body := range map[string]string{
		"page": "<html>", "nothing": "", "wrong types": `{"txId":[1]}`, "list": "[]", "huge": `{"x":"` + strings.Repeat("a", 17<<20) + `"}`,
	} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		_, err := cl.TxIDOf(t.Context(), "x")
		if err == nil || tatum.IsTransient(err) || len(err.Error()) > 500 || strings.Contains(err.Error(), "more than") != (name == "huge") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"x":1}`) }))
	if _, err := cl.Pending(t.Context(), chain.BTC, []string{"x"}, 0); err == nil {
		t.Error("an object is taken for a list")
	}
}

func TestKinds(t *testing.T) {
	for name, c := range map[string]struct {
		status                              int
		body                                string
		auth, notFound, transient, definite bool
	}{
		"key":           {401, `{"errorCode":"subscription.invalid"}`, true, false, false, true},
		"key, no code":  {401, ``, true, false, false, false},
		"credits":       {403, `{"message":"You are out of credits"}`, true, false, false, false},
		"credits code":  {403, `{"errorCode":"credits.exhausted"}`, true, false, false, true},
		"forbidden key": {403, `{"message":"Forbidden API key"}`, true, false, false, false},
		"one item":      {403, `{"errorCode":"blockchain.broadcast.error","message":"credit api key"}`, false, false, false, true},
		"a wall":        {403, `<html>`, false, false, false, false},
		"missing":       {403, `{"errorCode":"kms.missing"}`, false, true, false, true},
		"not there":     {404, `{"errorCode":"tx.not.found"}`, false, true, false, true},
		"a page":        {404, `<html>`, false, false, false, false},
		"throttled":     {429, ``, false, false, true, false},
		"down":          {503, ``, false, false, true, false},
		"odd types":     {400, `{"errorCode":7,"message":["a",{"b":1}]}`, false, false, false, true},
	} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		err := cl.Complete(t.Context(), "x", "y")
		if tatum.IsAuth(err) != c.auth || tatum.IsNotFound(err) != c.notFound || tatum.IsTransient(err) != c.transient || tatum.IsDefinite(err) != c.definite {
			t.Errorf("%s: %v", name, err)
		}
		if tatum.IsNoAnswer(err) != (name == "a page") {
			t.Errorf("%s: IsNoAnswer is %v", name, tatum.IsNoAnswer(err))
		}
	}
	if tatum.IsAuth(nil) || tatum.IsNotFound(nil) || tatum.IsTransient(nil) || tatum.IsDefinite(nil) || tatum.IsUnreachable(nil) {
		t.Error("nil is of a kind")
	}
	cl, _ := client(t, "http://127.0.0.1:1")
	if err := cl.Ping(t.Context()); !tatum.IsUnreachable(err) || !tatum.IsTransient(err) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestChunks(t *testing.T) {
	var sizes []int
	cl, _ := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ SignatureIDs []string }
		_ = json.NewDecoder(r.Body).Decode(&ask)
		sizes = append(sizes, len(ask.SignatureIDs))
		_, _ = io.WriteString(w, `[{"id":"a"}]`)
	}))
	list, err := cl.Pending(t.Context(), chain.BTC, make([]string, 60_001), 0)
	if err != nil || len(list.Elements) != 3 || fmt.Sprint(sizes) != "[25000 25000 10001]" {
		t.Errorf("%d items, chunks %v, %v", len(list.Elements), sizes, err)
	}
}

func rawTx(t *testing.T, value int64) string {
	t.Helper()
	msg := wire.NewMsgTx(2)
	msg.AddTxIn(&wire.TxIn{})
	msg.AddTxOut(wire.NewTxOut(value, []byte{0x51}))
	var b bytes.Buffer
	if err := msg.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b.Bytes())
}

func TestRawTransaction(t *testing.T) {
	s := tatumtest.New(t)
	cl, _ := client(t, s.URL)
	want := rawTx(t, 1)
	id := s.Chain(want)
	got, err := cl.RawTransaction(t.Context(), chain.BTC, id)
	if err != nil || hex.EncodeToString(got) != want || s.Calls("POST /v3/blockchain/node/") != 0 {
		t.Fatalf("with hex: %x, %v", got, err)
	}
	if _, err := cl.RawTransaction(t.Context(), chain.BTC, "00"); !tatum.IsNotFound(err) {
		t.Errorf("unknown by both ways: %v", err)
	}
	if n := s.Calls("POST /v3/blockchain/node/"); n != 1 {
		t.Errorf("%d calls for a node's clear no", n)
	}
	s.WithoutHex()
	for range 3 {
		if got, err = cl.RawTransaction(t.Context(), chain.BTC, id); err != nil || hex.EncodeToString(got) != want {
			t.Fatalf("without hex: %x, %v", got, err)
		}
	}
	if n := s.Calls("GET /v3/bitcoin/transaction/" + id); n != 2 {
		t.Errorf("%d times asked for hex that does not come", n)
	}
}

func TestRawTransactionForms(t *testing.T) {
	want := rawTx(t, 1)
	for name, c := range map[string]struct {
		reply string
		ok    bool
	}{
		"hex":         {`{"result":"` + want + `"}`, true},
		"verbose":     {`{"result":{"hex":"` + want + `","txid":"x"}}`, true},
		"null":        {`{"result":null}`, false},
		"not hex":     {`{"result":"zz"}`, false},
		"error":       {`{"result":null,"error":{"code":-8,"message":"no"}}`, false},
		"nothing":     {`{}`, false},
		"wrong types": {`{"result":[1],"error":7}`, false},
	} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				w.WriteHeader(404)
				return
			}
			if r.URL.Path != "/v3/blockchain/node/BTC/"+tatumtest.Key+"/" || r.Header.Get("x-api-key") != tatumtest.Key {
				t.Errorf("node called at %s", r.URL.Path)
			}
			_, _ = io.WriteString(w, c.reply)
		}))
		got, err := cl.RawTransaction(t.Context(), chain.BTC, "ab")
		if (err == nil) != c.ok || (c.ok && hex.EncodeToString(got) != want) || tatum.IsNotFound(err) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestKnown(t *testing.T) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{})
	tx.AddTxOut(&wire.TxOut{Value: 1})
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	raw, id := hex.EncodeToString(b.Bytes()), tx.TxHash().String()
	for reply, want := range map[string]bool{
		`{"hash":"` + strings.ToUpper(id) + `","hex":"` + raw + `"}`: true, `{"txid":"` + id + `","hash":"cd","hex":"` + raw + `"}`: true,
		`{"hash":"cd","hex":"` + raw + `"}`: false, `{"hash":"` + id + `","hex":"` + raw[:20] + `"}`: false, `{"hash":"` + id + `","hex":"x"}`: false,
		`{"hash":"` + id + `"}`: false, `{"hash":"` + id + `","confirmations":0,"inputs":[],"outputs":[]}`: false, `{}`: false, `[]`: false,
	} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, reply) }))
		if got, err := cl.Known(t.Context(), chain.BTC, id, anything); err == nil && got != want || (err == nil) != want { // what is about something else says nothing
			t.Errorf("%s: %v, %v", reply, got, err)
		}
	}
	s := tatumtest.New(t)
	cl, _ := client(t, s.URL)
	if got, err := cl.Known(t.Context(), chain.BTC, "ab", anything); got || err != nil {
		t.Errorf("not there: %v, %v", got, err)
	}
	if _, err := cl.Known(t.Context(), "ETH", "ab", anything); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("chain not built: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	cl, p := client(t, "http://127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cl.Ping(ctx); !errors.Is(err, context.Canceled) || len(p.pauses) != 0 {
		t.Errorf("%v after %v", err, p.pauses)
	}
}

// anything takes whatever is a transaction as whole.
func anything(raw []byte) (txid string, whole bool) {
	var tx wire.MsgTx
	if tx.Deserialize(bytes.NewReader(raw)) != nil {
		return "", false
	}
	return tx.TxHash().String(), true
}
