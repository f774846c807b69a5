package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// otherCoin is a coin that has no node in Go, with an address of a test key.
func otherCoin(t *testing.T, id chain.ID) (path, address string) {
	t.Helper()
	path, err := sandbox.PathOf(id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet})
	if err != nil {
		t.Fatal(err)
	}
	address, _ = p.KeyAddress(testKey(t, 1).PubKey().SerializeCompressed())
	return path, address
}

func fundOf(t *testing.T, s *sandboxtest.Sandbox, id chain.ID, address, amount string) string {
	t.Helper()
	var reply struct{ TxID string }
	s.Want(t, "POST", "/sandbox/faucet", fmt.Sprintf(`{"chain":%q,"address":%q,"amount":%q,"mine":true}`, id, address, amount), &reply)
	return reply.TxID
}

// Each coin's transaction comes in Tatum's form for it, and without hex, so
// that whoever needs the bytes has to ask a node.
func testForms(t *testing.T, s *sandboxtest.Sandbox) {
	for id, want := range map[chain.ID][]string{
		chain.LTC:  {`"hash":"%s"`, `"fee":"0"`, `"value":"83071993.00000001"`, `"blockNumber":`},
		chain.DOGE: {`"txid":"%s"`, `"value":90071993.00000001,"n":0`, `"confirmations":1`},
	} {
		path, address := otherCoin(t, id)
		amount := map[chain.ID]string{chain.LTC: "83071993.00000001", chain.DOGE: "90071993.00000001"}[id]
		fund := fundOf(t, s, id, address, amount)
		_, reply := s.Do(t, "GET", "/v3/"+path+"/transaction/"+fund, nil)
		for _, text := range want {
			if text = strings.Replace(text, "%s", fund, 1); !strings.Contains(string(reply), text) {
				t.Errorf("%s: no %s in %s", id, text, reply)
			}
		}
		var fields map[string]any
		if err := json.Unmarshal(reply, &fields); err != nil || fields["hex"] != nil {
			t.Errorf("%s: hex in %s (%v)", id, reply, err)
		}
		if status, reply := s.Do(t, "GET", "/v3/"+path+"/utxo/"+fund+"/0", nil); status != 200 || !strings.Contains(string(reply), amount) {
			t.Errorf("%s utxo: %d %s", id, status, reply)
		}
		s.Want(t, "GET", "/v3/blockchain/fee/"+string(id), nil, nil)
	}
	_, address := otherCoin(t, chain.BCH)
	fund := fundOf(t, s, chain.BCH, address, "0.5")
	for path, want := range map[string]int{
		"/v3/bcash/transaction/" + fund: 200, "/v3/bcash/transaction/" + strings.Repeat("0", 64): 404,
		"/v3/bcash/utxo/" + fund + "/0": 404, "/v3/blockchain/fee/BCH": 400, "/v3/bcash/info": 200,
	} {
		if status, reply := s.Do(t, "GET", path, nil); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, reply, want)
		}
	}
}

// A node of each coin gives raw bytes.
func testRawOfEveryCoin(t *testing.T, s *sandboxtest.Sandbox) {
	for _, id := range []chain.ID{chain.LTC, chain.DOGE, chain.BCH} {
		_, address := otherCoin(t, id)
		fund := fundOf(t, s, id, address, "1")
		call := func(method, params string) (result json.RawMessage, code int) {
			var reply struct {
				Result json.RawMessage
				Error  *struct{ Code int }
			}
			s.Want(t, "POST", "/v3/blockchain/node/"+string(id), fmt.Sprintf(`{"method":%q,"params":%s,"id":1}`, method, params), &reply)
			if reply.Error != nil {
				code = reply.Error.Code
			}
			return reply.Result, code
		}
		for _, params := range []string{`["` + fund + `"]`, `["` + fund + `",false]`, `["` + fund + `",0]`} {
			if raw, code := call("getrawtransaction", params); code != 0 || !strings.HasPrefix(string(raw), `"0100000001`) {
				t.Errorf("%s %s: %s %d", id, params, raw, code)
			}
		}
		if doc, _ := call("getrawtransaction", `["`+fund+`",true]`); !strings.Contains(string(doc), `"hex":"0100000001`) {
			t.Errorf("%s verbose: %s", id, doc)
		}
		for _, c := range []struct {
			method, params string
			code           int
		}{
			{"getrawtransaction", `["` + strings.Repeat("0", 64) + `",false]`, -5}, {"getrawtransaction", `[]`, -8},
			{"getblockhash", `[1]`, 0}, {"getblockhash", `[999999]`, -8}, {"getblockcount", `[]`, 0}, {"getbestblockhash", `[]`, 0},
			{"sendrawtransaction", `["00"]`, -22}, {"stop", `[]`, -32601},
		} {
			if result, code := call(c.method, c.params); code != c.code {
				t.Errorf("%s %s %s: %s %d, want %d", id, c.method, c.params, result, code, c.code)
			}
		}
	}
}

// BCH comes as hex and amounts, one hash an input, and takes its addresses
// with and without prefix and in the old form.
func testBitcoinCash(t *testing.T, s *sandboxtest.Sandbox) {
	_, address := otherCoin(t, chain.BCH)
	one, two := fundOf(t, s, chain.BCH, address, "0.5"), fundOf(t, s, chain.BCH, strings.TrimPrefix(address, "bchtest:"), "0.25")
	var created struct{ SignatureID string }
	s.Want(t, "POST", "/v3/bcash/transaction", fmt.Sprintf(`{"fromUTXO":[{"txHash":%q,"index":0,"signatureId":"a"},{"txHash":%q,"index":0,"signatureId":"b"}],
		"to":[{"address":"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r","value":0.7}],"fee":"0.01","changeAddress":%q}`, one, two, address), &created)
	var p sandbox.Pending
	s.Want(t, "GET", "/v3/kms/"+created.SignatureID, nil, &p)
	if !strings.HasPrefix(p.SerializedTransaction, "0200000002") || !strings.HasSuffix(p.SerializedTransaction, ":[50000000,25000000]") || strings.Join(p.Hashes, " ") != "a b" {
		t.Errorf("pending: %+v", p)
	}
	if status, reply := s.Do(t, "POST", "/sandbox/faucet", `{"chain":"BCH","address":"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx","amount":"1"}`); status != 400 {
		t.Errorf("a bech32 address: %d %s", status, reply)
	}
}

// A transaction that spends what another one spends is refused with the words
// of a node.
func testNodesWords(t *testing.T, s *sandboxtest.Sandbox) {
	_, address := otherCoin(t, chain.DOGE)
	fund := fundOf(t, s, chain.DOGE, address, "100")
	var created struct{ SignatureID string }
	s.Want(t, "POST", "/v3/dogecoin/transaction", fmt.Sprintf(`{"fromUTXO":[{"txHash":%q,"index":0,"signatureId":"a"}],
		"to":[{"address":%q,"value":99}]}`, fund, address), &created)
	var p sandbox.Pending
	s.Want(t, "GET", "/v3/kms/"+created.SignatureID, nil, &p)
	if !strings.Contains(p.SerializedTransaction, `"version":1`) {
		t.Errorf("pending: %s", p.SerializedTransaction)
	}
	tx := signed(t, p.SerializedTransaction, testKey(t, 1))
	body := map[string]string{"txData": serialize(t, tx), "signatureId": created.SignatureID}
	s.Want(t, "POST", "/v3/dogecoin/broadcast", body, nil)
	status, reply := s.Do(t, "POST", "/v3/dogecoin/broadcast", body)
	if status != 403 || !strings.Contains(string(reply), "dogecoin.broadcast.failed") || !strings.Contains(string(reply), "txn-already-in-mempool") {
		t.Errorf("once more: %d %s", status, reply)
	}
	if status, reply := s.Do(t, "GET", "/v3/dogecoin/utxo/"+fund+"/0", nil); status != 403 || !strings.Contains(string(reply), "tx.hash.index.spent") {
		t.Errorf("utxo: %d %s", status, reply)
	}
}
