package sandbox_test

import (
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/sandboxtest"
)

// The tests that need no sandbox of their own share one; each has keys of
// its own.
func TestSandbox(t *testing.T) {
	s := sandboxtest.Start(t, sandbox.Config{})
	for _, c := range []struct {
		name string
		test func(*testing.T, *sandboxtest.Sandbox)
	}{
		{"Refusals", testRefusals},
		{"NodeCalls", testNodeCalls},
		{"Loop", testLoop},
		{"SpendsAll", testSpendsAll},
		{"DustChange", testDustChange},
		{"MempoolCounts", testMempoolCounts},
		{"Faucet", testFaucet},
		{"Withdrawal", testWithdrawal},
		{"CancelWithdrawal", testCancelWithdrawal},
		{"UnknownPendingID", testUnknownPendingID},
		{"FailureReports", testFailureReports},
		{"Concurrent", testConcurrent},
		{"Forms", testForms},
		{"RawOfEveryCoin", testRawOfEveryCoin},
		{"BitcoinCash", testBitcoinCash},
		{"NodesWords", testNodesWords},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
}

// height of the chain.
func height(t *testing.T, s *sandboxtest.Sandbox) int {
	t.Helper()
	var info struct{ Blocks int }
	s.Want(t, "GET", "/v3/bitcoin/info", nil, &info)
	return info.Blocks
}
