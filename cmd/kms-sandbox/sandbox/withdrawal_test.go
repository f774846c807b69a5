package sandbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"

	"coldkms/cmd/testtools/sandboxtest"
)

// hd gives an xpub and the private key of its child i.
func hd(t *testing.T) (xpub string, child func(i uint32) *btcec.PrivateKey) {
	t.Helper()
	master, err := hdkeychain.NewMaster([]byte(sigID(t)), &chaincfg.TestNet3Params)
	if err != nil {
		t.Fatal(err)
	}
	public, err := master.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	return public.String(), func(i uint32) *btcec.PrivateKey {
		key, err := master.Derive(i)
		if err != nil {
			t.Fatal(err)
		}
		private, err := key.ECPrivKey()
		if err != nil {
			t.Fatal(err)
		}
		return private
	}
}

type created struct{ ID, SignatureID string }

func withdraw(t *testing.T, s *sandboxtest.Sandbox, xpub, amount string) created {
	t.Helper()
	var c created
	s.Want(t, "POST", "/v3/offchain/bitcoin/transfer", fmt.Sprintf(`{"senderAccountId":"x","address":%q,"amount":%q,"fee":"0.0001",
		"signatureId":%q,"xpub":%q,"indices":[2,5]}`, p2pkh(t, testKey(t, 9)), amount, sigID(t), xpub), &c)
	return c
}

func testWithdrawal(t *testing.T, s *sandboxtest.Sandbox) {
	xpub, child := hd(t)
	s.Fund(t, p2wpkh(t, child(2)), "0.001")
	s.Fund(t, p2wpkh(t, child(5)), "0.002")
	w := withdraw(t, s, xpub, "0.0015")
	var list []struct{ ID, Status string }
	s.Want(t, "GET", "/v3/offchain/withdrawal?currency=BTC&pageSize=50&offset=0", "", &list)
	if len(list) == 0 || list[0].ID != w.ID || list[0].Status != "InProgress" {
		t.Errorf("%+v", list)
	}
	p, doc := serialized(t, s, w.SignatureID)
	if p.WithdrawalID == nil || *p.WithdrawalID != w.ID || !slices.Equal(p.Hashes, []string{sigID(t)}) || doc.ChangeScript != "" {
		t.Errorf("pending: %+v", p)
	}
	var got []string
	for _, r := range p.WithdrawalResponses {
		got = append(got, fmt.Sprintf("%.2s %d %s", r.VIn, r.Address.DerivationKey, r.Amount))
	}
	want := []string{fmt.Sprintf("%.2s 2 0.001", doc.Inputs[0].PrevTxID), fmt.Sprintf("%.2s 5 0.002", doc.Inputs[1].PrevTxID), "-1 0 0.0014"}
	if !slices.Equal(got, want) {
		t.Errorf("responses: %q, want %q", got, want)
	}
	tx := signed(t, p.SerializedTransaction, child(2), child(5))
	body := map[string]string{"currency": "BTC", "txData": serialize(t, tx), "withdrawalId": w.ID, "signatureId": w.SignatureID}
	var sent struct {
		TxID      string
		Completed bool
	}
	s.Want(t, "POST", "/v3/offchain/withdrawal/broadcast", body, &sent)
	if sent.TxID != tx.TxHash().String() || !sent.Completed {
		t.Errorf("broadcast: %+v", sent)
	}
	if p, _ := serialized(t, s, w.SignatureID); p.TxID != sent.TxID {
		t.Errorf("pending has txId %q", p.TxID)
	}
	for _, c := range []struct {
		method, path string
		body         any
		want         int
	}{
		{"POST", "/v3/offchain/withdrawal/broadcast", body, 403}, // not in progress
		{"PUT", "/v3/offchain/withdrawal/" + w.ID + "/" + sent.TxID, nil, 204},
		{"PUT", "/v3/offchain/withdrawal/" + w.ID + "/" + doc.Inputs[0].PrevTxID, nil, 403},
		{"DELETE", "/v3/offchain/withdrawal/" + w.ID, nil, 403},
		{"PUT", "/v3/kms/" + w.SignatureID + "/" + sent.TxID, nil, 204},
		{"PUT", "/v3/kms/" + w.SignatureID + "/" + doc.Inputs[0].PrevTxID, nil, 403},
	} {
		if status, reply := s.Do(t, c.method, c.path, c.body); status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, reply, c.want)
		}
	}
}

// A withdrawal is cancelled from either end, and then cannot be broadcast.
func testCancelWithdrawal(t *testing.T, s *sandboxtest.Sandbox) {
	xpub, child := hd(t)
	s.Fund(t, p2wpkh(t, child(2)), "0.001")
	for _, path := range []func(created) string{
		func(c created) string { return "/v3/offchain/withdrawal/" + c.ID },
		func(c created) string { return "/v3/kms/" + c.SignatureID + "?revert=false" },
	} {
		w := withdraw(t, s, xpub, "0.0005")
		p, _ := serialized(t, s, w.SignatureID)
		s.Want(t, "DELETE", path(w), nil, nil)
		if status, _ := s.Do(t, "GET", "/v3/kms/"+w.SignatureID, nil); status != 403 {
			t.Errorf("%s: still pending: %d", path(w), status)
		}
		tx := signed(t, p.SerializedTransaction, child(2))
		status, _ := s.Do(t, "POST", "/v3/offchain/withdrawal/broadcast", map[string]string{
			"currency": "BTC", "txData": serialize(t, tx), "withdrawalId": w.ID, "signatureId": w.SignatureID})
		if status != 403 {
			t.Errorf("%s: broadcast of a cancelled withdrawal: %d", path(w), status)
		}
	}
}
