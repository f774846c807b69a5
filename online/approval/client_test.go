package approval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldkms/shared/attestation"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

const id = "61fe7c68cf2fbc595cbb89dd"

var at = time.Unix(1_790_000_000, 0)

func facts() chain.Facts {
	return chain.Facts{
		Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Fee: chain.NewAmount(1000),
		Sources:   []chain.Source{{ID: "aa:0", Address: "tb1qa", Amount: chain.NewAmount(2000)}},
		Movements: []chain.Movement{{Lock: []byte{0, 0x14}, Address: "tb1qb", Amount: chain.NewAmount(1000)}},
	}
}

func approver(t *testing.T, seed byte) identity.Private {
	t.Helper()
	k, err := identity.FromSeed(bytes.Repeat([]byte{seed}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// service answers with h; asked counts.
func service(t *testing.T, method string, h http.HandlerFunc) (c *Client, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	c, err := New(Config{URL: s.URL + "/secret-path/", Method: method, Now: func() time.Time { return at }, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

func answers(t *testing.T, list ...attestation.Statement) http.HandlerFunc {
	b, err := json.Marshal(attestation.Answer{Statements: list})
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

func TestPostBringsStatements(t *testing.T) {
	content := attestation.Of(id, facts())
	one, two := content.Sign(approver(t, 1), at.Unix()+60), content.Sign(approver(t, 2), at.Unix()+60)
	var got attestation.Question
	c, _ := service(t, "post", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/secret-path/"+id || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked by %s %s", r.Method, r.URL)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		answers(t, one, two)(w, r)
	})
	list, err := c.Vouch(t.Context(), id, facts())
	if err != nil || len(list) != 2 || attestation.Compare(list[0], list[1]) >= 0 {
		t.Fatal(list, err)
	}
	if asked, err := got.Content(); err != nil || !asked.Verify(one) {
		t.Errorf("asked about %+v, %v", got, err)
	}
}

func TestGetIsAsInKMS(t *testing.T) {
	for status, want := range map[int]error{200: nil, 204: nil, 404: ErrRefused, 403: ErrRefused, 302: ErrNoAnswer, 500: ErrNoAnswer} {
		c, _ := service(t, "", func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/secret-path/"+id {
				t.Errorf("asked by %s %s", r.Method, r.URL)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		if list, err := c.Vouch(t.Context(), id, facts()); !errors.Is(err, want) || list != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// What a body says outweighs the status, and what lifts a no is a yes in so many
// words.
func TestBodies(t *testing.T) {
	for _, c := range []struct {
		status     int
		kind, body string
		want       error
	}{
		{200, "text/plain", "", nil},
		{204, "", "", nil},
		{200, "application/json", `{"approved":true}`, nil},
		{200, "text/plain", "OK\n", nil},
		{200, "application/json", `{}`, ErrNoAnswer},
		{200, "application/json", `{"id":"x","status":200}`, ErrNoAnswer},
		{200, "application/json", `{"approved":false}`, ErrRefused},
		{200, "application/json", `{"approved":"true"}`, ErrRefused},
		{200, "application/json", `{"approved":true,"Approved":false}`, ErrRefused},
		{200, "application/json", `{"approved":{"a":[true]},"x":true}`, ErrRefused},
		{200, "application/json", `{"error":"denied","statusCode":403}`, ErrRefused},
		{200, "application/json", `{"approved":true,"error":"down"}`, ErrNoAnswer},
		{200, "application/json", `{"statusCode":503}`, ErrNoAnswer},
		{200, "application/json", `{"success":false}`, ErrRefused},
		{200, "application/json", `{"status":"pending"}`, ErrNoAnswer},
		{200, "application/json", `{"approved":true`, ErrNoAnswer},
		{200, "application/json", `null`, ErrNoAnswer},
		{200, "application/json", `[]`, ErrNoAnswer},
		{200, "text/plain", "no", ErrRefused},
		{200, "application/json", ` {"approved": true} `, nil},
		{200, "application/json", `{"Approved":true}`, ErrNoAnswer},
		{200, "application/json", `{"approved":true}{"approved":false}`, ErrNoAnswer},
		{200, "application/json", `{"approved":true,"pending":true}`, ErrNoAnswer},
		{200, "application/json", `{"authorized":false}`, ErrNoAnswer},
		{200, "application/json", `{"permit":"no"}`, ErrNoAnswer},
		{200, "application/json", `{"data":{"approved":false}}`, ErrNoAnswer},
		{200, "application/json", `{"message":"denied by policy"}`, ErrNoAnswer},
		{200, "application/json", `{"denied":false}`, ErrNoAnswer},
		{200, "text/plain", "<html>login</html>", ErrNoAnswer},
		{200, "Text/HTML; charset=utf-8", "ok", ErrNoAnswer},
		{201, "", "", ErrNoAnswer},
		{206, "text/plain", "no", ErrNoAnswer},
		{299, "", "", ErrNoAnswer},
	} {
		client, _ := service(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		})
		if _, err := client.Vouch(t.Context(), id, facts()); !errors.Is(err, c.want) {
			t.Errorf("%d %s %q: %v, want %v", c.status, c.kind, c.body, err, c.want)
		}
	}
}

// A service has one name, however its address is written.
func TestServiceName(t *testing.T) {
	for _, address := range []string{"https://Approvals.Example:443/check/", "https://approvals.example/./x/../check", "https://approvals.example/check"} {
		c, err := New(Config{URL: address})
		if err != nil || c.Service() != "https://approvals.example/check" {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Whatever a service answers, what comes home is about this transaction.
func TestPostRefuses(t *testing.T) {
	content := attestation.Of(id, facts())
	good := content.Sign(approver(t, 1), at.Unix()+60)
	other := facts()
	other.Fee = other.Fee.Plus(chain.NewAmount(1))
	var many []attestation.Statement
	for i := range attestation.Max + 1 {
		many = append(many, content.Sign(approver(t, byte(i)), at.Unix()+60))
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	for name, c := range map[string]struct {
		h     http.HandlerFunc
		want  error
		asked int64
	}{
		"no":                {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "too much", http.StatusForbidden) }, ErrRefused, 1},
		"no statement":      {text(`{"statements":[]}`), ErrRefused, 1},
		"another form":      {text(`{}`), ErrNoAnswer, 1},
		"a yes without":     {text(`{"approved":true}`), ErrNoAnswer, 1},
		"a yes with none":   {text(`{"approved":true,"statements":[]}`), ErrNoAnswer, 1},
		"a word without":    {text("OK"), ErrNoAnswer, 1},
		"no JSON":           {text("yes"), ErrNoAnswer, 1},
		"a null":            {text(`{"statements":[null]}`), ErrNoAnswer, 1},
		"another content":   {answers(t, attestation.Of(id, other).Sign(approver(t, 1), at.Unix()+60)), ErrNoAnswer, 1},
		"one good, one not": {answers(t, good, attestation.Of(id, other).Sign(approver(t, 2), at.Unix()+60)), ErrNoAnswer, 1},
		"expired":           {answers(t, content.Sign(approver(t, 1), at.Unix())), ErrNoAnswer, 1},
		"twice":             {answers(t, good, good), ErrNoAnswer, 1},
		"too many":          {answers(t, many...), ErrNoAnswer, 1},
		"too long":          {text(`{"statements":[` + strings.Repeat(" ", maxReply) + "]}"), ErrNoAnswer, 1},
		"good, and too long": {func(w http.ResponseWriter, r *http.Request) {
			answers(t, good)(w, r)
			_, _ = w.Write(bytes.Repeat([]byte(" "), maxReply))
		}, ErrNoAnswer, 1},
		"somewhere else": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, ErrNoAnswer, 1},
		"overloaded":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, ErrNoAnswer, attempts},
		"broken":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, ErrNoAnswer, attempts},
		"cut in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.WriteHeader(200)
		}, ErrNoAnswer, attempts},
		"hung up":               {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrNoAnswer, attempts},
		"control bytes in a no": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "\x1b[2J", http.StatusForbidden) }, ErrRefused, 1},
	} {
		client, asked := service(t, "POST", c.h)
		list, err := client.Vouch(t.Context(), id, facts())
		if !errors.Is(err, c.want) || list != nil || asked.Load() != c.asked {
			t.Errorf("%s: %v after %d calls, %d statements", name, err, asked.Load(), len(list))
		}
		if err != nil && (strings.Contains(err.Error(), "secret-path") || strings.ContainsAny(err.Error(), "\x1b")) {
			t.Errorf("%s: the error says %v", name, err)
		}
	}
}

// A service that is down holds a batch up for some items, not for all.
func TestSilentServiceIsLeftAlone(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	c, asked := service(t, "GET", func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(503)
		}
	})
	for range maxSilent - 1 {
		_, _ = c.Vouch(t.Context(), id, facts())
	}
	down.Store(false)
	if _, err := c.Vouch(t.Context(), id, facts()); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	asked.Store(0)
	for range 2 * maxSilent {
		if _, err := c.Vouch(t.Context(), id, facts()); !errors.Is(err, ErrNoAnswer) {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != maxSilent*attempts {
		t.Errorf("asked %d times", n)
	}
}

// What is said of some items, whatever it is, keeps nobody from asking about others.
func TestAnswersAreNoSilence(t *testing.T) {
	for _, bad := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(500) },
		func(w http.ResponseWriter) { _, _ = w.Write(bytes.Repeat([]byte("x"), maxReply+1)) },
		func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"pending":true}`)) },
	} {
		c, asked := service(t, "GET", func(w http.ResponseWriter, _ *http.Request) { bad(w) })
		for range 2 * maxSilent {
			asked.Store(0)
			if _, err := c.Vouch(t.Context(), id, facts()); !errors.Is(err, ErrNoAnswer) || asked.Load() == 0 {
				t.Fatal(err)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	for _, bad := range []Config{
		{URL: ""}, {URL: "http://approver.example/x"}, {URL: "ftp://127.0.0.1/x"}, {URL: "https://u:p@host/x"}, {URL: "https://host/x?y=z"},
		{URL: "https://host/x#y"}, {URL: "https://host/x#"}, {URL: "https://host/x?"}, {URL: "https://host/%78"}, {URL: "https:///x"}, {URL: "http://127.0.0.1.example/x"}, {URL: "https://host", Method: "PUT"},
	} {
		if _, err := New(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, good := range []string{"https://host/x", "http://127.0.0.1:1/x", "http://localhost:1", "http://[::1]:1"} {
		if _, err := New(Config{URL: good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
