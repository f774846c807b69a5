//go:build unix

package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The screens in docs/REVIEW.md are those that the tests saw: a block that is
// headed by a comment with a file's name is that file.
func TestScreensInTheDocs(t *testing.T) {
	const doc = "../../docs/REVIEW.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)<!-- (\\S+) -->\n```text\n(.*?)```\n")
	found := map[string]bool{}
	fresh := block.ReplaceAllStringFunc(string(text), func(s string) string {
		m := block.FindStringSubmatch(s)
		golden, err := os.ReadFile(filepath.Join("../..", m[1]))
		if err != nil {
			t.Fatal(err)
		}
		found[m[1]] = true
		return "<!-- " + m[1] + " -->\n```text\n" + strings.TrimRight(string(golden), "\n") + "\n```\n"
	})
	for _, name := range []string{"batch", "totals", "list", "look", "item", "count", "approved", "resume", "clean", "sign"} {
		if !found["cmd/kms-offline/testdata/screens/"+name+".txt"] {
			t.Errorf("%s does not show the screen %s", doc, name)
		}
	}
	if fresh == string(text) {
		return
	}
	if !*update {
		t.Errorf("%s shows screens that are not so any more: "+
			"go test ./cmd/kms-offline -run TestScreensInTheDocs -update", doc)
		return
	}
	if err := os.WriteFile(doc, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}
