package pending

import (
	"fmt"
	"strings"

	"coldkms/shared/strictjson"
)

// maxDepth bounds how deep a pending transaction nests; Tatum's nest four deep.
const maxDepth = 16

// names are all that is read anywhere in a pending transaction.
var names = [...]string{
	"id", "chain", "serializedTransaction", "hashes", "index", "withdrawalId", "withdrawalResponses", "signatures", "txId",
	"vIn", "vInIndex", "address", "derivationKey",
}

// strict returns an error for JSON that two readers could read differently.
func strict(raw []byte) error {
	return strictjson.Rules{Depth: maxDepth, Name: inItsCase}.Check(raw)
}

// inItsCase refuses a known name in another case.
func inItsCase(name string) error {
	for _, known := range names {
		if name != known && strings.EqualFold(name, known) {
			return fmt.Errorf("field %.40q is %q in another case", name, known)
		}
	}
	return nil
}
