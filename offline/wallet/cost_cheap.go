//go:build coldkms_cheap_kdf

package wallet

// leastCost protects nothing: for tests that open wallets thousands of times.
// No release carries the tag; selftest fails with it.
func leastCost() Cost { return Cost{Memory: 64, Passes: 1, Lanes: 1} }

// CheapKDF says that this program was built for tests.
const CheapKDF = true
