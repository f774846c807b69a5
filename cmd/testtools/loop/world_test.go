//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/testtools/expect"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// programs builds the real programs once for all tests of this package.
var programs = sync.OnceValues(func() (string, error) {
	dir := os.Getenv(binEnv)
	build := exec.Command("go", "build", "-tags", "coldkms_cheap_kdf", "-o", dir, "coldkms/cmd/kms-offline", "coldkms/cmd/kms-online", "coldkms/cmd/kms-sandbox", "github.com/btcsuite/btcd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

// TestMain removes the programs, where a test has built them.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "coldkms-loop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv(binEnv, dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binEnv tells the tests where the programs are to be built.
const binEnv = "COLDKMS_LOOP_BIN"

// world is two machines, a stick between them, and a Tatum over a real node.
type world struct {
	t        *testing.T
	bin, dir string
	url      string
}

const testKey = "loop-test-key"

func newWorld(t *testing.T) *world {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, bin: bin, dir: t.TempDir()}
	for _, sub := range []string{"online", "offline", "usb"} {
		if err := os.Mkdir(filepath.Join(w.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(w.dir, "offline", "pw"), []byte("loop password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.startSandbox()
	return w
}

func (w *world) startSandbox() {
	w.t.Helper()
	ready := filepath.Join(w.dir, "ready")
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(w.bin, "kms-sandbox"), "--state", filepath.Join(w.dir, "sandbox"), "--listen", "127.0.0.1:0", "--ready-file", ready, "--api-key", testKey)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	for range 600 {
		if url, err := os.ReadFile(ready); err == nil {
			w.url = strings.TrimSpace(string(url))
			return
		}
		select {
		case err := <-ended:
			ended <- err
			w.t.Fatalf("the sandbox ended: %v\n%s", err, log.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	w.t.Fatalf("the sandbox is not up after a minute:\n%s", log.String())
}

// api calls the sandbox as a backend would.
func (w *world) api(method, path string, body, reply any) {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("x-api-key", testKey)
	req.Header.Set("content-type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.StatusCode/100 != 2 {
		w.t.Fatalf("%s %s: %s: %s\n%s", method, path, resp.Status, text, b)
	}
	if reply == nil {
		return
	}
	if err := json.Unmarshal(text, reply); err != nil {
		w.t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
}

func (w *world) command(folder, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(w.bin, program), args...)
	cmd.Dir = filepath.Join(w.dir, folder)
	cmd.Env = append(os.Environ(), "TATUM_API_URL="+w.url, "TATUM_API_KEY="+testKey)
	return cmd
}

func (w *world) online(args ...string) *exec.Cmd {
	return w.command("online", "kms-online", append([]string{"--state", "relay", "--testnet", "--json"}, args...)...)
}

func (w *world) offline(args ...string) *exec.Cmd {
	return w.command("offline", "kms-offline", append([]string{"--path", "wallet.kms", "--testnet", "--json", "--password-file", "pw"}, args...)...)
}

// run runs a command, wants this exit code, and reads its JSON.
func (w *world) run(cmd *exec.Cmd, code int, reply any) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("%s: exit code %d, want %d\n%s%s", strings.Join(cmd.Args, " "), got, code, stdout.String(), stderr.String())
	}
	if reply == nil {
		return
	}
	if err := json.Unmarshal(stdout.Bytes(), reply); err != nil {
		w.t.Fatalf("%s: %v: %q", strings.Join(cmd.Args, " "), err, stdout.String())
	}
}

// storeKey types a private key at the prompt and returns its signature id.
func (w *world) storeKey(wif string) string { return w.storeKeyOf(chain.BTC, wif) }

func (w *world) storeKeyOf(id chain.ID, wif string) string {
	w.t.Helper()
	got, err := expect.Run(w.t.Context(), w.offline("storemanagedprivatekey", string(id)), expect.Answer{Prompt: "private key to store:", Reply: wif})
	if err != nil {
		w.t.Fatal(err)
	}
	var reply struct{ SignatureID string }
	if err := json.Unmarshal([]byte(got.Stdout), &reply); err != nil {
		w.t.Fatalf("%v: %q %q", err, got.Stdout, got.Stderr)
	}
	return reply.SignatureID
}

// pair introduces the two machines to each other and returns the watch file.
func (w *world) pair() bundle.SealedWatch {
	w.t.Helper()
	watchFile := filepath.Join(w.dir, "usb", "signer.kmswatch")
	w.run(w.offline("watch", "--out", watchFile), 0, nil)
	var id struct{ Identity string }
	w.run(w.online("init"), 0, &id)
	w.run(w.online("pair", watchFile), 0, nil)
	if !filepath.IsAbs(id.Identity) {
		id.Identity = filepath.Join(w.dir, "online", id.Identity)
	}
	w.run(w.offline("pair", id.Identity), 0, nil)
	b, err := os.ReadFile(watchFile)
	if err != nil {
		w.t.Fatal(err)
	}
	watch, err := bundle.OpenWatch(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return watch
}

func (w *world) usb() string { return filepath.Join(w.dir, "usb") }

type sentReply struct{ ID, TxID string }

// cross takes everything that is pending across the gap and back, and gives
// the transactions by pending id.
func (w *world) cross(items int) map[string]string {
	w.t.Helper()
	var fetched struct{ Fetched, Prepared int }
	w.run(w.online("fetch"), 0, &fetched)
	var exported struct {
		Request, Digest string
		Items           int
	}
	w.run(w.online("export", "--out", w.usb()), 0, &exported)
	if fetched.Fetched != items || fetched.Prepared != items || exported.Items != items {
		w.t.Fatalf("%d fetched, %d prepared, %d exported, want %d each", fetched.Fetched, fetched.Prepared, exported.Items, items)
	}
	var reviewed struct{ Digest string }
	w.run(w.offline("review", w.onUSB(exported.Request)), 0, &reviewed)
	var signed struct {
		Result, Digest string
		Signed         []sentReply
	}
	w.run(w.offline("sign", w.onUSB(exported.Request), "--out", w.usb(), "--approve", reviewed.Digest), 0, &signed)
	if reviewed.Digest != exported.Digest || signed.Digest != exported.Digest {
		w.t.Fatalf("three digests for one request: %s, %s, %s", exported.Digest, reviewed.Digest, signed.Digest)
	}
	var imported struct{ Imported, Refused int }
	w.run(w.online("import", w.onUSB(signed.Result)), 0, &imported)
	if imported.Imported != items || imported.Refused != 0 {
		w.t.Fatalf("%d imported, %d refused, want %d", imported.Imported, imported.Refused, items)
	}
	var sent struct {
		Broadcast []sentReply
		Completed []string
	}
	w.run(w.online("broadcast"), 0, &sent)
	if len(sent.Broadcast) != items || len(sent.Completed) != items {
		w.t.Fatalf("%d broadcast, %d completed, want %d", len(sent.Broadcast), len(sent.Completed), items)
	}
	txids := make(map[string]string)
	for _, s := range signed.Signed {
		txids[s.ID] = s.TxID
	}
	for _, s := range sent.Broadcast {
		if txids[s.ID] != s.TxID {
			w.t.Fatalf("%s was signed as %s and sent as %s", s.ID, txids[s.ID], s.TxID)
		}
	}
	return txids
}

func (w *world) onUSB(path string) string { return filepath.Join(w.usb(), filepath.Base(path)) }

// settled mines a block and wants every transaction in one, and completed at
// Tatum with its txid.
func (w *world) settled(txids map[string]string) {
	w.t.Helper()
	mined := make(map[chain.ID]bool)
	for id, txid := range txids {
		var kms struct {
			TxID  string
			Chain chain.ID
		}
		w.api("GET", "/v3/kms/"+id, nil, &kms)
		if !mined[kms.Chain] {
			w.api("POST", "/sandbox/mine", map[string]any{"blocks": 1, "chain": kms.Chain}, nil)
			mined[kms.Chain] = true
		}
		if in := w.inBlock(kms.Chain, txid); kms.TxID != txid || !in {
			w.t.Errorf("%s: Tatum says %q, %s is in a block of %s: %v", id, kms.TxID, txid, kms.Chain, in)
		}
	}
}

// inBlock asks for a transaction, which two of the coins tell in the words of
// their nodes.
func (w *world) inBlock(id chain.ID, txid string) bool {
	w.t.Helper()
	var tx struct{ BlockNumber, Confirmations int64 }
	w.api("GET", "/v3/"+w.path(id)+"/transaction/"+txid, nil, &tx)
	return tx.BlockNumber > 0 || tx.Confirmations > 0
}

// path is the coin's name in Tatum's URLs.
func (w *world) path(id chain.ID) string {
	w.t.Helper()
	path, err := sandbox.PathOf(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return path
}
