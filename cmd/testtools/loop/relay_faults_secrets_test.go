//go:build unix

package loop

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
)

func secretFaults() []fault {
	return []fault{{"48-secrets-in-any-writing", secretsEverywhere}}
}

const (
	otherTenant = "t-6f0e1d2c-0ther-tenant-8899aa"
	serviceKey  = "s3rvice-t0ken-0123456789abcdef"
)

// writings are a secret as somebody may write it.
func writings(secret string) []string {
	percent, escapes := "", ""
	for _, c := range []byte(secret) {
		percent += fmt.Sprintf("%%%02X", c)
		escapes += fmt.Sprintf(`\u%04x`, c)
	}
	return []string{
		secret, strings.ToUpper(secret), percent, escapes, base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("x-api-key: " + secret)), hex.EncodeToString([]byte(secret)), secret[:7] + " " + secret[7:],
	}
}

// echo is a Tatum that has a text in every field that it can.
func (p *plainRelay) echo(text string) {
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", text)
		w.Header().Set("X-Request-Id", text)
		refused := fmt.Sprintf(`{"errorCode":"%s","message":"no %s","error":{"%s":"%s"},"statusCode":403}`, text, text, text, text)
		switch path := r.Method + " " + r.URL.Path; {
		case r.Header.Get("x-api-key") == otherTenant:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, refused)
		case strings.HasSuffix(path, "/broadcast"):
			_, _ = fmt.Fprintf(w, `{"txId":"%s"}`, text)
		case path == "GET /v3/kms/"+relaytest.ID(1):
			_, _ = fmt.Fprintf(w, `{"id":"%s","txId":"%s"}`, text, text)
		case strings.HasPrefix(path, "GET /v3/kms/"), strings.HasPrefix(path, "DELETE "):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, refused)
		case strings.HasPrefix(path, "POST /v3/kms/pending/"):
			_, _ = fmt.Fprintf(w, `[{"id":"%s","chain":"BTC"},{"id":"00000000000000000000aaaa","chain":"%s","serializedTransaction":"%s"}]`, text, text, text)
		case strings.Contains(path, "/transaction/"):
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, refused)
		default:
			return false
		}
		return true
	})
}

// What Tatum, under either key, and the approval service say of any secret is
// nowhere: not shown, logged, kept or told.
func secretsEverywhere(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(1, 2)
	p.pay(3)
	p.must("fetch")
	keys := filepath.Join(p.dir, "keys")
	p.write(keys, []byte("default testnet "+tatumtest.Key+"\nother testnet "+otherTenant+"\n"))
	if err := os.Chmod(keys, 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var told, say strings.Builder
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told.Write(b)
	}))
	defer hook.Close()
	var answer string
	approvals := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, answer)
	}))
	defer approvals.Close()
	secrets := []string{tatumtest.Key, otherTenant, serviceKey}
	for i := range writings(tatumtest.Key) {
		for _, secret := range secrets {
			answer = writings(secret)[i]
			p.echo(answer)
			for _, args := range [][]string{{"daemon", "--runOnce", "--drop", p.stick(), "--event-url", hook.URL + "/?token=" + otherTenant}, {"broadcast"}, {"reject", relaytest.ID(2), "--why", "x"}} {
				got := p.run(append(args, "--api-key-file", keys, "--externalUrl", approvals.URL+"/"+serviceKey)...)
				say.WriteString(got.out + got.err)
			}
		}
	}
	for _, args := range [][]string{{"status", "--all"}, {"alarms", "--all"}, {"letters"}, {"report"}} {
		got := p.run(append(args, "--api-key-file", keys)...)
		say.WriteString(got.out + got.err)
	}
	d := p.daemon("--api-key-file", keys, "--listen", "127.0.0.1:0", "--event-url", hook.URL)
	address := regexp.MustCompile(`http://[0-9.:]+/metrics`)
	p.eventually("metrics are served", func() bool { return address.MatchString(d.words.String()) })
	p.eventually("a round is done", func() bool { return strings.Contains(p.get(address.FindString(d.words.String())), "_total") })
	say.WriteString(p.get(address.FindString(d.words.String())))
	d.stop()
	mu.Lock()
	places := map[string]string{"output": say.String() + d.words.String(), "events": told.String()}
	mu.Unlock()
	files, _ := filepath.Glob(filepath.Join(p.state(), "*"))
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(path), "journal.db") { // the relay's own record of which service it asks
			b = []byte(strings.ReplaceAll(string(b), approvals.URL+"/"+serviceKey, ""))
		}
		places[path] = string(b)
	}
	for place, text := range places {
		for _, secret := range secrets {
			for i, form := range writings(secret) {
				if at := strings.Index(text, form); at >= 0 {
					t.Errorf("%s has %.4s… in writing %d: %q", place, secret, i, text[max(0, at-80):at+len(form)])
				}
			}
		}
	}
	if !strings.Contains(places["output"], "[key]") {
		t.Error("nothing stands in their place")
	}
}

func (p *plainRelay) get(address string) string {
	p.Helper()
	resp, err := http.Get(address)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}
