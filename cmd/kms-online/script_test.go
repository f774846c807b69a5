package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// outside is the world around the relay of one script.
type outside struct {
	tatum *tatumtest.Server
	lock  *durable.Lock
}

type outsideKey struct{}

// TestScripts drives the real program against a Tatum in memory, through the
// scripts in testdata.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	program := filepath.Join(bin, "program", "kms-online")
	build := exec.Command("go", "build", "-o", filepath.Dir(program)+"/", "coldkms/cmd/kms-online",
		"coldkms/cmd/testtools/exits", "coldkms/cmd/testtools/typist")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	// what scripts call kms-online types their terminal's lines into it, one for each question
	for name, of := range map[string]string{"kms-online": "typist", "exits": "exits"} {
		if err := os.Symlink(filepath.Join("program", of), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			server, stop := tatumtest.Start()
			env.Defer(stop)
			env.Values[outsideKey{}] = &outside{tatum: server}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TYPIST_PROGRAM", program)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("TATUM_API_URL", server.URL)
			env.Setenv("TATUM_API_KEY", tatumtest.Key)
			env.Setenv("KEY", tatumtest.Key)
			env.Setenv("URL", server.URL)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"watch": watchFile, "pay": pay, "sign": sign, "stranger": stranger, "tatum": faults, "json": jsonIs, "lock": lock, "flip": flip, "identity": isIdentity, "running": running,
		},
	})
}

func around(ts *testscript.TestScript) *outside { return ts.Value(outsideKey{}).(*outside) }

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// watch FILE SIGNER CREATED: a signer's watch file.
func watchFile(ts *testscript.TestScript, _ bool, args []string) {
	file := relaytest.NewSigner(byte(number(ts, args[1]))).Watch(int64(number(ts, args[2])))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o600))
}

// pay N [FIELD VALUE]: payment number N waits at Tatum; its field is a JSON value.
func pay(ts *testscript.TestScript, _ bool, args []string) {
	s, n, o := relaytest.NewSigner(2), number(ts, args[0]), around(ts)
	prev := s.Funding(n)
	o.tatum.Chain(relaytest.Hex(prev))
	o.tatum.Add(s.Payment(n, prev, func(p map[string]any) {
		if len(args) > 2 {
			var v any
			ts.Check(json.Unmarshal([]byte(args[2]), &v))
			p[args[1]] = v
		}
	}))
}

// sign REQUEST RESULT [signer N] [refuse N]: answers the one request that
// matches.
func sign(ts *testscript.TestScript, _ bool, args []string) {
	signer, change := byte(2), func(*bundle.Result) {}
	for i := 2; i+1 < len(args); i += 2 {
		n := number(ts, args[i+1])
		switch args[i] {
		case "signer":
			signer = byte(n)
		case "refuse":
			change = relaytest.Refuse(relaytest.ID(n), chain.RefusedByPerson)
		}
	}
	file, err := os.ReadFile(only(ts, args[0]))
	ts.Check(err)
	req, err := bundle.OpenRequest(file)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), relaytest.NewSigner(signer).Sign(req, change), 0o600))
}

// only returns the one file that matches a pattern.
func only(ts *testscript.TestScript, pattern string) string {
	paths, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%d files match %s", len(paths), pattern)
	}
	return paths[0]
}

// tatum fail PREFIX STATUS [BODY] | well | sent N | completed N | complete N TXID
func faults(ts *testscript.TestScript, neg bool, args []string) {
	server := around(ts).tatum
	switch args[0] {
	case "fail":
		server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.Method+" "+r.URL.Path, args[1]) {
				return false
			}
			w.WriteHeader(number(ts, args[2]))
			_, _ = io.WriteString(w, strings.Join(args[3:], ""))
			return true
		})
	case "well":
		server.Fault(nil)
	case "sent":
		if got := len(server.Sent()); got != number(ts, args[1]) {
			ts.Fatalf("%d transactions were sent", got)
		}
	case "completed":
		if done := server.TxID(relaytest.ID(number(ts, args[1]))) != ""; done == neg {
			ts.Fatalf("completed: %v", done)
		}
	case "complete":
		server.Change(relaytest.ID(number(ts, args[1])), "txId", args[2])
	default:
		ts.Fatalf("tatum %s?", args[0])
	}
}

// json PATH VALUE: what stdout has at a path such as problems.0.code; "len"
// counts.
func jsonIs(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, step := range strings.Split(args[0], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			if step == "len" {
				v = len(at)
			} else if i := number(ts, step); i < len(at) {
				v = at[i]
			} else {
				v = nil
			}
		default:
			ts.Fatalf("no %s in %s", args[0], ts.ReadFile("stdout"))
		}
	}
	if got := fmt.Sprint(v); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}

// lock DIR takes a state directory as another process would; "lock off" gives
// it back.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	o := around(ts)
	if args[0] == "off" {
		ts.Check(o.lock.Close())
		return
	}
	var err error
	o.lock, err = durable.NewLock(filepath.Join(ts.MkAbs(args[0]), "lock"))
	ts.Check(err)
}

// running waits until a daemon has made a round of its own.
func running(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs("config/coldkms/relay/daemon.json")
	if len(args) > 0 {
		path = ts.MkAbs(args[0])
	}
	ts.Check(os.Remove(path))
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	ts.Fatalf("no daemon makes a round")
}

// flip FILE: one bit in the middle.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := only(ts, args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// identity FILE: a relay's public identity.
func isIdentity(ts *testscript.TestScript, _ bool, args []string) {
	_, err := identity.ParseFile([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
}

// The API key of an --env-file is found in the forms that people write.
func TestParseEnv(t *testing.T) {
	got := parseEnv("\ufeffA=1 # a comment\n# TATUM_API_KEY=no\n\nTATUM_API_KEY=a=b\nexport TATUM_API_URL=\"https://x\"\r\n C = 'd' \nnonsense\nE=\"\nF=\n" +
		"G='h # i' # j\nexport  K=l#m\nN=`o`\nP=\"q\" r\n")
	want := map[string]string{"A": "1", "TATUM_API_KEY": "a=b", "TATUM_API_URL": "https://x", "C": "d", "E": `"`, "F": "",
		"G": "h # i", "K": "l", "N": "o", "P": `"q" r`}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}
