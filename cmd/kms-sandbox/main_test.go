package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/testtools/sandboxtest"
)

// TestMain lets the test binary be kms-sandbox, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("KMS_SANDBOX_TEST_MAIN") == "1" {
		main()
	}
	os.Exit(m.Run())
}

const address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"

// process is a kms-sandbox of its own.
type process struct {
	cmd   *exec.Cmd
	url   string
	words *bytes.Buffer
}

// launch starts a sandbox on state and waits until it is ready.
func launch(t *testing.T, state string) process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready")
	p := process{words: new(bytes.Buffer)}
	p.cmd = exec.Command(os.Args[0], "serve", "--state", state, "--listen", "127.0.0.1:0", "--btcd", sandboxtest.Btcd(t), "--ready-file", file)
	p.cmd.Env = append(os.Environ(), "KMS_SANDBOX_TEST_MAIN=1")
	p.cmd.Stderr = p.words
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	for range 600 {
		if b, err := os.ReadFile(file); err == nil {
			p.url = strings.TrimSpace(string(b))
			return p
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not ready: %s", p.words)
	return p
}

// command runs one in this process.
func command(args ...string) (code int, out map[string]any, words string) {
	var stdout, stderr bytes.Buffer
	code = run(context.Background(), args, cli.Streams{Out: &stdout, Err: &stderr})
	_ = json.Unmarshal(stdout.Bytes(), &out) // nothing where there is nothing
	return code, out, stderr.String()
}

// Fund, ask for a payment, kill -9, start again: all of it is still there.
func TestKilled(t *testing.T) {
	t.Setenv("TATUM_API_KEY", "")
	state := t.TempDir()
	p := launch(t, state)
	url := "--url=" + p.url
	if code, _, words := command("serve", "--state", state, "--listen", "127.0.0.1:0", "--btcd", sandboxtest.Btcd(t)); code != cli.Locked || !strings.Contains(words, "--state") {
		t.Errorf("second sandbox: %d %s", code, words)
	}
	if code, out, words := command("faucet", address, "0.001", url); code != 0 || len(out["txId"].(string)) != 64 {
		t.Fatalf("faucet: %d %v %s", code, out, words)
	}
	code, out, words := command("pay", "--from", address, "--signature-id", "k", "--to", address+"=0.0005", "--fee", "0.0001", "--change", address, url)
	if code != 0 {
		t.Fatalf("pay: %d %s", code, words)
	}
	id := out["signatureId"].(string)
	if code, out, _ := command("mine", "2", url); code != 0 || out["height"] != float64(435) {
		t.Errorf("mine: %d %v", code, out)
	}

	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
	p = launch(t, state)
	url = "--url=" + p.url
	if code, out, words := command("pending", id, url); code != 0 || out["chain"] != "BTC" {
		t.Errorf("pending: %d %v %s", code, out, words)
	}
	if code, out, _ := command("mine", url); code != 0 || out["height"] != float64(436) {
		t.Errorf("mine after the kill: %d %v", code, out)
	}
	if code, _, words := command("pending", url); code != 0 {
		t.Errorf("pending: %d %s", code, words)
	}
	if code, _, words := command("status", url); code != 0 {
		t.Errorf("status: %d %s", code, words)
	}

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("stopped: %v: %s", err, p.words)
	}
	if !strings.Contains(p.words.String(), "export TATUM_API_URL="+p.url) {
		t.Errorf("greeting: %s", p.words)
	}
	if _, err := os.Stat(filepath.Join(state, "btcd", "btcd.conf")); err == nil {
		t.Error("a clean stop left btcd.conf")
	}
	if code, _, _ := command("mine", url); code != cli.Network {
		t.Errorf("mine on a stopped sandbox: exit %d, want %d", code, cli.Network)
	}
}

func TestUsage(t *testing.T) {
	t.Setenv("TATUM_API_URL", "")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--listen 0.0.0.0:0", cli.Usage, "loopback"},
		{"--listen 192.168.1.1:3000", cli.Usage, "loopback"},
		{"--listen 3000", cli.Usage, "listen"},
		{"serve --btcd /nonexistent", cli.Failed, "btcd"},
		{"serve --api-key=", cli.Usage, "empty"},
		{"nonsense", cli.Usage, "nonsense"},
		{"faucet " + address, cli.Usage, "arg"},
		{"mine many", cli.Usage, "many"},
		{"mine --url https://api.tatum.io", cli.Usage, "loopback"},
		{"mine --url http://example.com:3000", cli.Usage, "loopback"},
		{"mine --chain XRP", cli.Usage, "XRP"},
		{"pay --from x", cli.Usage, "required"},
		{"pay --from x --signature-id k --to x", cli.Usage, "ADDRESS=AMOUNT"},
		{"pay --from x --signature-id k --to x=1 --fee 1", cli.Usage, "change"},
	} {
		args := strings.Fields(c.args)
		if strings.HasPrefix(c.args, "serve") || strings.HasPrefix(c.args, "--") {
			args = append(args, "--state", t.TempDir())
		}
		code, _, words := command(args...)
		if code != c.code || !strings.Contains(words, c.says) {
			t.Errorf("%s: %d %q, want %d with %q", c.args, code, words, c.code, c.says)
		}
	}
}
