package tatum_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
)

// A small body that unpacks to a huge one is read up to the limit of a reply.
func TestGzipBomb(t *testing.T) {
	var member bytes.Buffer // a file may consist of many, which takes no time to make
	z := gzip.NewWriter(&member)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	bomb := bytes.Repeat(member.Bytes(), 512)
	cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := cl.TxIDOf(t.Context(), "x")
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d bytes that unpack to 512 MiB: %v", len(bomb), err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}

// A server that cannot show who it is gets no key.
func TestUntrustedServer(t *testing.T) {
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	server.Config.ErrorLog = nil
	server.TLS = &tls.Config{}
	server.StartTLS()
	defer server.Close()
	cl, _ := client(t, server.URL)
	_, err := cl.TxIDOf(t.Context(), "x")
	if err == nil || tatum.Outcome(err) != "tls" || asked != 0 || strings.Contains(err.Error(), tatumtest.Key) {
		t.Errorf("%v (%s), asked %d times", err, tatum.Outcome(err), asked)
	}
}

// Each end of a call has its name.
func TestOutcomes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cl, _ := client(t, serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	if _, err := cl.TxIDOf(ctx, "x"); tatum.Outcome(err) != "timeout" {
		t.Errorf("%v is %s", err, tatum.Outcome(err))
	}
	for status, want := range map[int]string{200: "unreadable", 302: "redirect", 401: "key", 404: "refused", 429: "throttled", 502: "server"} {
		cl, _ := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		if _, err := cl.TxIDOf(t.Context(), "x"); tatum.Outcome(err) != want {
			t.Errorf("HTTP %d is %s, want %s", status, tatum.Outcome(err), want)
		}
	}
	cl, _ = client(t, "http://127.0.0.1:1")
	if _, err := cl.TxIDOf(t.Context(), "x"); tatum.Outcome(err) != "network" {
		t.Errorf("%v is %s", err, tatum.Outcome(err))
	}
	if tatum.Outcome(nil) != "ok" || tatum.Outcome(errors.New("x")) != "other" || tatum.Outcome(context.Canceled) != "cancelled" {
		t.Error("names")
	}
}
