package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
)

// ready makes a funded, pending and signed transaction.
func ready(t *testing.T, s *sandboxtest.Sandbox) (id string, body map[string]string) {
	t.Helper()
	a := p2wpkh(t, testKey(t, 1))
	s.Fund(t, a, "0.001")
	id = create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":%q}],"to":[{"address":%q,"value":0.0009}]}`, a, sigID(t), a))
	p, _ := serialized(t, s, id)
	return id, map[string]string{"txData": serialize(t, signed(t, p.SerializedTransaction, testKey(t, 1))), "signatureId": id}
}

func broadcasts(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/broadcast") }

// The reply is lost, the broadcast is not.
func TestLostReply(t *testing.T) {
	s := sandboxtest.Start(t, sandbox.Config{Faults: sandbox.Faults{Wrap: sandbox.LoseReplies(broadcasts)}})
	id, body := ready(t, s)
	if status, reply, err := s.Try("POST", "/v3/bitcoin/broadcast", body); err == nil {
		t.Fatalf("a reply came: %d %s", status, reply)
	}
	if p, doc := serialized(t, s, id); p.TxID != doc.Hash { // P2WPKH: signing keeps the id
		t.Errorf("completed with %q, want %q", p.TxID, doc.Hash)
	}
}

func TestThrottled(t *testing.T) {
	var calls atomic.Int32
	first := func(r *http.Request) bool { return broadcasts(r) && calls.Add(1) == 1 }
	s := sandboxtest.Start(t, sandbox.Config{Faults: sandbox.Faults{Wrap: sandbox.Answer(http.StatusTooManyRequests, first)}})
	_, body := ready(t, s)
	if status, _ := s.Do(t, "POST", "/v3/bitcoin/broadcast", body); status != http.StatusTooManyRequests {
		t.Errorf("first: %d", status)
	}
	s.Want(t, "POST", "/v3/bitcoin/broadcast", body, nil)
}

// failed says that the node took it and that it has to be marked by hand.
func TestUnmarked(t *testing.T) {
	s := sandboxtest.Start(t, sandbox.Config{Faults: sandbox.Faults{Unmarked: func(string) bool { return true }}})
	id, body := ready(t, s)
	var sent struct {
		TxID   string
		Failed bool
	}
	s.Want(t, "POST", "/v3/bitcoin/broadcast", body, &sent)
	if p, _ := serialized(t, s, id); !sent.Failed || p.TxID != "" {
		t.Errorf("%+v, txId %q", sent, p.TxID)
	}
	s.Want(t, "GET", "/v3/bitcoin/transaction/"+sent.TxID, nil, nil)
	s.Want(t, "PUT", "/v3/kms/"+id+"/"+sent.TxID, nil, nil)
	if p, _ := serialized(t, s, id); p.TxID != sent.TxID {
		t.Errorf("marked with %q", p.TxID)
	}

	xpub, child := hd(t)
	s.Fund(t, p2wpkh(t, child(2)), "0.001")
	w := withdraw(t, s, xpub, "0.0005")
	p, _ := serialized(t, s, w.SignatureID)
	var done struct{ Completed bool }
	s.Want(t, "POST", "/v3/offchain/withdrawal/broadcast", map[string]string{"currency": "BTC", "withdrawalId": w.ID,
		"signatureId": w.SignatureID, "txData": serialize(t, signed(t, p.SerializedTransaction, child(2)))}, &done)
	if p, _ := serialized(t, s, w.SignatureID); done.Completed || p.TxID != "" {
		t.Errorf("withdrawal: %+v, txId %q", done, p.TxID)
	}
}

// A pending id that nobody knows: the broadcast lands all the same.
func testUnknownPendingID(t *testing.T, s *sandboxtest.Sandbox) {
	_, body := ready(t, s)
	body["signatureId"] = strings.Repeat("0", 24)
	var sent struct{ Failed bool }
	if s.Want(t, "POST", "/v3/bitcoin/broadcast", body, &sent); !sent.Failed {
		t.Error("not failed")
	}
}

func testFailureReports(t *testing.T, s *sandboxtest.Sandbox) {
	s.Want(t, "POST", "/v3/tatum/kms/batch", `{"errors":[{"signatureId":"a","error":"one"},{"signatureId":"b","error":"two"}]}`, nil)
	var list []sandbox.Failure
	s.Want(t, "GET", "/sandbox/failures", nil, &list)
	if len(list) != 2 || list[0] != (sandbox.Failure{PendingID: "b", Error: "two"}) {
		t.Errorf("failures: %+v", list)
	}
}

// Many at once: every faucet payment lands and every block is kept.
func testConcurrent(t *testing.T, s *sandboxtest.Sandbox) {
	a := p2wpkh(t, testKey(t, 1))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				status, reply, err := s.Try("POST", "/sandbox/faucet", fmt.Sprintf(`{"address":%q,"amount":"0.001","mine":true}`, a))
				if err != nil || status != 200 {
					t.Errorf("%d %s %v", status, reply, err)
				}
			}
		})
	}
	group.Wait()
	_, doc := serialized(t, s, create(t, s, fmt.Sprintf(`{"fromAddress":[{"address":%q,"signatureId":"a"}],"to":[{"address":%q,"value":0.08}]}`, a, a)))
	if len(doc.Inputs) != 80 {
		t.Errorf("%d inputs, want 80", len(doc.Inputs))
	}
}
