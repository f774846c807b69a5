package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testNames are the tests of this repository, and the rows of its tables, such as
// "80-backup-copied-by-hand".
type testNames struct{ tests, rows map[string]bool }

func namesOfTests(t *testing.T) testNames {
	t.Helper()
	names := testNames{map[string]bool{}, map[string]bool{}}
	test := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)
	row := regexp.MustCompile(`\{"([0-9]{2,3}[a-z]?-[a-zA-Z0-9-]+)"`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range test.FindAllSubmatch(source, -1) {
			names.tests[string(m[1])] = true
		}
		for _, m := range row.FindAllSubmatch(source, -1) {
			names.rows[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// hasRow reports whether there is a row of that name; a short one such as "30a" or
// "06-" stands for those that begin so.
func (n testNames) hasRow(name string) bool {
	if i := strings.IndexByte(name, '-'); i > 0 && i < len(name)-1 {
		return n.rows[name]
	}
	for row := range n.rows {
		if strings.HasPrefix(row, strings.TrimSuffix(name, "-")+"-") {
			return true
		}
	}
	return false
}

// Each test that a document names is there, and each promise and each adversary of
// docs/THREATS.md names one.
func TestThreatsNamesItsTests(t *testing.T) {
	have := namesOfTests(t)
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	const row = "([0-9]{2,3}[a-z]?(?:-[a-zA-Z0-9-]*)?)"
	named := regexp.MustCompile("`(?:(Test\\w+|Fuzz\\w+)(?:/" + row + ")?|" + row + ")`")
	n := 0
	for _, path := range append(documents, "../../README.md", "../../CONTRIBUTING.md", "../../SECURITY.md") {
		text := readFile(t, path)
		threats := strings.HasSuffix(path, "THREATS.md")
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if m[1] != "" && !have.tests[m[1]] {
				t.Errorf("%s names %s: there is no such test", path, m[1])
			}
			if m[2] != "" && !have.hasRow(m[2]) || threats && m[3] != "" && !have.hasRow(m[3]) {
				t.Errorf("%s names %s: no table has such a row", path, m[0])
			}
			n++
		}
		if threats {
			everyPromise(t, text, named)
		}
	}
	if n < 150 {
		t.Errorf("only %d names were found", n)
	}
}

// everyPromise looks for a test's name in each row of the promises and each
// paragraph about an adversary.
func everyPromise(t *testing.T, text string, named *regexp.Regexp) {
	t.Helper()
	_, promises, _ := strings.Cut(text, "\n## Promises\n")
	promises, rest, _ := strings.Cut(promises, "\n## Adversaries\n")
	adversaries, _, _ := strings.Cut(rest, "\n## ")
	var parts []string
	for line := range strings.Lines(promises) {
		if strings.HasPrefix(line, "| I") {
			parts = append(parts, line)
		}
	}
	parts = append(parts, strings.Split(adversaries, "\n\n**")...)
	if len(parts) < 8+15 {
		t.Errorf("only %d promises and adversaries", len(parts))
	}
	for _, part := range parts {
		if strings.TrimSpace(part) != "" && !named.MatchString(part) {
			t.Errorf("THREATS.md has a promise without a test: %.60s…", part)
		}
	}
}
