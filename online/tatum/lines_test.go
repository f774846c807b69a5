package tatum_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// Where all calls about one chain fail, those about another one are made.
func TestLines(t *testing.T) {
	output := strings.Repeat("ab", 32) + ":0"
	c, pace, _ := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "litecoin") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"hash":"` + strings.Repeat("ab", 32) + `","index":0}`))
	})
	var err error
	for range 100 {
		_, err = c.Spent(t.Context(), chain.LTC, output)
	}
	if !errors.Is(err, tatum.ErrPaused) {
		t.Errorf("LTC: %v", err)
	}
	if _, err := c.Spent(t.Context(), chain.BTC, output); err != nil {
		t.Errorf("BTC: %v", err)
	}
	if u := pace.Usage(); len(u.Lines) != 1 || u.Lines[0] != "chain LTC" || u.Paused.IsZero() {
		t.Errorf("%+v", u)
	}
}

// The reply about an output of DOGE is a node's, which names no transaction. It is no
// answer with another name in it, without what an output has, or for another chain.
func TestSpentAsNode(t *testing.T) {
	output := strings.Repeat("ab", 32) + ":0"
	const best = `"bestblock":"00000000000000000000000000000000000000000000000000000000000000ff"`
	whole := "{" + best + `,"confirmations":3,"value":1.5,"scriptPubKey":{"hex":"76a9"}}`
	for body, ok := range map[string]bool{
		whole:                        true,
		"{}":                         false,
		"{" + best + `,"value":1.5}`: false,
		"{" + best + `,"scriptPubKey":{"hex":"76a9"}}`:                        false,
		"{" + best + `,"value":1.5,"scriptPubKey":{"hex":""}}`:                false,
		`{"bestblock":"x","value":1.5,"scriptPubKey":{"hex":"76a9"}}`:         false,
		"{" + best + `,"value":1.5,"scriptPubKey":{"hex":"76a9"},"txid":"x"}`: false,
		"{" + best + `,"value":1.5,"scriptPubKey":{"hex":"76a9"},"index":1}`:  false,
	} {
		c, _, _ := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		})
		if spent, err := c.Spent(t.Context(), chain.DOGE, output); spent || (err == nil) != ok {
			t.Errorf("%s: %t, %v", body, spent, err)
		}
		if _, err := c.Spent(t.Context(), chain.BTC, output); err == nil {
			t.Errorf("%s is taken for BTC", body)
		}
	}
}
