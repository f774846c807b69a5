package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
)

// A line of progress is cleared before data follows on the same terminal.
func TestProgressIsCleared(t *testing.T) {
	dir, program := t.TempDir(), builtProgram(t)
	server, stop := tatumtest.Start()
	defer stop()
	s := relaytest.NewSigner(2)
	prev := s.Funding(1)
	server.Chain(relaytest.Hex(prev))
	server.Add(s.Payment(1, prev, func(map[string]any) {}))
	watch := filepath.Join(dir, "signer.kmswatch")
	if err := os.WriteFile(watch, s.Watch(1), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, append([]string{"--state", filepath.Join(dir, "state"), "--testnet"}, args...)...)
		cmd.Env = append(os.Environ(), "TATUM_API_URL="+server.URL, "TATUM_API_KEY="+tatumtest.Key)
		return cmd
	}
	for _, args := range [][]string{{"init"}, {"pair", watch}} {
		if out, err := command(args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	fetch := command("fetch")
	tty, err := pty.Start(fetch)
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(tty) // ends with an error when the program has closed its terminal
	if err := fetch.Wait(); err != nil {
		t.Fatalf("%v: %s", err, shown)
	}
	text := string(shown)
	if !strings.Contains(text, "1 of 1") || !strings.Contains(text, `"prepared": 1`) {
		t.Fatalf("shown: %q", text)
	}
	if regexp.MustCompile(`\d of \d\x1b\[K[^\r]`).MatchString(text) {
		t.Errorf("something follows the progress on its line: %q", text)
	}
}
