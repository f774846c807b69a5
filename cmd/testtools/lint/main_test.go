package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListOnlyShrinks(t *testing.T) {
	list, err := parse(header + "long a.go 3\nlong b.go 2\ncomplex a.go (*T).Do 30\ndead c.go F 1\n")
	if err != nil {
		t.Fatal(err)
	}
	found := tally{{kindLong, "a.go", ""}: 4, {kindComplex, "a.go", "(*T).Do"}: 27, {kindDead, "d.go", "G"}: 1}
	bad := strings.Join(list.judge(found), "\n")
	const want = "a.go: 4 lines over 120 columns (.ci/lint.txt allows 3)\nd.go: G is never called"
	if bad != want {
		t.Errorf("%s", bad)
	}
	const left = header + "complex a.go (*T).Do 27\nlong a.go 3\n"
	if got := list.shrunk(found).String(); got != left {
		t.Errorf("%s", got)
	}
	if _, err := parse("long a.go\n"); err == nil {
		t.Error("an entry without a number is accepted")
	}
}

func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	text := "package x\n\n// " + strings.Repeat("é", 117) + "\n// " + strings.Repeat("é", 118) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found := make(tally)
	err := longLines(found, dir)
	if err == nil {
		err = complexFunctions(found, "41 main (*app).export cmd/export.go:18:1\n")
	}
	if err == nil {
		err = deadFunctions(found, "cmd/x.go:7:6: unreachable func: T.Is\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, n := range map[key]int{
		{kindLong, filepath.ToSlash(filepath.Join(dir, "x.go")), ""}: 1,
		{kindComplex, "cmd/export.go", "(*app).export"}:              41,
		{kindDead, "cmd/x.go", "T.Is"}:                               1,
	} {
		if found[k] != n {
			t.Errorf("%v: %d, want %d", k, found[k], n)
		}
	}
	if complexFunctions(found, "no such line\n") == nil || deadFunctions(found, "no such line\n") == nil {
		t.Error("output that is not understood is accepted")
	}
}
