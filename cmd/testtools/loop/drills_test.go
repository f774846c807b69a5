//go:build unix

package loop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/records"
	"coldkms/cmd/kms-sandbox/sandbox/simchain"
	"coldkms/cmd/testtools/expect"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

const (
	drillsFolder = "testdata/drills"
	handbook     = "../../../docs/OPERATIONS.md"
	mostCommands = 10

	// drillWords are what somebody has on paper.
	drillWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
)

// drill is the world of one drill: a Tatum over a chain of LTC, a relay and a
// signer that are paired.
type drill struct {
	url     string
	address string
	id      string      // of the wallet's entry
	lose    atomic.Bool // the replies to broadcasts
	down    atomic.Bool // and from then on everything

	mu   sync.Mutex
	sent map[string]map[string]bool // pending id: what was sent for it
	ids  []string
}

type drillKey struct{}

// TestDrills carries out what docs/OPERATIONS.md says to type, on machines that were
// set up as it says.
func TestDrills(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 drillsFolder,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			d, stop, err := newDrill(env.WorkDir)
			if err != nil {
				return err
			}
			env.Defer(stop)
			env.Values[drillKey{}] = d
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("TATUM_API_URL", d.url)
			env.Setenv("TATUM_API_KEY", "")
			env.Setenv("SOURCE", source)
			return d.setUp(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"pay": drillPay, "lose": drillLose, "paid": drillPaid, "types": drillTypes,
		},
	})
}

// newDrill starts a Tatum.
func newDrill(dir string) (*drill, func(), error) {
	d := &drill{sent: make(map[string]map[string]bool)}
	store, err := records.Open(context.Background(), filepath.Join(dir, "records.sqlite"))
	if err != nil {
		return nil, nil, err
	}
	miner, err := store.Miner(context.Background())
	if err != nil {
		return nil, nil, err
	}
	params, err := utxo.ParamsOf(chain.Coin{Chain: chain.LTC, Network: chain.Testnet})
	if err != nil {
		return nil, nil, err
	}
	s, err := sandbox.New(context.Background(), sandbox.Config{
		Nodes: map[chain.ID]sandbox.Node{chain.LTC: simchain.New(params, time.Now)}, Store: store, Miner: miner, APIKey: testKey, Faults: sandbox.Faults{Wrap: d.wrap},
	})
	if err != nil {
		return nil, nil, err
	}
	server := httptest.NewServer(s)
	d.url = server.URL
	return d, func() {
		server.CloseClientConnections()
		server.Close()
		_ = store.Close()
	}, nil
}

// wrap books what is sent, and loses replies when told to.
func (d *drill) wrap(next http.Handler) http.Handler {
	lost := sandbox.LoseReplies(func(*http.Request) bool { return true })(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/broadcast") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			var said struct{ TxData, SignatureID string }
			_ = json.Unmarshal(body, &said)
			d.mu.Lock()
			if d.sent[said.SignatureID] == nil {
				d.sent[said.SignatureID] = make(map[string]bool)
			}
			d.sent[said.SignatureID][said.TxData] = true
			d.mu.Unlock()
			if d.lose.Load() {
				d.down.Store(true)
				lost.ServeHTTP(w, r)
				return
			}
		}
		if d.down.Load() {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// setUp sets both machines up as the handbook says. Wallet and relay are where the
// commands of the handbook have them, and no command is given the API key.
func (d *drill) setUp(env *testscript.Env) error {
	if err := os.WriteFile(filepath.Join(env.WorkDir, "pw"), []byte("pw\n"), 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(env.WorkDir, "usb"), 0o700); err != nil {
		return err
	}
	signer := "kms-offline --path wallet.kms --testnet --password-file pw "
	made, err := typed(env.WorkDir, env.Vars, signer+"generatemanagedprivatekeybatch LTC 1")
	if err != nil {
		return err
	}
	var key struct{ SignatureID, Address string }
	if err := json.Unmarshal([]byte(made.Stdout), &key); err != nil {
		return err
	}
	d.id, d.address = key.SignatureID, key.Address
	signer += "setup --stick usb"
	for _, command := range []string{signer, "kms-online --testnet setup --stick usb", signer} {
		_, err := typed(env.WorkDir, env.Vars, command,
			expect.Answer{Prompt: "API key, from", Reply: testKey}, expect.Answer{Prompt: "[y/N]", Reply: "y"})
		if err != nil {
			return err
		}
	}
	return nil
}

// typed has a shell run a command on a terminal. The error is also of one that
// failed.
func typed(dir string, vars []string, command string, answers ...expect.Answer) (expect.Result, error) {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), vars...)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	got, err := expect.Run(ctx, cmd, answers...)
	if err == nil && got.Code != 0 {
		err = fmt.Errorf("%s: exit code %d\n%s%s", command, got.Code, got.Screen, got.Stderr)
	}
	return got, err
}

func drillOf(ts *testscript.TestScript) *drill { return ts.Value(drillKey{}).(*drill) }

// pay N: so many payments more, to somebody else, wait at Tatum.
func drillPay(ts *testscript.TestScript, _ bool, args []string) {
	d := drillOf(ts)
	var n int
	_, err := fmt.Sscan(args[0], &n)
	ts.Check(err)
	outputs := make([]map[string]string, n)
	for i := range outputs {
		outputs[i] = map[string]string{"address": d.address, "amount": "0.01"}
	}
	var fund struct{ TxID string }
	ts.Check(d.call("POST", "/sandbox/faucet", map[string]any{"chain": "LTC", "outputs": outputs, "mine": true}, &fund))
	for i := range n {
		value := float64(9500-300*len(d.ids)) / 1e6 // none as another: that would want a look
		var made struct{ SignatureID string }
		ts.Check(d.call("POST", "/v3/litecoin/transaction", map[string]any{
			"fromUTXO": []any{map[string]any{"txHash": fund.TxID, "index": i, "signatureId": d.id}},
			"to":       []any{map[string]any{"address": elsewhere()[chain.LTC], "value": value}},
		}, &made))
		d.ids = append(d.ids, made.SignatureID)
	}
}

func (d *drill) call(method, path string, body, reply any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), method, d.url+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("x-api-key", testKey)
	req.Header.Set("content-type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, reply)
}

// lose on|off: the reply to a broadcast, and the connection with it.
func drillLose(ts *testscript.TestScript, _ bool, args []string) {
	d := drillOf(ts)
	d.lose.Store(args[0] == "on")
	d.down.Store(false)
}

// paid: everything is completed at Tatum, and each was sent as one byte string.
func drillPaid(ts *testscript.TestScript, _ bool, _ []string) {
	d := drillOf(ts)
	for _, id := range d.ids {
		var kms struct{ TxID string }
		ts.Check(d.call("GET", "/v3/kms/"+id, nil, &kms))
		d.mu.Lock()
		if kms.TxID == "" || len(d.sent[id]) != 1 {
			ts.Fatalf("%s: completed with %q, %d byte strings were sent", id, kms.TxID, len(d.sent[id]))
		}
		d.mu.Unlock()
	}
}

// drillTypes is a person at a terminal: types 'COMMAND' [EXIT CODE]. Questions
// are answered.
func drillTypes(ts *testscript.TestScript, _ bool, args []string) {
	want := 0
	if len(args) > 1 {
		_, err := fmt.Sscan(args[1], &want)
		ts.Check(err)
	}
	var vars []string
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "TATUM_API_URL", "TATUM_API_KEY"} {
		vars = append(vars, name+"="+ts.Getenv(name))
	}
	secret, _, _ := strings.Cut(ts.ReadFile("pw"), "\n")
	decision := expect.Answer{Prompt: "[y/N]", Reply: "y"}
	for _, word := range []string{"accept", "upgrade"} {
		if strings.Contains(args[0], " ledger "+word) {
			decision = expect.Answer{Prompt: "Type " + word, Reply: word}
		}
	}
	password := expect.Answer{Prompt: "access wallet storage:", Reply: secret}
	if strings.Contains(args[0], " restore ") {
		password.Prompt = "Enter the password of "
	}
	answers := []expect.Answer{password, decision}
	if strings.Contains(args[0], " storemanagedwallet ") {
		answers = []expect.Answer{{Prompt: "Enter mnemonic to store:", Reply: drillWords},
			{Prompt: "new password for the wallet storage:", Reply: "pw"}, {Prompt: "Repeat the password:", Reply: "pw"}}
	}
	got, err := typed(ts.MkAbs("."), vars, args[0], answers...)
	if got.Code == 0 {
		ts.Check(err)
	}
	ts.Logf("%s\n%s%s%s", args[0], got.Screen, got.Stdout, got.Stderr)
	ts.Check(os.WriteFile(ts.MkAbs("last"), []byte(got.Stdout), 0o600))
	if got.Code != want {
		ts.Fatalf("%s: exit code %d, want %d", args[0], got.Code, want)
	}
}

// commandsOf returns what a person types in a drill's script: between "# drill"
// and "# then".
func commandsOf(t *testing.T, script string) []string {
	t.Helper()
	_, rest, found := strings.Cut(script, "\n# drill\n")
	part, _, ended := strings.Cut(rest, "\n# then\n")
	if !found || !ended {
		t.Fatal("no # drill … # then in the script")
	}
	var list []string
	for _, m := range regexp.MustCompile(`(?m)^types '([^']*)'`).FindAllStringSubmatch(part, -1) {
		list = append(list, m[1])
	}
	return list
}

// The handbook says exactly what the scripts type, and no drill is long.
func TestDrillsAreTheHandbooks(t *testing.T) {
	text, err := os.ReadFile(handbook)
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, m := range regexp.MustCompile("(?s)\n### Drill: ([a-z0-9 ]+)\n.*?\n```\n(.*?)\n```\n").FindAllSubmatch(text, -1) {
		documented[strings.ReplaceAll(string(m[1]), " ", "-")] = string(m[2])
	}
	scripts, _ := filepath.Glob(filepath.Join(drillsFolder, "*.txtar"))
	if len(scripts) != len(documented) || len(scripts) < 5 {
		t.Errorf("%d scripts, %d drills in the handbook", len(scripts), len(documented))
	}
	for _, path := range scripts {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		script, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands := commandsOf(t, string(script))
		if len(commands) > mostCommands {
			t.Errorf("%s: %d commands", name, len(commands))
		}
		if got := strings.Join(commands, "\n"); got != documented[name] {
			t.Errorf("%s: the script types\n%s\nthe handbook says\n%s", name, got, documented[name])
		}
	}
}
