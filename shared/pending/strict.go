package pending

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Two readers of one JSON text must not see two transactions in it. Go's own
// reader takes a name in any case, and of two fields of one name the last;
// JavaScript's takes names as they stand. What the two would read differently
// is refused here.

// maxDepth bounds how deep a pending transaction nests; Tatum's nest four deep.
const maxDepth = 16

// names are all that is read anywhere in a pending transaction.
var names = [...]string{
	"id", "chain", "serializedTransaction", "hashes", "index", "withdrawalId", "withdrawalResponses", "signatures", "txId",
	"vIn", "vInIndex", "address", "derivationKey",
}

// strict goes through one JSON value.
func strict(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := walk(dec, maxDepth); err != nil {
		return err
	}
	return ends(dec)
}

func walk(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == 0 {
		return fmt.Errorf("it nests deeper than %d", maxDepth)
	}
	var seen map[string]bool
	for dec.More() {
		if open == '{' {
			if seen, err = field(dec, seen); err != nil {
				return err
			}
		}
		if err := walk(dec, depth-1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// field reads the name of a field, which stands once, and which is not a known
// one in another case.
func field(dec *json.Decoder, seen map[string]bool) (map[string]bool, error) {
	token, err := dec.Token()
	if err != nil {
		return seen, err
	}
	name, _ := token.(string)
	if seen[name] {
		return seen, fmt.Errorf("field %.40q stands twice in one place", name)
	}
	for _, known := range names {
		if name != known && strings.EqualFold(name, known) {
			return seen, fmt.Errorf("field %.40q is %q in another case", name, known)
		}
	}
	if seen == nil {
		seen = make(map[string]bool)
	}
	seen[name] = true
	return seen, nil
}

// ends reports whether nothing follows.
func ends(dec *json.Decoder) error {
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows it at byte %d", dec.InputOffset())
	}
	return nil
}
