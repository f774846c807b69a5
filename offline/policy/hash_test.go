package policy

import (
	"encoding/hex"
	"os"
	"testing"
)

// The policy files of before have the hashes that ledgers and results of before
// name them by.
func TestHashesOfBefore(t *testing.T) {
	every, err := os.ReadFile("testdata/every-rule.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, hash string }{
		"the example": {Example(), "555d08850d320a193a4935721b1344c9e6d028c5683c9f99edad11bb9a620a4e"},
		"every rule":  {string(every), "26ced6feba92d0136495cfc1da5e01e8d1a22d704cac6d765f8f1252c54fe728"},
	} {
		if got := hex.EncodeToString(mustParse(t, c.file).Hash()); got != c.hash {
			t.Errorf("%s: the hash is %s", name, got)
		}
	}
}
