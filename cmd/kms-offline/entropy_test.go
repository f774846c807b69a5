//go:build unix

package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/expect"
	"coldkms/offline/hd"
)

// thrown are 50 throws, without a doubt.
const thrown = "32461151351521144121541512665155412152342515356215"

const fair = "425346132615423651425316244163526113345226514364152363142655134261245335162434616253142566134253164"

// snippet is the Python program of docs/ENTROPY.md.
func snippet(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/ENTROPY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, begins := strings.Cut(string(doc), "```python\n")
	code, _, ends := strings.Cut(code, "```")
	if !begins || !ends {
		t.Fatal("docs/ENTROPY.md has no program")
	}
	return code
}

// recompute runs the program of docs/ENTROPY.md on a transcript.
func recompute(t *testing.T, system, dice, words string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: hd.TestMixIsHKDF computes the same in Go")
	}
	file := filepath.Join(t.TempDir(), "check.py")
	if err := os.WriteFile(file, []byte(snippet(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-I", file)
	cmd.Dir, cmd.Stdin = filepath.Dir(file), strings.NewReader(system+"\n"+dice+"\n"+words+"\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestEntropyDocument(t *testing.T) {
	const system = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	for words, n := range map[string]int{"12": 12, "15": 15, "18": 18, "21": 21, "24": 24} {
		raw, err := hex.DecodeString(system)
		if err != nil {
			t.Fatal(err)
		}
		mixed, err := hd.Mix(raw, []byte(fair), n)
		if err != nil {
			t.Fatal(err)
		}
		out := recompute(t, system, fair, words)
		if want := "entropy: " + hex.EncodeToString(mixed.Entropy) + "\n"; !strings.Contains(out, want) {
			t.Errorf("%s words: %q, want %q", words, out, want)
		}
	}
}

// A person throws dice at the real program; what its terminal showed gives
// the words of its stdout again, in another language.
func TestTranscriptRecomputes(t *testing.T) {
	binary := realProgram(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := expect.Run(ctx, exec.Command(binary, "--testnet", "generatewallet", "BTC", "--dice", "--words", "12"),
		expect.Answer{Prompt: "0 of 50 throws: ", Reply: "1234567"},
		expect.Answer{Prompt: "0 of 50 throws: ", Reply: thrown[:10]},
		expect.Answer{Prompt: "10 of 50 throws: ", Reply: thrown[10:30] + " " + thrown[30:]},
	)
	if err != nil || got.Code != 0 {
		t.Fatalf("%v, exit %d, stderr %q", err, got.Code, got.Stderr)
	}
	if strings.Contains(got.Stdout+got.Stderr, thrown[:10]) || strings.Contains(got.Stdout+got.Stderr, "system") {
		t.Errorf("the transcript is not on the terminal only: %q %q", got.Stdout, got.Stderr)
	}
	field := func(name string) string {
		m := regexp.MustCompile(`(?m)^  ` + name + ` +([0-9a-f]+)`).FindStringSubmatch(got.Screen)
		if m == nil {
			t.Fatalf("no %s in %q", name, got.Screen)
		}
		return m[1]
	}
	var reply walletReply
	if err := json.Unmarshal([]byte(got.Stdout), &reply); err != nil {
		t.Fatal(err)
	}
	entropy, err := hex.DecodeString(field("entropy"))
	if err != nil {
		t.Fatal(err)
	}
	if words, err := hd.MnemonicOf(entropy); err != nil || string(words) != reply.Mnemonic || field("dice") != thrown {
		t.Errorf("the transcript is of other words (%v)", err)
	}
	out := recompute(t, field("system"), field("dice"), "12")
	commitment := regexp.MustCompile(`  ([0-9a-f]{64})\r?\n0 of 50`).FindStringSubmatch(got.Screen)
	if commitment == nil || !strings.Contains(out, commitment[1]) || !strings.Contains(out, "entropy: "+field("entropy")+"\n") {
		t.Errorf("%q does not fit %q", out, got.Screen)
	}
}
