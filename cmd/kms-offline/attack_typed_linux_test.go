package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// typedAhead is a command that asks, and what somebody types before it does.
type typedAhead struct {
	name     string
	args     func(p place) []string
	password bool // asks for the wallet's password first
	question string
	answer   string // what would be a yes
}

// askers are the commands that ask a person.
func askers() []typedAhead {
	return []typedAhead{
		{"approve", func(p place) []string {
			op := passwordFile(p.t, p.dir, "op", "white rabbit")
			p.run(0, "operator", "add", "alice", "--operator-password-file", op)
			return []string{"approve", p.onePayment(), "--operator", "alice", "--operator-password-file", op}
		}, true, "or \"no\":", "approve 1"},
		{"sign", func(p place) []string {
			return []string{"sign", p.onePayment(), "--out", p.path("out"), "--plain"}
		}, true, "Sign 1 transaction? [y/N]", "y"},
		{"pair", func(p place) []string {
			if err := os.WriteFile(p.path("other.kmsid"), relayKey(2).File(), 0o600); err != nil {
				p.t.Fatal(err)
			}
			return []string{"pair", p.path("other.kmsid")}
		}, true, "show the same words? [y/N]", "y"},
		{"policy-set", func(p place) []string {
			return []string{"policy", "set", filepath.Join("..", "..", "offline", "policy", "example.json")}
		}, true, "Set this policy? [y/N]", "y"},
		{"getprivatekey", func(p place) []string { return []string{"getprivatekey", deskKey} }, true, "Go on? [y/N]", "y"},
		{"export", func(p place) []string { return []string{"export"} }, true, "Go on? [y/N]", "y"},
		{"ledger-release", func(p place) []string {
			request := p.onePayment()
			var reviewed struct{ Digest string }
			if err := json.Unmarshal([]byte(p.run(0, "review", request)), &reviewed); err != nil {
				p.t.Fatal(err)
			}
			p.run(0, "sign", request, "--out", p.path("out"), "--approve", reviewed.Digest)
			return []string{"ledger", "release", "000000000000000000001000"}
		}, true, "Type release to record that:", "release"},
		{"dice", func(p place) []string {
			return []string{"--testnet", "generatewallet", "BTC", "--dice", "--words", "12"}
		}, false, "0 of 50 throws:", "32461151351521144121541512665155412152342515356215"},
	}
}

// typedAheadAttacks try every command that asks a person.
func typedAheadAttacks() []attack {
	var list []attack
	for _, a := range askers() {
		list = append(list, attack{"06-typed-ahead-" + a.name, a.run})
	}
	return append(list, attack{"06-typed-ahead-new-password", newPasswordTypedAhead})
}

// onePayment writes a request with one payment.
func (p place) onePayment() string {
	return p.request("one.kmsreq", 1, []payout{{to: "a", value: 20_000, fee: 200}})
}

// run types the password and a yes before the program starts, and the yes once
// more together with the password that is asked for. Neither may count.
func (a typedAhead) run(t *testing.T) {
	p := newPlace(t)
	args := a.args(p)
	before := a.answer + "\r"
	if a.password {
		before = deskPassword + "\r" + before
	}
	at := sitAfter(t, p.command(args...), before)
	if a.password {
		if shown := at.sees("password"); strings.Contains(shown, a.question) {
			t.Fatalf("a password that was typed blind opened the wallet:\n%s", shown)
		}
		at.types(deskPassword + "\r" + a.answer + "\r")
	}
	at.sees(a.question)
	if a.name == "dice" {
		at.types("1\r")
		at.sees("1 of 50 throws:")
		return
	}
	at.types("no\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d, want 21: %s%s", code, at.stdout.String(), at.stderr.String())
	}
	if at.stdout.Len() > 0 {
		t.Errorf("it went on: %s", at.stdout.String())
	}
}

// newPasswordTypedAhead tries to choose the password of a wallet whose owner
// has not been asked for one yet.
func newPasswordTypedAhead(t *testing.T) {
	p := newPlace(t)
	cmd := p.command("--testnet", "generatemanagedwallet", "BTC")
	cmd.Args[2] = p.path("new.kms")
	at := sitAfter(t, cmd, "chosen by another\rchosen by another\r")
	if shown := at.sees("new password"); strings.Contains(shown, "Repeat") {
		t.Fatalf("a password that was typed blind was taken:\n%s", shown)
	}
	at.types("battery staple\rbattery staple\r")
	at.sees("Repeat")
	at.types("horse\r")
	if code := at.waits(); code != 1 || !strings.Contains(at.stderr.String(), "differ") {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
}

// Nothing reads from the terminal but the functions that discard type-ahead
// before they ask.
func TestOnlyTheTerminalReads(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string][]string{
		"DropTyped":    {"discard"},
		"ReadPassword": {"secret"},
		"MakeRaw":      {"session"},
		"Read":         {"readLine", "readBytes", "checkRandomness"},
		"readLine":     {"typed"}, // which begins with ask
		"readBytes":    {"run"},   // of console, which session begins with discard
	}
	seen := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := ""
				switch fun := call.Fun.(type) {
				case *ast.Ident:
					name = fun.Name
				case *ast.SelectorExpr:
					name = fun.Sel.Name
				}
				if callers, watched := allowed[name]; watched {
					seen[name] = true
					if !slices.Contains(callers, f.Name.Name) {
						t.Errorf("%s: %s calls %s: ask through terminal.secret, typed, line or confirm", path, f.Name.Name, name)
					}
				}
				return true
			})
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("%s is called nowhere: this test watches the wrong names", name)
		}
	}
}
