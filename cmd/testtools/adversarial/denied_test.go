//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

// denials returns payments to a denied key, one for each script type that
// reveals the key.
func denials(t *testing.T, dir string) (scenes []scene) {
	t.Helper()
	names := []string{"P2PKH", "P2WPKH", "P2SH-P2WPKH", "P2PK", "P2TR"}
	linked := map[string][]string{"P2PKH": names[:4], "P2WPKH": names[:4], "P2SH-P2WPKH": names[:4], "P2PK": names,
		"P2TR": names[4:]}
	for i, id := range []chain.ID{chain.BTC, chain.LTC} {
		forms := psbttest.Scripts(publicOf([]byte{77}))
		for at, denied := range names {
			s := opening(t, dir, fmt.Sprintf("denied-%s-%d", id, at))
			s.put(files{"deny.json": fmt.Appendf(nil,
				`{"version": 1, "chains": [{"chain": %q, "network": "testnet"}], "deny": [{"chain": %[1]q, "network": "testnet", "script": "%x"}]}`, id, forms[at])})
			s.must(nil, "policy", "set", "deny.json")
			c := &corpus{salt: uint32(0x7100 + 0x100*i + 0x10*at), target: &target{relay: keyOf(1), signer: s.signer()}}
			state := s.files()
			for to, paid := range names {
				if !slices.Contains(linked[denied], paid) {
					continue
				}
				request := c.file(c.pay(id).with(func(p *payment) { p.msg.TxOut[0].PkScript = forms[to] }))
				scenes = append(scenes, scene{fmt.Sprintf("%s denied as %s and paid as %s", id, denied, paid), state,
					func(s *stage) {
						s.put(files{"thief.kmsreq": request})
						s.deniedIn("thief.kmsreq")
					}})
			}
		}
	}
	return append(scenes, tokenDenials(t, dir)...)
}

// tokenDenials pay a denied key of Bitcoin Cash with a token before the script.
func tokenDenials(t *testing.T, dir string) (scenes []scene) {
	t.Helper()
	forms := psbttest.Scripts(publicOf([]byte{77}))
	for i, at := range []int{0, 3} { // P2PKH, P2PK
		s := opening(t, dir, fmt.Sprintf("denied-token-%d", at))
		s.put(files{"deny.json": fmt.Appendf(nil, `{"version": 1, "newDestination": "allow", "nonstandard": "allow",
			"chains": [{"chain": "BCH", "network": "testnet"}],
			"deny": [{"chain": "BCH", "network": "testnet", "script": "%x"}]}`, forms[at])})
		s.must(nil, "policy", "set", "deny.json")
		c := &corpus{salt: uint32(0x7300 + 0x10*i), target: &target{relay: keyOf(1), signer: s.signer()}}
		state := s.files()
		for name, token := range map[string]string{
			"NFT": "\x20", "amount": "\x10\x05", "commitment and amount": "\x71\x02hi\xfd\x00\x01",
		} {
			script := append([]byte("\xef"+strings.Repeat("K", 32)+token), forms[0]...)
			request := c.file(c.pay(chain.BCH).with(func(p *payment) { p.msg.TxOut[0].PkScript = script }))
			scenes = append(scenes, scene{fmt.Sprintf("BCH form %d denied and paid with a token (%s)", at, name), state,
				func(s *stage) {
					s.put(files{"thief.kmsreq": request})
					s.deniedIn("thief.kmsreq")
				}})
		}
	}
	return scenes
}

// opening is a stage with the wallet of the corpus.
func opening(t *testing.T, dir, folder string) *stage {
	t.Helper()
	s := newStage(t, dir, folder, folder)
	f := files{}
	for _, name := range []string{walletName, walletName + ".ledger", walletName + ".ledger.mark", "pw"} {
		b, err := os.ReadFile(filepath.Join(dir, "corpus", name))
		if err != nil {
			t.Fatal(err)
		}
		f[name] = b
	}
	s.put(f)
	return s
}

// deniedIn wants the one item of a request refused, and nothing signed.
func (s *stage) deniedIn(name string) {
	got := s.do("--json", "review", name)
	if got.code != cli.Refused || !strings.Contains(string(got.stdout), `"`+string(chain.Denied)+`"`) {
		s.errorf("exit %d: %.300s %.300s", got.code, got.stdout, got.stderr)
	}
	s.refuses(cli.Refused, "", "sign", name, "--out", "out", "--approve", strings.Repeat("0", 64))
}
