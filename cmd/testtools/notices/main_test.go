package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test's own program stands for one with modules: it has none, so that the
// list is Go alone.
func TestNotices(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(string) (string, error) { return dir, nil }
	if _, err := notices([]string{self}, at); err == nil || !strings.Contains(err.Error(), "no licence file") {
		t.Errorf("without a licence: %v", err)
	}
	for name, text := range map[string]string{"LICENSE.txt": "you may\n", "NOTICE": "by us\n", "readme.md": "not terms\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := notices([]string{self}, at)
	if err != nil || !strings.Contains(text, "you may") || !strings.Contains(text, "by us") || strings.Contains(text, "not terms") {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := notices(nil, at); err == nil {
		t.Error("no program, and no error")
	}
}

// A program that was built in a checkout has a version, which no proxy knows: it is
// this project, and not a module that is linked.
func TestOwnModuleIsNoDependency(t *testing.T) {
	program := filepath.Join(t.TempDir(), "notices")
	if out, err := exec.Command("go", "build", "-buildvcs=auto", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	list, err := modules(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range list {
		if strings.HasPrefix(module, "coldkms@") {
			t.Errorf("%s is listed", module)
		}
	}
}
