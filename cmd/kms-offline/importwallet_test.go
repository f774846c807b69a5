//go:build unix

package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/durable"
)

// tatumWallet encrypts JSON as CryptoJS does for Tatum KMS.
func tatumWallet(t *testing.T, plain, password string) []byte {
	t.Helper()
	salt := []byte("12345678")
	var key, last []byte
	for len(key) < 48 {
		sum := md5.Sum(append(append(bytes.Clone(last), password...), salt...))
		last = sum[:]
		key = append(key, last...)
	}
	block, err := aes.NewCipher(key[:32])
	if err != nil {
		t.Fatal(err)
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	body := append([]byte(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[32:48]).CryptBlocks(body, body)
	return []byte(base64.StdEncoding.EncodeToString(append(append([]byte("Salted__"), salt...), body...)))
}

// counting counts what is put in place under each name.
type counting struct {
	durable.OS
	path string
	puts atomic.Int32
}

func (c *counting) Rename(from, to string) error {
	if to == c.path {
		c.puts.Add(1)
	}
	return c.OS.Rename(from, to)
}

func (c *counting) RenameNew(from, to string) error {
	if to == c.path {
		c.puts.Add(1)
	}
	return c.OS.RenameNew(from, to)
}

const (
	importWords = "urge pulp usage sister evidence arrest palm math please chief egg abuse"
	importWIF   = "cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD"
)

// ltcXPub is of importWords on LTC, mainnet, from wallets.json.
func ltcXPub(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../testtools/loop/testdata/tatum/wallets.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Wallets []struct {
			Chain, Mnemonic, XPub string
			Testnet               bool
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, w := range v.Wallets {
		if w.Chain == "LTC" && !w.Testnet && w.Mnemonic == importWords {
			return w.XPub
		}
	}
	t.Fatal("no such wallet")
	return ""
}

// A file with sound entries, one of a chain that is not built, and three that
// were tampered with: the sound ones go in with one write, each of the others
// is named with its reason, and the old file stays as it is.
func TestImportPart(t *testing.T) {
	xpub := ltcXPub(t)
	plain := fmt.Sprintf(`{
		"00000000-0000-4000-8000-000000000001":{"mnemonic":%q,"xpub":%q,"chain":"LTC","testnet":false},
		"00000000-0000-4000-8000-000000000002":{"privateKey":%q,"chain":"BTC","testnet":true},
		"00000000-0000-4000-8000-000000000003":{"mnemonic":"m","privateKey":"p","address":"a","chain":"SOL","testnet":false},
		"00000000-0000-4000-8000-00000000000a":{"mnemonic":%q,"xpub":%q,"chain":"LTC","testnet":true},
		"00000000-0000-4000-8000-00000000000b":{"privateKey":%q,"chain":"BTC","testnet":true},
		"00000000-0000-4000-8000-00000000000c":{"mnemonic":%q,"xpub":%q,"chain":"LTC","testnet":false}}`,
		importWords, xpub, importWIF, importWords, xpub, importWIF[:51]+"E", strings.Replace(importWords, "egg", "edge", 1), xpub)
	dir := t.TempDir()
	old, path := filepath.Join(dir, "wallet.dat"), filepath.Join(dir, "w.kms")
	file := tatumWallet(t, plain, "old password")
	if err := os.WriteFile(old, file, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(old)
	if err != nil {
		t.Fatal(err)
	}
	fsys := &counting{path: path}
	pw, oldPW := passwordFile(t, dir, "pw", "seven plums for another horse"), passwordFile(t, dir, "old", "old password")
	importIt := func() (importReply, int, string) {
		t.Helper()
		code, stdout, stderr := inProcess(randomForTests(), fsys, "--path", path, "--password-file", pw, "importwallet", old, "--wallet-password-file", oldPW)
		var reply importReply
		if err := json.Unmarshal([]byte(stdout), &reply); err != nil {
			t.Fatalf("%v: %q, %q", err, stdout, stderr)
		}
		return reply, code, stderr
	}

	reply, code, stderr := importIt()
	if code != cli.Part || reply.Imported != 3 || reply.Kept != 1 || len(reply.Refused) != 3 {
		t.Errorf("exit %d, %+v", code, reply)
	}
	for i, reason := range []string{"xpub", "checksum", "xpub"} {
		if i < len(reply.Refused) && (!strings.HasSuffix(reply.Refused[i].SignatureID, string(rune('a'+i))) || !strings.Contains(reply.Refused[i].Reason, reason)) {
			t.Errorf("refused %d: %+v, want %s", i, reply.Refused[i], reason)
		}
	}
	if len(reply.Warnings) != 1 || !strings.HasSuffix(reply.Warnings[0].SignatureID, "3") || !strings.Contains(reply.Warnings[0].Reason, "not signed for yet") {
		t.Errorf("warnings %+v", reply.Warnings)
	}
	if strings.Contains(stderr, "destroy") || !strings.Contains(stderr, "Keep "+old) || !strings.Contains(stderr, "watch") {
		t.Errorf("wrong advice while 3 entries are only in the old file: %q", stderr)
	}
	for _, n := range reply.Refused {
		if !strings.Contains(stderr, n.SignatureID) {
			t.Errorf("entry %s is only in the old file, and is not named: %q", n.SignatureID, stderr)
		}
	}
	if n := fsys.puts.Load(); n != 1 {
		t.Errorf("%d writes of the wallet, want 1", n)
	}

	again, code, _ := importIt()
	if code != cli.Part || again.Imported != 0 || again.Known != 3 || fsys.puts.Load() != 1 {
		t.Errorf("again: exit %d, %+v, %d writes", code, again, fsys.puts.Load())
	}
	after, err := os.Stat(old)
	if got, readErr := os.ReadFile(old); err != nil || readErr != nil || !bytes.Equal(got, file) || after.ModTime() != before.ModTime() || after.Mode() != before.Mode() {
		t.Errorf("the old file was touched: %v %v", err, readErr)
	}

	// the entry of a chain that is not signed for is listed as such, and
	// exported as it was
	_, stdout, _ := inProcess(randomForTests(), fsys, "--path", path, "--password-file", pw, "report", "--chain", "SOL")
	if !strings.Contains(stdout, "SOL is known but not signed for yet") || !strings.Contains(stdout, "-000000000003") || strings.Contains(stdout, "-000000000001") {
		t.Errorf("report: %s", stdout)
	}
}
