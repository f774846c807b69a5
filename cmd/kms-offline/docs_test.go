//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coldkms/offline/harden"
)

// Every command of kms-offline that a document tells to type is there.
func TestDocumentedCommands(t *testing.T) {
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{"help": true}
	for _, c := range (&app{}).root().Commands() {
		have[c.Name()] = true
		if c.Long == "" || c.Short == "" || c.Example == "" {
			t.Errorf("%s has no full help", c.Name())
		}
	}
	typed := regexp.MustCompile(`kms-offline((?:\s+--(?:testnet|json|path \S+|password-file \S+))*)\s+([a-z][a-z-]{2,})\b`)
	found := 0
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			command, isTyped := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if !isTyped {
				command, isTyped = strings.CutPrefix(line, "kms-offline ")
				command = "kms-offline " + command
			}
			if !isTyped {
				continue
			}
			for _, m := range typed.FindAllStringSubmatch(command, -1) {
				if found++; !have[m[2]] {
					t.Errorf("%s: there is no command %s", path, m[2])
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands found", found)
	}
}

// What the signer asks of a system is told for all systems, by the names that
// selftest prints.
func TestSystemsNamesEveryCheck(t *testing.T) {
	text, err := os.ReadFile("../../docs/SYSTEMS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		harden.NoCore, harden.NoDump, harden.NoSockets, harden.NoTyping,
		harden.NoInherited, harden.NoStreams, harden.OwnFiles,
	} {
		if !strings.Contains(string(text), "\n| "+name+" | yes | ") {
			t.Errorf("docs/SYSTEMS.md has no row for %q", name)
		}
	}
}
