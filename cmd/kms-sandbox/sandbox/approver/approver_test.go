package approver

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coldkms/shared/attestation"
	"coldkms/shared/chain"
)

const id = "61fe7c68cf2fbc595cbb89dd"

func facts(paid int64) chain.Facts {
	return chain.Facts{
		Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Fee: chain.NewAmount(1000),
		Sources:   []chain.Source{{ID: "aa:0", Address: "own", Amount: chain.NewAmount(uint64(5000 + paid))}},
		Movements: []chain.Movement{{Lock: []byte{1}, Address: "other", Amount: chain.NewAmount(uint64(paid))}, {Lock: []byte{2}, Address: "own", Amount: chain.NewAmount(4000)}},
	}
}

func ask(t *testing.T, method, path string, body any) *httptest.ResponseRecorder {
	t.Helper()
	key, err := TestKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	a := Approver{Key: key, Limit: 1000, Valid: time.Hour, Now: func() time.Time { return time.Unix(1_790_000_000, 0) }}
	a.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(string(b))))
	return w
}

func TestApprovesUpToTheLimit(t *testing.T) {
	w := ask(t, http.MethodPost, "/approver/"+id, attestation.Ask(id, facts(1000)))
	var answer attestation.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); w.Code != 200 || err != nil || len(answer.Statements) != 1 {
		t.Fatal(w.Code, w.Body, err)
	}
	s := answer.Statements[0]
	if key, _ := TestKey(); s.Approver != key.Public() || s.Expires != 1_790_003_600 || !attestation.Of(id, facts(1000)).Verify(s) {
		t.Errorf("%+v", s)
	}
}

func TestRefuses(t *testing.T) {
	unaddressed := attestation.Ask(id, facts(1001))
	unaddressed.Inputs[0].Address, unaddressed.Outputs[0].Address, unaddressed.Outputs = "", "", unaddressed.Outputs[:1]
	overflow := attestation.Ask(id, facts(math.MaxInt64))
	overflow.Outputs = append(overflow.Outputs, overflow.Outputs[0])
	negative := attestation.Ask(id, facts(-5))
	for name, c := range map[string]struct {
		path string
		body any
		want int
	}{
		"above the limit":    {"/approver/" + id, attestation.Ask(id, facts(1001)), 403},
		"nobody's address":   {"/approver/" + id, unaddressed, 403},
		"beyond all numbers": {"/approver/" + id, overflow, 403},
		"negative":           {"/approver/" + id, negative, 403},
		"another id":         {"/approver/else", attestation.Ask(id, facts(1)), 400},
		"no item":            {"/approver/" + id, []int{1}, 400},
		"forged lines":       {"/approver/" + id, attestation.Question{ID: id, Chain: "BTC\nfee 0", Network: "testnet"}, 400},
	} {
		if w := ask(t, http.MethodPost, c.path, c.body); w.Code != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := ask(t, http.MethodGet, "/approver/"+id, nil); w.Code != 405 {
		t.Errorf("asked about an id alone: %d", w.Code)
	}
	if w := ask(t, http.MethodGet, "/approver", nil); w.Code != 200 || !strings.Contains(w.Body.String(), `"limit":1000`) {
		t.Errorf("asked who it is: %d %s", w.Code, w.Body)
	}
}
