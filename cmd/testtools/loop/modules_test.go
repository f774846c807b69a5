//go:build unix

package loop

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// linkedModules returns the modules in a product program, as go version -m lists them.
func linkedModules(t *testing.T, program string) map[string]string {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(filepath.Join(bin, program))
	if err != nil {
		t.Fatal(err)
	}
	linked := make(map[string]string)
	for _, m := range info.Deps {
		linked[m.Path] = m.Version
	}
	return linked
}

func TestThreatsExplainsEveryModule(t *testing.T) {
	text, err := os.ReadFile("../../../docs/THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| module | why |\n")
	if !found {
		t.Fatal("docs/THREATS.md has no table of modules")
	}
	linked := linkedModules(t, "kms-offline")
	explained := make(map[string]bool)
	for _, row := range regexp.MustCompile(`(?m)^\| (\S+) \| \S`).FindAllStringSubmatch(table, -1) {
		explained[row[1]] = true
		if linked[row[1]] == "" {
			t.Errorf("docs/THREATS.md explains %s, which is not linked into the signer", row[1])
		}
	}
	for module := range linked {
		if !explained[module] {
			t.Errorf("docs/THREATS.md does not explain %s, which is linked into the signer", module)
		}
	}
}

// The file that make build puts beside the programs has a licence of each module.
func TestNoticesAreComplete(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	list := []string{"kms-offline", "kms-online", "kms-sandbox", "btcd"}
	args := []string{"run", "coldkms/cmd/testtools/notices"}
	for _, program := range list {
		args = append(args, filepath.Join(bin, program))
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("notices: %v\n%s", err, out)
	}
	for _, program := range list {
		for module, version := range linkedModules(t, program) {
			if !strings.Contains(string(out), "\n"+module+"@"+version+", LICEN") {
				t.Errorf("no licence of %s, which is linked into %s", module, program)
			}
		}
	}
	for _, name := range []string{"\ngo, LICENSE\n", "\ngithub.com/btcsuite/btcd@"} {
		if !strings.Contains(string(out), name) {
			t.Errorf("no licence of %q", name)
		}
	}
}
