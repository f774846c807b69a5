//go:build linux

package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/psbt"
)

// wildWords is the mnemonic that all files under testdata/wild were made with.
const wildWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// wildPlace is a place whose wallet has the mnemonic for every coin.
func wildPlace(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().Open(p.path("w.kms"), []byte(deskPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i, coin := range utxo.Coins() {
		id := fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", i)
		e, err := wallet.FromMnemonic(id, hdtest.Coin(coin), []byte(wildWords), nil, time.Now())
		if err == nil {
			err = w.Add(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Save(); err != nil {
		t.Fatal(err)
	}
	return p
}

// A wildReview is what review says of a file.
type wildReview struct {
	file, chain string
	signable    bool
	code        chain.Code // of the refusal or the finding; "" for none but new-destination, replaceable and high-fee
	says        string     // in the error; "" where the file is read
}

// TestWild judges files that people brought, each with the right answer.
func TestWild(t *testing.T) {
	p := wildPlace(t)
	p.madeForms()
	passed := 0
	cases := []wildReview{
		{"mweb/stripped-prev.psbt", "LTC", true, "", ""},
		{"made/mweb-prev.psbt", "LTC", true, "", ""},
		{"ltc-dust/p2pkh-1000.psbt", "LTC", false, "dust", ""},
		{"ltc-dust/p2pkh-5460-is-no-dust.psbt", "LTC", true, "", ""},
		{"doge-fee/rate-10.psbt", "DOGE", true, "low-fee", ""},
		{"doge-fee/rate-1000-is-fine.psbt", "DOGE", true, "", ""},
		{"tx-size/btc-3000-outputs.psbt", "BTC", false, "transaction-size", ""},
		{"psbtforms/01-binary.psbt", "BTC", true, "", ""},
		{"psbtforms/02-hex.psbt", "BTC", true, "", ""},
		{"psbtforms/04-base64-utf8bom.psbt", "BTC", true, "", ""},
		{"psbtforms/07-binary-crlf-translated.psbt", "BTC", false, "", "PSBT"},
		{"psbtforms/14-psbt-v2.psbt", "BTC", true, "", ""},
		{"made/base64-quoted.psbt", "BTC", true, "", ""},
		{"made/base64-wrapped.psbt", "BTC", true, "", ""},
		{"made/base64-utf16.psbt", "BTC", true, "", ""},
		{"made/hex-upper.psbt", "BTC", true, "", ""},
		{"made/hex-cut.psbt", "BTC", false, "", "PSBT in hex"},
		{"psbt-v0-with-v2-fields/contradicting-output.psbt", "BTC", false, "", "not a valid PSBT"},
		{"psbt-v0-with-v2-fields/global-02.psbt", "BTC", false, "", "not a valid PSBT"},
		{"psbt-v0-with-v2-fields/output-03.psbt", "BTC", false, "", "not a valid PSBT"},
	}
	total := len(cases)
	for _, c := range cases {
		if t.Run(c.file, func(t *testing.T) { p.with(t).judge(c) }) {
			passed++
		}
	}
	for _, pictures := range []string{"qr-plain/hex-upper.png", "qr-plain/ur-tag310.png",
		"qr-plain/final5-hex.png", "qr-plain/specter"} {
		total++
		if t.Run(pictures, func(t *testing.T) { p.with(t).scans(pictures) }) {
			passed++
		}
	}
	for _, policy := range []string{"bch-addresses/p2sh32.json", "bch-addresses/plain-is-fine.json"} {
		total++
		if t.Run(policy, func(t *testing.T) { p.with(t).run(0, "policy", "check", p.wild(policy)) }) {
			passed++
		}
	}
	for name, mark := range map[string]string{"password with mark": "\xef\xbb\xbf", "password in UTF-16": "\xff\xfe"} {
		total++
		if t.Run(name, func(t *testing.T) { p.with(t).marked(mark) }) {
			passed++
		}
	}
	fmt.Printf("wild: %d/%d read, judged or refused as they should\n", passed, total)
}

func (p place) with(t *testing.T) place { p.t = t; return p }

func (p place) wild(name string) string {
	if made, ok := strings.CutPrefix(name, "made/"); ok {
		return p.path(made)
	}
	return filepath.Join("testdata", "wild", filepath.FromSlash(name))
}

func (p place) judge(c wildReview) {
	p.t.Helper()
	cmd := p.command("--password-file", p.path("pw"), "--json", "review", p.wild(c.file), "--chain", c.chain)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if c.says != "" {
		if cmd.ProcessState.ExitCode() == 0 || !strings.Contains(stderr.String(), c.says) {
			p.t.Errorf("exit %d, says %q, want %q", cmd.ProcessState.ExitCode(), stderr.String(), c.says)
		}
		return
	}
	var reply struct {
		Items []struct {
			Standing string
			Codes    []chain.Code
		}
	}
	if err := json.Unmarshal([]byte(stdout.String()), &reply); err != nil || len(reply.Items) != 1 {
		p.t.Fatalf("exit %d: %v: %s%s", cmd.ProcessState.ExitCode(), err, stdout.String(), stderr.String())
	}
	it := reply.Items[0]
	if (it.Standing != "refused") != c.signable {
		p.t.Errorf("%s with %v, signable should be %v", it.Standing, it.Codes, c.signable)
	}
	said := slices.DeleteFunc(it.Codes, func(code chain.Code) bool {
		return code != c.code && (code == chain.FlagNew || code == chain.FlagReplaceable || code == chain.FlagHighFee)
	})
	if want := []chain.Code{c.code}; c.code != "" && !slices.Equal(said, want) || c.code == "" && len(said) > 0 {
		p.t.Errorf("codes %v, want %q", said, c.code)
	}
}

// scans reads pictures into a file that is a PSBT, or a signed transaction.
func (p place) scans(pictures string) {
	p.t.Helper()
	out := p.t.TempDir()
	p.run(0, "scan", "--out", out, p.wild(pictures))
	found, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(found) != 1 {
		p.t.Fatalf("scan wrote %v (%v)", found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		p.t.Fatal(err)
	}
	switch {
	case strings.HasSuffix(found[0], ".psbt"):
		if _, err := psbt.Decode(content); err != nil {
			p.t.Error(err)
		}
	case strings.HasSuffix(found[0], ".txn"):
		if _, err := utxo.StripWitness(content); err != nil {
			p.t.Error(err)
		}
	default:
		p.t.Errorf("scan wrote %s", found[0])
	}
}

// marked checks that a password file with a byte order mark is reported as such, not
// as a wrong password.
func (p place) marked(mark string) {
	p.t.Helper()
	if err := os.WriteFile(p.path("marked"), []byte(mark+deskPassword+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
	out, err := p.command("--password-file", p.path("marked"), "report").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "byte order mark") ||
		strings.Contains(string(out), "wrong password") {
		p.t.Errorf("%v: %s", err, out)
	}
}

// madeForms writes variants of the files.
func (p place) madeForms() {
	p.t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(p.wild(name))
		if err != nil {
			p.t.Fatal(err)
		}
		return string(b)
	}
	text := strings.TrimPrefix(strings.TrimSpace(read("psbtforms/04-base64-utf8bom.psbt")), "\ufeff")
	hex := strings.TrimSpace(read("psbtforms/02-hex.psbt"))
	wrapped := ""
	for rest := text; rest != ""; {
		n := min(64, len(rest))
		wrapped += rest[:n] + "\r\n"
		rest = rest[n:]
	}
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text + "\r\n")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, content := range map[string]string{
		"base64-quoted.psbt": `"` + text + "\"\n", "base64-wrapped.psbt": wrapped, "base64-utf16.psbt": string(wide),
		"hex-upper.psbt": strings.ToUpper(hex), "hex-cut.psbt": hex[:len(hex)-3],
		"mweb-prev.psbt": p.mwebPrev(read("mweb/stripped-prev.psbt"), strings.TrimSpace(read("mweb/hogex-prev.hex"))),
	} {
		if err := os.WriteFile(p.path(name), []byte(content), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// mwebPrev puts the previous transaction as a node gives it into a PSBT that has
// it without marker, flag and MWEB part.
func (p place) mwebPrev(packet, whole string) string {
	raw := make([]byte, len(whole)/2)
	if _, err := fmt.Sscanf(whole, "%x", &raw); err != nil {
		p.t.Fatal(err)
	}
	stripped, err := utxo.StripWitness(raw)
	if err != nil || len(stripped) > 0xfc || len(raw) > 0xfc {
		p.t.Fatalf("%d bytes: %v", len(stripped), err)
	}
	before, after, found := strings.Cut(packet, "\x01\x00"+string([]byte{byte(len(stripped))})+string(stripped))
	if !found {
		p.t.Fatal("the PSBT has not this previous transaction")
	}
	return before + "\x01\x00" + string([]byte{byte(len(raw))}) + string(raw) + after
}
