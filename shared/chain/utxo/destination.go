package utxo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/btcsuite/btcd/txscript/v2"
)

// maxNamed is how long a script may be to stand for itself, in bytes.
const maxNamed = 80

// Destination names where an output goes, for policy, review and ledger: its
// address; without one its script in hex. Data (OP_RETURN) and long scripts,
// which may have a megabyte, are named by length and hash instead:
// "sha256:LENGTH:HEX".
func Destination(address string, script []byte) string {
	switch {
	case address != "":
		return address
	case len(script) > maxNamed, len(script) > 0 && script[0] == txscript.OP_RETURN:
		return fmt.Sprintf("sha256:%d:%x", len(script), sha256.Sum256(script))
	}
	return hex.EncodeToString(script)
}
