package sandbox_test

import (
	"fmt"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
)

// What a relay waits for most: a previous transaction.
func BenchmarkTransaction(b *testing.B) {
	s := sandboxtest.Start(b, sandbox.Config{})
	id := s.Fund(b, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "0.001")
	for b.Loop() {
		s.Want(b, "GET", "/v3/bitcoin/transaction/"+id, nil, nil)
	}
}

// What a test with many payments waits for: making them.
func BenchmarkCreate(b *testing.B) {
	s := sandboxtest.Start(b, sandbox.Config{})
	const address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	body := fmt.Sprintf(`{"fromUTXO":[{"txHash":%q,"index":0,"signatureId":"k"}],"to":[{"address":%q,"value":0.0009}]}`,
		s.Fund(b, address, "0.001"), address)
	for b.Loop() {
		s.Want(b, "POST", "/v3/bitcoin/transaction", body, nil)
	}
}

// A poll with ten thousand pending.
func BenchmarkPending(b *testing.B) {
	s := sandboxtest.Start(b, sandbox.Config{})
	for i := range 10_000 {
		p := sandbox.Pending{ID: fmt.Sprintf("%024x", i), Chain: "BTC", Hashes: []string{"k"}, SerializedTransaction: fmt.Sprintf("%0500d", i)}
		if err := s.Records.AddPending(b.Context(), p, nil); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		s.Want(b, "POST", "/v3/kms/pending/BTC", `{"signatureIds":["k"]}`, nil)
	}
}
