package sandbox_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
)

// serialized returns a pending transaction and what it asks to sign.
func serialized(t *testing.T, s *sandboxtest.Sandbox, id string) (sandbox.Pending, bitcoreJSON) {
	t.Helper()
	var p sandbox.Pending
	s.Want(t, "GET", "/v3/kms/"+id, nil, &p)
	var doc bitcoreJSON
	if err := json.Unmarshal([]byte(p.SerializedTransaction), &doc); err != nil {
		t.Fatal(err)
	}
	return p, doc
}

// All that an address has is spent, from every address, and each input names
// its key: in hashes, or with an index in signatures.
func testSpendsAll(t *testing.T, s *sandboxtest.Sandbox) {
	one, two := p2wpkh(t, testKey(t, 1)), p2pkh(t, testKey(t, 2))
	for range 3 {
		s.Fund(t, one, "0.001")
	}
	s.Fund(t, two, "0.002")
	id := create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"sa"},{"address":%q,"signatureId":"sm","index":7}],
		"to":[{"address":%q,"value":0.004}],"fee":"0.0001","changeAddress":%q}`, one, two, two, one))
	p, doc := serialized(t, s, id)
	if strings.Join(p.Hashes, " ") != "sa sa sa" || len(p.Signatures) != 1 || p.Signatures[0] != (sandbox.Signature{ID: "sm", Index: 7}) {
		t.Errorf("keys: %v %v", p.Hashes, p.Signatures)
	}
	if len(doc.Inputs) != 4 || len(doc.Outputs) != 2 || doc.Outputs[1].Satoshis != 90_000 {
		t.Errorf("transaction: %+v", doc)
	}
	if doc.ChangeIndex == nil || *doc.ChangeIndex != 1 || doc.Fee == nil || *doc.Fee != 10_000 || !strings.HasPrefix(doc.ChangeScript, "OP_0 20 0x") {
		t.Errorf("change: %+v", doc)
	}
	for key, want := range map[string]int{"sa": 1, "sm": 1, "sa,sm": 1, "sb": 0} {
		var list []sandbox.Pending
		s.Want(t, "GET", "/v3/kms/pending/BTC?signatures="+key, nil, &list)
		if len(list) != want {
			t.Errorf("signatures=%s: %d pending, want %d", key, len(list), want)
		}
	}
	tx := signed(t, p.SerializedTransaction, testKey(t, 1), testKey(t, 2))
	s.Want(t, "POST", "/v3/bitcoin/broadcast", map[string]string{"txData": serialize(t, tx), "signatureId": id}, nil)
}

// Change that would be dust is fee, and then there is no changeIndex.
func testDustChange(t *testing.T, s *sandboxtest.Sandbox) {
	a := p2wpkh(t, testKey(t, 1))
	s.Fund(t, a, "0.001")
	for fee, want := range map[string]int{"0.00009454": 2, "0.00009455": 1} { // leaves 546, 545
		_, doc := serialized(t, s, create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"a"}],
			"to":[{"address":%q,"value":0.0009}],"fee":%q,"changeAddress":%q}`, a, a, fee, a)))
		if len(doc.Outputs) != want || (doc.ChangeIndex != nil) != (want == 2) || doc.ChangeScript == "" {
			t.Errorf("fee %s: %+v", fee, doc)
		}
	}
}

// What the mempool spends is spent, and what it pays can be spent.
func testMempoolCounts(t *testing.T, s *sandboxtest.Sandbox) {
	key := testKey(t, 1)
	a, b := p2wpkh(t, key), p2wpkh(t, testKey(t, 2))
	fund := s.Fund(t, a, "0.001")
	id := create(t, s, fmt.Sprintf(`{"fromUTXO":[{"txHash":%q,"index":0,"signatureId":"a"}],"to":[{"address":%q,"value":0.0009}]}`, fund, b))
	p, _ := serialized(t, s, id)
	tx := signed(t, p.SerializedTransaction, key)
	body := map[string]string{"txData": serialize(t, tx), "signatureId": id}
	s.Want(t, "POST", "/v3/bitcoin/broadcast", body, nil)

	if status, reply := s.Do(t, "GET", "/v3/bitcoin/utxo/"+fund+"/0", nil); status != 403 || !strings.Contains(string(reply), "tx.hash.index.spent") {
		t.Errorf("spent in the mempool: %d %s", status, reply)
	}
	status, _ := s.Do(t, "POST", "/v3/bitcoin/transaction", fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"a"}],"to":[{"address":%q,"value":0.0001}]}`, a, b))
	if status != 403 {
		t.Errorf("spent twice: %d", status)
	}
	var list []struct {
		Hash        string
		BlockNumber *int64
	}
	s.Want(t, "GET", "/v3/bitcoin/transaction/address/"+a, nil, &list)
	if len(list) != 2 || list[0].Hash != tx.TxHash().String() || list[0].BlockNumber != nil || list[1].BlockNumber == nil {
		t.Errorf("history: %+v", list)
	}
	s.Want(t, "GET", "/v3/bitcoin/transaction/address/"+a+"?pageSize=1&offset=1", nil, &list)
	if len(list) != 1 || list[0].Hash != fund {
		t.Errorf("second page: %+v", list)
	}
	if _, doc := serialized(t, s, create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"b"}],"to":[{"address":%q,"value":0.0008}]}`, b, a))); doc.Inputs[0].PrevTxID != tx.TxHash().String() {
		t.Errorf("unconfirmed output: %+v", doc)
	}

	// Again: the node knows it, before and after it is mined.
	for range 2 {
		status, reply := s.Do(t, "POST", "/v3/bitcoin/broadcast", body)
		if status != 403 || !strings.Contains(string(reply), "bitcoin.broadcast.failed") {
			t.Errorf("sent again: %d %s", status, reply)
		}
		s.Want(t, "POST", "/sandbox/mine", `{}`, nil)
	}
}

// The faucet pays to scripts of every kind, many times in one block.
func testFaucet(t *testing.T, s *sandboxtest.Sandbox) {
	key, before := testKey(t, 5), height(t, s)
	p2pk, err := txscript.NewScriptBuilder().AddData(key.PubKey().SerializeCompressed()).AddOp(txscript.OP_CHECKSIG).Script()
	if err != nil {
		t.Fatal(err)
	}
	p2tr, err := txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(key.PubKey()))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		`"address":"` + p2pkh(t, key) + `"`, `"address":"` + p2wpkh(t, key) + `"`, `"address":"2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"`,
		`"script":"` + hex.EncodeToString(p2pk) + `"`, `"script":"` + hex.EncodeToString(p2tr) + `"`, `"script":"51"`,
		`"address":"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c"`,
	} {
		var paid struct{ TxID string }
		s.Want(t, "POST", "/sandbox/faucet", `{`+target+`,"amount":0.01}`, &paid)
		var out struct{ Value int64 }
		s.Want(t, "GET", "/v3/bitcoin/utxo/"+paid.TxID+"/0", nil, &out)
		if out.Value != 1_000_000 {
			t.Errorf("%s: %+v", target, out)
		}
		// A bare public key shares its history with its P2PKH address, not its coins.
		create(t, s, fmt.Sprintf(`{"fromUTXO":[{"txHash":%q,"index":0,"signatureId":"a"}],"to":[{"address":%q,"value":0.009}]}`, paid.TxID, p2pkh(t, key)))
	}
	_, doc := serialized(t, s, create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"a"}],"to":[{"address":%q,"value":0.009}]}`, p2pkh(t, key), p2pkh(t, key))))
	if len(doc.Inputs) != 1 {
		t.Errorf("P2PKH spends %d outputs, want its own one", len(doc.Inputs))
	}
	for range 400 { // more than there are coinbases
		s.Want(t, "POST", "/sandbox/faucet", fmt.Sprintf(`{"address":%q,"amount":"0.01"}`, p2wpkh(t, key)), nil)
	}
	var outputs []string
	for range 2000 {
		outputs = append(outputs, fmt.Sprintf(`{"address":%q,"amount":"0.001"}`, p2pkh(t, testKey(t, 6))))
	}
	s.Want(t, "POST", "/sandbox/faucet", `{"mine":true,"outputs":[`+strings.Join(outputs, ",")+`]}`, nil)
	if after := height(t, s); after != before+1 {
		t.Errorf("height %d, want %d", after, before+1)
	}
	_, doc = serialized(t, s, create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"a"}],"to":[{"address":%q,"value":1.9}]}`, p2pkh(t, testKey(t, 6)), p2pkh(t, key))))
	if len(doc.Inputs) != 2000 {
		t.Errorf("%d inputs, want 2000", len(doc.Inputs))
	}
}
