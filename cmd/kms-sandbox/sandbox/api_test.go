package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
)

// What is wrong is answered as Tatum answers it.
func testRefusals(t *testing.T, s *sandboxtest.Sandbox) {
	a := p2wpkh(t, testKey(t, 1))
	fund := s.Fund(t, a, "0.001")
	nobody := strings.Repeat("0", 64)
	from := fmt.Sprintf(`"fromAddress":[{"address":%q,"signatureId":"k"}]`, a)
	to := fmt.Sprintf(`"to":[{"address":%q,"value":0.0001}]`, a)
	tpub := "tpubDEifnQttfJQpxewKWKrtMUbLzhtdjcFdu4DvBJBGuejHG6jQtpLiif8kExdURJrzzAJvAvkgXhoKkM3nTfivjXA5bSeH8Du1WizBUhobqAG"
	const post, transaction = "POST", "/v3/bitcoin/transaction"
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/", "", 404, "not.found"},
		{"GET", "/v3/bitcoin/nonsense", "", 404, "not.found"},
		{"GET", "/v3//tatum/version", "", 404, "not.found"},
		{"DELETE", transaction, "", 405, "method.not.allowed"},
		{post, "/v3/kms/pending/NOPE", `{"signatureIds":[]}`, 400, "validation.failed"},
		{post, "/v3/kms/pending/BTC", `{}`, 400, "validation.failed"},
		{post, "/v3/kms/pending/BTC", `{"signatureIds":"x"}`, 400, "validation.failed"},
		{"GET", "/v3/kms/000000000000000000000000", "", 403, "kms.missing"},
		{"PUT", "/v3/kms/000000000000000000000000/" + nobody, "", 403, "kms.missing"},
		{"PUT", "/v3/kms/000000000000000000000000/abc", "", 400, "validation.failed"},
		{"DELETE", "/v3/kms/000000000000000000000000", "", 403, "kms.missing"},

		{post, transaction, ``, 400, "validation.failed"},
		{post, transaction, `[]`, 400, "validation.failed"},
		{post, transaction, `{` + from + `} {}`, 400, "validation.failed"},
		{post, transaction, `{` + from + `}`, 400, "validation.failed"},
		{post, transaction, `{` + to + `}`, 400, "validation.failed"},
		{post, transaction, `{` + from + `,"to":[{"address":"nowhere","value":1}]}`, 400, "validation.failed"},
		{post, transaction, `{` + from + `,"to":[{"address":"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa","value":1}]}`, 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, "0.0001", `"0.0001"`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, "0.0001", `0.000000001`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, "0.0001", `0`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, "0.0001", `-1`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, `"k"`, `"k","privateKey":"cV"`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, `"k"`, `"k","index":2147483648`, 1), 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, `"k"`, `"../k"`, 1), 400, "validation.failed"},
		{post, transaction, `{` + from + `,` + to + `,"fee":"0.0001"}`, 400, "validation.failed"},
		{post, transaction, `{` + from + `,` + to + `,"fee":0.0001,"changeAddress":"` + a + `"}`, 400, "validation.failed"},
		{post, transaction, `{` + from + `,` + from + `,` + to + `,"fromUTXO":[{}]}`, 400, "validation.failed"},
		{post, transaction, `{"fromUTXO":[{"txHash":"` + nobody + `","index":0,"signatureId":"k"}],` + to + `}`, 404, "tx.not.found"},
		{post, transaction, `{"fromUTXO":[{"txHash":"` + fund + `","index":9,"signatureId":"k"}],` + to + `}`, 404, "tx.not.found"},
		{post, transaction, `{"fromUTXO":[{"txHash":"` + fund + `","signatureId":"k"}],` + to + `}`, 400, "validation.failed"},
		{post, transaction, `{"fromUTXO":[{"txHash":"` + fund + `","index":0,"signatureId":"k"},{"txHash":"` + fund + `","index":0,"signatureId":"k"}],` + to + `}`, 400, "validation.failed"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, "0.0001", `0.002`, 1), 403, "insufficient.funds.on.sender.account"},
		{post, transaction, strings.Replace(`{`+from+`,`+to+`}`, a, p2pkh(t, testKey(t, 9)), 1), 403, "transaction.failed"},

		{post, "/v3/bitcoin/broadcast", `{"txData":"xx"}`, 400, "validation.failed"},
		{post, "/v3/bitcoin/broadcast", `{"txData":""}`, 400, "validation.failed"},
		{"GET", "/v3/bitcoin/transaction/" + nobody, "", 404, "tx.not.found"},
		{"GET", "/v3/bitcoin/transaction/" + nobody[1:], "", 400, "validation.failed"},
		{"GET", "/v3/bitcoin/transaction/address/nowhere", "", 400, "validation.failed"},
		{"GET", "/v3/bitcoin/transaction/address/" + a + "?pageSize=51", "", 400, "validation.failed"},
		{"GET", "/v3/bitcoin/utxo/" + nobody + "/0", "", 404, "tx.not.found"},
		{"GET", "/v3/bitcoin/utxo/" + fund + "/x", "", 400, "validation.failed"},
		{"GET", "/v3/blockchain/fee/ETH", "", 400, "validation.failed"},
		{post, "/v3/blockchain/node/ETH", "{}", 400, "validation.failed"},

		{post, "/v3/offchain/bitcoin/transfer", `{"address":"` + a + `","amount":"1","signatureId":"k","xpub":"x"}`, 400, "validation.failed"},
		{post, "/v3/offchain/bitcoin/transfer", `{"address":"` + a + `","amount":"1","signatureId":"k","xpub":"` + tpub + `"}`, 403, "transaction.failed"},
		{post, "/v3/offchain/withdrawal/broadcast", `{"currency":"BTC","txData":"00","withdrawalId":"x"}`, 400, "validation.failed"},
		{post, "/v3/offchain/withdrawal/broadcast", `{"currency":"XRP","txData":"00","withdrawalId":"x"}`, 400, "validation.failed"},
		{"DELETE", "/v3/offchain/withdrawal/x", "", 404, "withdrawal.not.found"},
		{"PUT", "/v3/offchain/withdrawal/x/" + nobody, "", 404, "withdrawal.not.found"},

		{post, "/sandbox/faucet", `{"address":"` + a + `","amount":"1001"}`, 400, "validation.failed"},
		{post, "/sandbox/faucet", `{"address":"nowhere","amount":"1"}`, 400, "validation.failed"},
		{post, "/sandbox/faucet", `{"script":"5","amount":"1"}`, 400, "validation.failed"},
		{post, "/sandbox/mine", `{"blocks":0}`, 400, "validation.failed"},
		{post, "/sandbox/mine", `{"blocks":1001}`, 400, "validation.failed"},
	} {
		status, reply := s.Do(t, c.method, c.path, c.body)
		var body struct {
			ErrorCode, Message string
			StatusCode         int
			Data               []json.RawMessage
		}
		if err := json.Unmarshal(reply, &body); err != nil {
			t.Errorf("%s %s: reply is not JSON: %s", c.method, c.path, reply)
			continue
		}
		if status != c.status || body.StatusCode != c.status || body.ErrorCode != c.code || body.Message == "" {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, status, reply, c.status, c.code)
		}
		if (body.ErrorCode == "validation.failed") != (len(body.Data) > 0) {
			t.Errorf("%s %s %s: data %s", c.method, c.path, c.body, body.Data)
		}
	}
	big := bytes.Repeat([]byte(" "), sandbox.MaxBody+1)
	if status, reply := s.Do(t, post, transaction, string(big)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of %d bytes: %d %s", len(big), status, reply)
	}
}

func TestKey(t *testing.T) {
	s := sandboxtest.Start(t, sandbox.Config{APIKey: "one-key"})
	for key, want := range map[string]int{"one-key": 200, "": 401, "One-key": 401, "one-key ": 200, sandbox.DefaultAPIKey: 401} {
		s.Key = key
		status, reply := s.Do(t, "GET", "/v3/tatum/version", nil)
		if status != want || status == 401 && !bytes.Contains(reply, []byte(`"subscription.invalid"`)) {
			t.Errorf("key %q: %d %s, want %d", key, status, reply, want)
		}
	}
	s.Key = ""
	for path, want := range map[string]int{
		"/v3/blockchain/node/BTC/one-key/": 200, "/v3/blockchain/node/BTC/one-key": 200, "/v3/blockchain/node/bitcoin/one-key/": 200,
		"/v3/blockchain/node/BTC/other/": 401, "/v3/blockchain/node/BTC": 401, "/v3/blockchain/node/BTC/": 401, "/v3/kms/one-key/": 401,
	} {
		if status, reply := s.Do(t, "POST", path, `{"method":"getblockcount","params":[],"id":1}`); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, reply, want)
		}
	}
}

func testNodeCalls(t *testing.T, s *sandboxtest.Sandbox) {
	fund := s.Fund(t, p2wpkh(t, testKey(t, 1)), "0.001")
	var one struct {
		Result any
		Error  *struct{ Code int }
		ID     string
	}
	call := func(method, params string) {
		t.Helper()
		one.Result, one.Error = nil, nil
		s.Want(t, "POST", "/v3/blockchain/node/BTC", fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":%s,"id":"x"}`, method, params), &one)
	}
	call("getrawtransaction", `["`+fund+`",false]`)
	if text, isText := one.Result.(string); !isText || len(text) < 100 || one.ID != "x" {
		t.Errorf("getrawtransaction false: %+v", one)
	}
	call("getrawtransaction", `["`+fund+`",true]`)
	if doc, isDoc := one.Result.(map[string]any); !isDoc || doc["txid"] != fund {
		t.Errorf("getrawtransaction true: %+v", one)
	}
	for method, code := range map[string]int{"stop": -32601, "generate": -32601, "sendrawtransaction": -22} {
		if call(method, `[]`); one.Error == nil || one.Error.Code != code {
			t.Errorf("%s: %+v, want error %d", method, one, code)
		}
	}
	var many []struct{ Result any }
	s.Want(t, "POST", "/v3/blockchain/node/BTC", `[{"method":"getblockcount","params":[],"id":1},{"method":"getbestblockhash","id":2}]`, &many)
	if len(many) != 2 || many[0].Result != float64(height(t, s)) {
		t.Errorf("batch: %+v", many)
	}
}
