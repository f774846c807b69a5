//go:build unix

package main

import (
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

func randomForTests() io.Reader { return rand.Reader }

// canary is what must not be seen where it was not asked for.
type canary struct{ password, mnemonic, passphrase, wif, operator string }

func (c canary) in(text string) []string {
	var seen []string
	for name, secret := range map[string]string{
		"password": c.password, "passphrase": c.passphrase, "private key": c.wif,
		"operator's password": c.operator, "words": c.mnemonic, "first words": strings.Join(strings.Fields(c.mnemonic)[:3], " "),
	} {
		if strings.Contains(text, secret) {
			seen = append(seen, name)
		}
	}
	slices.Sort(seen)
	return seen
}

// canaryWallet makes a wallet with canaries in it, and its ledger.
func canaryWallet(t *testing.T, path string) canary {
	t.Helper()
	c := canary{
		password: "Canary-Password-7361", passphrase: "canary passphrase 5519",
		mnemonic: "legal winner thank year wave sausage worth useful legal winner thank yellow",
		operator: "operator canary 4410",
		wif:      "cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD",
	}
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	store := a.store()
	w, err := store.New(path, []byte(c.password))
	if err == nil {
		err = freshLedger(a, path, w)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	words, err := wallet.FromMnemonic("00000000-0000-4000-8000-000000000001", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), []byte(c.mnemonic), []byte(c.passphrase), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	raw, compressed, err := hd.DecodeWIF([]byte(c.wif), hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	key, err := wallet.FromKey("00000000-0000-4000-8000-000000000002", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), raw, compressed, time.Now())
	if err == nil {
		err = w.Add(words, key)
	}
	if err == nil {
		err = w.Save()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every command of the program is run on a wallet of canaries, without a
// terminal. A new command has to be added here, with what it may show.
func TestNoSecretWhereNotAskedFor(t *testing.T) {
	const words, key = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	dir := t.TempDir()
	binary := realProgram(t)
	path := filepath.Join(dir, "w.kms")
	c := canaryWallet(t, path)
	if err := os.WriteFile(filepath.Join(dir, "relay.kmsid"), relayKey(1).File(), 0o600); err != nil {
		t.Fatal(err)
	}
	pw := passwordFile(t, dir, "pw", c.password)
	op := passwordFile(t, dir, "op", c.operator)
	all := []string{"first words", "passphrase", "private key", "words"}
	ran := map[string]bool{}
	for _, run := range []struct {
		args []string
		code int
		may  []string // be seen on stdout
	}{
		{[]string{"generatewallet", "BTC"}, cli.Done, nil},
		{[]string{"storemanagedwallet", "BTC"}, cli.Usage, nil},
		{[]string{"storemanagedprivatekey", "BTC"}, cli.Usage, nil},
		{[]string{"getprivatekey", key, "--yes-show-secrets"}, cli.Done, []string{"private key"}},
		{[]string{"getprivatekey", words, "0", "--yes-show-secrets"}, cli.Done, nil},
		{[]string{"getprivatekey", words, c.wif}, cli.Usage, nil}, // a secret in the wrong place
		{[]string{"getaddress", words, "0"}, cli.Done, nil},
		{[]string{"getmanagedwallet", words, "--yes-show-secrets"}, cli.Done, []string{"first words", "passphrase", "words"}},
		{[]string{"export", "--yes-show-secrets"}, cli.Done, all},
		{[]string{"report"}, cli.Done, nil},
		{[]string{"--testnet", "report"}, cli.Done, nil},
		{[]string{"report", words, key}, cli.Done, nil},
		{[]string{"checkconfig"}, cli.Done, nil},
		{[]string{"watch", "--out", filepath.Join(dir, "s.kmswatch")}, cli.Done, nil},
		{[]string{"importwallet", pw, "--wallet-password-file", pw}, cli.Failed, nil},
		{[]string{"review", pw}, cli.BadBundle, nil},
		{[]string{"sign", pw, "--out", dir}, cli.BadBundle, nil},
		{[]string{"sign", pw, pw, "--out", dir, "--plain", "--summary", filepath.Join(dir, "s.csv")}, cli.BadBundle, nil},
		{[]string{"sign", pw, "--out", dir, "--session"}, cli.BadBundle, nil},
		{[]string{"review", pw, "--summary", filepath.Join(dir, "s.html")}, cli.BadBundle, nil},
		{[]string{"ledger"}, cli.Done, nil},
		{[]string{"policy", "show"}, cli.Done, nil},
		{[]string{"policy", "example"}, cli.Done, nil},
		{[]string{"policy", "check", pw}, cli.Failed, nil},
		{[]string{"ledger", "export"}, cli.Done, nil},
		{[]string{"ledger", "release", c.wif}, cli.Failed, nil},
		{[]string{"ledger", "accept", pw}, cli.BadBundle, nil},
		{[]string{"ledger", "upgrade"}, cli.Failed, nil},
		{[]string{"ledger", "settle"}, cli.Failed, nil},
		{[]string{"unpair", c.wif}, cli.Failed, nil}, // a secret in the wrong place
		{[]string{"compare", pw, pw}, cli.BadBundle, nil},
		{[]string{"scan", pw}, cli.BadBundle, nil},
		{[]string{"show", pw}, cli.BadBundle, nil},
		{[]string{"setup"}, cli.Usage, nil}, // there is no terminal
		{[]string{"show", filepath.Join(dir, "relay.kmsid"), "--qr-out", filepath.Join(dir, "relay.html")}, cli.Done, nil},
		{[]string{"verify-address", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}, cli.Failed, nil},
		{[]string{"backup", filepath.Join(dir, "copy.kms")}, cli.Done, nil},
		{[]string{"restore", filepath.Join(dir, "copy.kms")}, cli.Done, nil},
		{[]string{"selftest"}, cli.Done, nil},
		{[]string{"operator", "add", c.operator}, cli.Usage, nil}, // a secret in the wrong place
		{[]string{"operator", "list"}, cli.Done, nil},
		// from here on the wallet is written, at the full cost of its password
		{[]string{"generatemanagedwallet", "BTC"}, cli.Done, nil},
		{[]string{"generatemanagedprivatekeybatch", "LTC", "3"}, cli.Done, nil},
		{[]string{"operator", "add", "alice", "--operator-password-file", op}, cli.Done, nil},
		{[]string{"approve", pw, "--operator", "alice", "--operator-password-file", op}, cli.BadBundle, nil},
		{[]string{"operator", "remove", "alice", "--yes"}, cli.Done, nil},
		{[]string{"pair", filepath.Join(dir, "relay.kmsid")}, cli.Done, nil},
		{[]string{"unpair", relayKey(1).Public().Fingerprint(), "--yes"}, cli.Done, nil},
		{[]string{"policy", "set", filepath.Join("..", "..", "offline", "policy", "example.json")}, cli.Done, nil},
		{[]string{"removewallet", words, "--yes"}, cli.Done, nil},
		{[]string{"changepassword", "--new-password-file", pw}, cli.Done, nil},
	} {
		cmd := exec.Command(binary, append([]string{"--path", path, "--password-file", pw}, run.args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != run.code {
			t.Errorf("%v: exit %d, want %d: %s", run.args, got, run.code, stderr.String())
		}
		args := strings.Join(run.args, " ")
		if seen := c.in(stdout.String()); !slices.Equal(seen, run.may) {
			t.Errorf("%s: stdout has %v, may have %v", args, seen, run.may)
		}
		if seen := c.in(stderr.String()); len(seen) > 0 {
			t.Errorf("%s: stderr has %v", args, seen)
		}
		for _, arg := range run.args {
			ran[arg] = true
		}
	}
	a := &app{fs: durable.OS{}}
	if cost, err := a.store().CostOf(path); err != nil || cost.Memory != 256<<10 || cost.Passes < 3 || cost.Lanes != 4 {
		t.Errorf("the program that is given out writes wallets of cost %+v, %v", cost, err)
	}
	for _, cmd := range a.root().Commands() {
		if !ran[cmd.Name()] {
			t.Errorf("%s is not in this test", cmd.Name())
		}
	}
	sweep(t, c, dir)
}

// sweep looks for canaries in every file that the program left, the wallet
// included: it is encrypted.
func sweep(t *testing.T, c canary, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if base := filepath.Base(path); base == "pw" || base == "op" {
			continue
		}
		if seen := c.in(string(b)); len(seen) > 0 {
			t.Errorf("%s has %v", path, seen)
		}
	}
}
