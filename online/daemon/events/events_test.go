package events_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/daemon/events"
)

func event() daemon.Event {
	return daemon.Event{Event: "failed", At: time.Unix(1_800_000_000, 0).UTC(), Message: "x is failed", Item: online.Status{ID: "x", State: "failed"}}
}

func TestWebhook(t *testing.T) {
	var got daemon.Event
	status := 204
	elsewhere := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			elsewhere++
			return
		}
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &got); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v %s", r.Method, r.Header, b)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer server.Close()
	w, err := events.NewWebhook(server.URL+"/hook?token=secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Tell(t.Context(), event()); err != nil || !reflect.DeepEqual(got, event()) {
		t.Errorf("%v, %+v", err, got)
	}
	for _, status = range []int{307, 404, 500} {
		if err := w.Tell(t.Context(), event()); err == nil || elsewhere > 0 {
			t.Errorf("%d was heard: %v", status, err)
		}
	}
	server.Close()
	if err := w.Tell(t.Context(), event()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	for address, ok := range map[string]bool{"https://example.com/x": true, "http://127.0.0.1:1/x": true, "http://localhost/x": true, "http://example.com/x": false, "ftp://x/": false, "x": false, "": false} {
		if _, err := events.NewWebhook(address, nil); (err == nil) != ok || (err != nil && !errors.Is(err, events.ErrURL)) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Setenv("TATUM_API_KEY", "t-secret")
	dir := t.TempDir()
	program := filepath.Join(dir, "hear")
	write := func(text string) {
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	heard := filepath.Join(dir, "heard")
	write("{ echo \"$1 $X ${TATUM_API_KEY:-none}\"; cat; } > " + heard)
	c := events.Command{Path: program, Env: []string{"X=y"}}
	if err := c.Tell(t.Context(), event()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(heard)
	first, rest, _ := strings.Cut(string(b), "\n")
	var got daemon.Event
	if err != nil || first != "failed y none" || json.Unmarshal([]byte(rest), &got) != nil || !reflect.DeepEqual(got, event()) {
		t.Errorf("%q, %v", b, err)
	}
	write("echo no way >&2\nexit 3\n")
	if err := c.Tell(t.Context(), event()); err == nil || !strings.Contains(err.Error(), "no way") {
		t.Errorf("%v", err)
	}
	write("head -c 100000 /dev/zero | tr '\\0' x >&2\nexit 1\n")
	if err := c.Tell(t.Context(), event()); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%.2000v", err)
	}
}

// A reply that was cut, and a page of a login, are no receiver's answer.
func TestWebhookAnswers(t *testing.T) {
	for body, heard := range map[string]bool{
		"":                              true,
		"OK":                            true,
		"<!DOCTYPE html><html>Sign in":  false,
		" <html><body>Sign in</html>":   false,
		strings.Repeat("x", 100_000):    true,
		"cut":                           false,
		"cut" + strings.Repeat("x", 50): false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if strings.HasPrefix(body, "cut") {
				w.Header().Set("Content-Length", "100")
			}
			_, _ = io.WriteString(w, body)
		}))
		w, err := events.NewWebhook(server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Tell(t.Context(), event()); (err == nil) != heard || errors.Is(err, daemon.ErrUnwanted) {
			t.Errorf("%.40q: %v", body, err)
		}
		server.Close()
	}
}
