//go:build unix

package main

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A proof names a package and a test that are there, and shows figures of
// words that the test prints.
func TestProofsExist(t *testing.T) {
	for _, p := range proofs {
		files, err := filepath.Glob(filepath.Join("../../..", p.pkg, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no tests in %s", p.name, p.pkg)
			continue
		}
		tests := regexp.MustCompile("^(?:" + p.test + ")")
		found, named := false, p.env == ""
		for _, path := range files {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(interface{ Pos() token.Pos }); ok {
					text, isFunc := strings.CutPrefix(string(source[f.Pos()-1:]), "func ")
					found = found || isFunc && tests.MatchString(strings.SplitN(text, "(", 2)[0])
				}
			}
			name, _, _ := strings.Cut(p.env, "=")
			named = named || strings.Contains(string(source), `"`+name+`"`)
		}
		if !found || !named {
			t.Errorf("%s: %s has no test %s, or none that reads %s", p.name, p.pkg, p.test, p.env)
		}
	}
}

// A page has figure, command and date of each proof, and says what failed.
func TestPage(t *testing.T) {
	p, q := find(t, "crash:"), find(t, "mutants:")
	good := result{proof: p, began: time.Unix(0, 0), took: 90 * time.Second,
		figures: p.read([]byte("noise\ncrash: 3 kills\n--- PASS"))}
	bad := result{proof: q, err: errors.New("exit status 1"),
		figures: q.read([]byte("relay mutants, not caught: no fsync\nnoise\nrelay mutants: 3/4 caught, 0 skipped\n"))}
	text := string(page(nil, place{commit: "abc", machine: "here", programs: "go"}, []result{good, bad}))
	for _, want := range []string{"abc", "here", "- crash: 3 kills\n", "KMS_KILLS=10000 go test",
		"1970-01-01 00:00 UTC, 1m30s", "**Failed**: exit status 1",
		"- relay mutants, not caught: no fsync\n- relay mutants: 3/4"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	// What is not measured again stays.
	again := string(page([]byte(text), place{commit: "def"}, []result{{proof: q, figures: []string{"more"}}}))
	if !strings.Contains(again, "- crash: 3 kills\n") || !strings.Contains(again, "- more") ||
		strings.Contains(again, "no fsync") || strings.Count(again, "\n## ") != len(proofs) {
		t.Errorf("merged:\n%s", again)
	}
	// What was never measured is named with its command, until it is.
	if n := strings.Count(again, unmeasured); n != len(proofs)-2 {
		t.Errorf("%d proofs not measured, want %d", n, len(proofs)-2)
	}
	if string(page([]byte(again), place{}, nil)) != again {
		t.Error("a page does not stay as it is")
	}
}

func find(t *testing.T, part string) proof {
	t.Helper()
	for _, p := range proofs {
		if p.named(part) {
			return p
		}
	}
	t.Fatalf("there is no proof of %s", part)
	return proof{}
}
