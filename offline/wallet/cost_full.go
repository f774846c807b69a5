//go:build !coldkms_cheap_kdf

package wallet

// leastCost is 256 MiB, three passes, four lanes: about half a second on two
// cores of a 2025 server.
func leastCost() Cost { return Cost{Memory: 256 << 10, Passes: 3, Lanes: 4} }

// CheapKDF says that this program was built for tests.
const CheapKDF = false
