package online_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A person finds every code of the relay in the handbook.
func TestCodesInDocs(t *testing.T) {
	documented, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`chain\.Code = "([a-z-]+)"`)
	found := 0
	for _, pattern := range []string{"*.go", "journal/*.go"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range code.FindAllSubmatch(source, -1) {
				found++
				word := string(m[1])
				if !regexp.MustCompile("(?m)^\\| `" + word + "` \\|").Match(documented) {
					t.Errorf("%s of %s is not in the table of docs/OPERATIONS.md", word, path)
				}
			}
		}
	}
	if found < 13 {
		t.Errorf("only %d codes found", found)
	}
}
