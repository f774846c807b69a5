package utxo

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/chain"
)

// The published examples of cashaddr.md.
func TestCashAddr(t *testing.T) {
	p, err := ParamsOf(chain.Coin{Chain: chain.BCH, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	for address, old := range map[string]string{
		"bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a": "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
		"bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy": "1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR",
		"bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq": "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC",
	} {
		script, err := p.ScriptOf(old)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Address(script); got != address {
			t.Errorf("%s is written %s, want %s", old, got, address)
		}
		for _, form := range []string{address, strings.TrimPrefix(address, "bitcoincash:"), strings.ToUpper(address)} {
			if got, err := p.ScriptOf(form); err != nil || !bytes.Equal(got, script) {
				t.Errorf("%s reads as %x (%v), want %x", form, got, err, script)
			}
		}
		for i := len("bitcoincash:"); i < len(address); i++ { // any one wrong letter is noticed
			bad := []byte(address)
			bad[i] = cashAlphabet[(strings.IndexByte(cashAlphabet, bad[i])+1)%32]
			if _, err := p.ScriptOf(string(bad)); err == nil {
				t.Errorf("%s is read", bad)
			}
		}
	}
	if _, err := p.ScriptOf("bchtest:qpm2qsznhks23z7629mms6s4cwef74vcwvqcw003ap"); err == nil {
		t.Error("a testnet address is read on mainnet")
	}
}

// A P2SH32 address is read and written, and is no P2SH: its hash begins with
// what could be the hash of an own script. A token-aware address names the same
// script as the plain one.
func TestCashScripts(t *testing.T) {
	p, err := ParamsOf(chain.Coin{Chain: chain.BCH, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	const anyhedge = "bitcoincash:pvvs5p0m35kqjzhpqyewjx2uhpdqprcdpkfv3q0y5y96x9egkzy6uqk2dz8kq"
	script, err := p.ScriptOf(anyhedge)
	if err != nil || p.KindOf(script) != P2SH32 || p.Address(script) != anyhedge {
		t.Errorf("%s reads as %x (%v), %s, and is written %s",
			anyhedge, script, err, p.KindOf(script), p.Address(script))
	}
	if forms := p.KeyForms(script); len(forms) != 1 || p.Signable(P2SH32) {
		t.Errorf("a P2SH32 has the forms %q", forms)
	}
	hash := bytes.Repeat([]byte{5}, 32)
	for version, want := range map[byte][]byte{
		cashPubKeyToken: payToPubKeyHash(hash[:20]), cashScriptToken: payToScriptHash(hash[:20]), cashScriptHash32Tok: payToScriptHash32(hash),
	} {
		size := 20
		if version == cashScriptHash32Tok {
			size = 32
		}
		address := encodeCashAddr(p.CashAddr, version, hash[:size])
		if got, err := p.ScriptOf(address); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s of version %#02x reads as %x (%v), want %x", address, version, got, err, want)
		}
	}
	for version, size := range map[byte]int{cashPubKeyHash: 32, cashScriptHash32: 20, 0x03: 32, 0x20: 20, 0x80: 20} {
		if address := encodeCashAddr(p.CashAddr, version, hash[:size]); p.reads(address) {
			t.Errorf("%s, of version %#02x and %d bytes, is read", address, version, size)
		}
	}
}

// An output that carries a token is not burnt: the script behind the token spends
// it. On other coins the same bytes are an opcode that does not exist.
func TestTokenIsNotBurnt(t *testing.T) {
	script := append(append([]byte{0xef}, bytes.Repeat([]byte{0x4b}, 32)...), 0x10, 5) // 0x4b: a push beyond the end
	script = append(script, payToPubKeyHash(bytes.Repeat([]byte{2}, 20))...)
	for _, p := range params {
		if burnt := p.burns(script); burnt != !p.ForkID {
			t.Errorf("%s: a token before a script: burnt %t", p.Chain, burnt)
		}
	}
}

// What is paid with a token is paid to whom the script behind the token pays.
func TestTokenHidesNoKey(t *testing.T) {
	category, hash := bytes.Repeat([]byte{0x4b}, 32), bytes.Repeat([]byte{2}, 32)
	long := append([]byte{0x70, 0xfd, 0x2c, 0x01}, make([]byte, 300)...) // a commitment of 300 bytes
	tokens := map[string][]byte{
		"NFT": {0x20}, "amount": {0x10, 5}, "large amount": {0x10, 0xfe, 0, 0, 1, 0}, "minting NFT": {0x22},
		"commitment": {0x60, 3, 1, 2, 3}, "both": {0x71, 2, 9, 9, 0xfd, 0, 1}, "long commitment": append(long, 7),
	}
	key := append(append([]byte{33}, compressedKey(t)...), 0xac) // P2PK
	for name, flags := range tokens {
		for _, script := range [][]byte{
			payToPubKeyHash(hash[:20]), payToScriptHash(hash[:20]), payToScriptHash32(hash), key,
		} {
			token := slices.Concat([]byte{0xef}, category, flags, script)
			for _, p := range params {
				if got, want := p.KeyForms(token), p.KeyForms(script); p.ForkID && (len(want) == 0 || !slices.Equal(got, want)) {
					t.Errorf("%s: %s before %x: forms %q, want %q", p.Chain, name, script, got, want)
				}
			}
		}
	}
	for name, flags := range map[string][]byte{"nothing": nil, "no commitment": {0x40}, "no amount": {0x10},
		"a commitment beyond the end": {0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		for _, p := range params {
			if got := p.KeyForms(slices.Concat([]byte{0xef}, category, flags)); len(got) > 0 {
				t.Errorf("%s: %s: %q", p.Chain, name, got)
			}
		}
	}
}

// A multisig script that nodes do not relay has no standard form: one that wants
// no signature is anyone's. Its keys are known all the same.
func TestMultisigOfNoStandardForm(t *testing.T) {
	key := append([]byte{33}, compressedKey(t)...)
	of := func(needed, keys byte) []byte {
		count := func(n byte) byte { return byte(txscript.OP_1-1+int(n)) * min(n, 1) }
		return slices.Concat([]byte{count(needed)}, bytes.Repeat(key, int(keys)),
			[]byte{count(keys), txscript.OP_CHECKMULTISIG})
	}
	for _, p := range params {
		for script, want := range map[string]Kind{
			string(of(1, 1)): Multisig, string(of(2, 3)): Multisig, string(of(3, 3)): Multisig,
			string(of(0, 1)): Nonstandard, string(of(0, 3)): Nonstandard, string(of(0, 0)): Nonstandard,
			string(of(1, 4)): Nonstandard, string(of(1, 16)): Nonstandard,
		} {
			if got := p.KindOf([]byte(script)); got != want {
				t.Errorf("%s: %x is %s, want %s", p.Chain, script, got, want)
			}
		}
		if len(p.KeyForms(of(0, 1))) == 0 || len(p.KeyForms(of(1, 4))) == 0 {
			t.Errorf("%s: the keys of a multisig script are not known", p.Chain)
		}
	}
}

func compressedKey(t *testing.T) []byte {
	t.Helper()
	key, _ := btcec.PrivKeyFromBytes([]byte{7})
	return key.PubKey().SerializeCompressed()
}

func (p Params) reads(address string) bool { _, err := p.ScriptOf(address); return err == nil }

// What is written is read back as the same script, for every coin.
func TestAddressesRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, p := range params {
		scripts := [][]byte{payToPubKeyHash(randomBytes(rng, 20)), payToScriptHash(randomBytes(rng, 20))}
		if p.Segwit {
			scripts = append(scripts, witnessProgram(randomBytes(rng, 20)),
				append([]byte{0, 32}, randomBytes(rng, 32)...), append([]byte{0x51, 32}, randomBytes(rng, 32)...))
		}
		if p.CashAddr != "" {
			scripts = append(scripts, payToScriptHash32(randomBytes(rng, 32)))
		}
		for _, s := range scripts {
			address := p.Address(s)
			if got, err := p.ScriptOf(address); err != nil || !bytes.Equal(got, s) {
				t.Errorf("%s %s: %x is written %s and read as %x (%v)", p.Chain, p.Network, s, address, got, err)
			}
		}
	}
	ltc, err := ParamsOf(chain.Coin{Chain: chain.LTC, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ltc.ScriptOf("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC"); err != nil { // the old P2SH prefix
		t.Error(err)
	}
	for _, wrong := range []string{"", "x", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", strings.Repeat("1", 200), "LTC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KGMN4N8"} {
		if _, err := ltc.ScriptOf(wrong); err == nil {
			t.Errorf("%q is read as an LTC address", wrong)
		}
	}
}

// The coin's own test vectors (2019-05-15-schnorr.md shares those of the
// proposal that became BIP 340, in its first form).
func TestVerifySchnorr2019(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, v := range []struct {
		public, digest, sig string
		ok                  bool
	}{
		{"0279BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798", "0000000000000000000000000000000000000000000000000000000000000000",
			"787A848E71043D280C50470E8E1532B2DD5D20EE912A45DBDD2BD1DFBF187EF67031A98831859DC34DFFEEDDA86831842CCD0079E1F92AF177F7F22CC1DCED05", true},
		{"02DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659", "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
			"2A298DACAE57395A15D0795DDBFD1DCB564DA82B0F269BC70A74F8220429BA1D1E51A22CCEC35599B8F266912281F8365FFC2D035A230434A1A64DC59F7013FD", true},
		{"03FAC2114C2FBB091527EB7C64ECB11F8021CB45E8E7809D3C0938E4B8C0E5F84B", "5E2D58D8B3BCDF1ABADEC7829054F90DDA9805AAB56C77333024B9D0A508B75C",
			"00DA9B08172A9B6F0466A2DEFD817F2D7AB437E0D253CB5395A963866B3574BE00880371D01766935B92D2AB4CD5C8A2A5837EC57FED7660773A05F0DE142380", true},
		{"02DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659", "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
			"2A298DACAE57395A15D0795DDBFD1DCB564DA82B0F269BC70A74F8220429BA1DFA16AEE06609280A19B67A24E1977E4697712B5FD2943914ECD5F730901B4AB7", false},
		{"02DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659", "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
			"2A298DACAE57395A15D0795DDBFD1DCB564DA82B0F269BC70A74F8220429BA1DFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", false},
		{"02DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659", "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
			"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F1E51A22CCEC35599B8F266912281F8365FFC2D035A230434A1A64DC59F7013FD", false},
	} {
		key, err := btcec.ParsePubKey(unhex(v.public))
		if err != nil {
			t.Fatal(err)
		}
		if got := verifySchnorr2019(unhex(v.sig), key, unhex(v.digest)); got != v.ok {
			t.Errorf("signature %.16s…: %v, want %v", v.sig, got, v.ok)
		}
		bad := unhex(v.sig)
		bad[40] ^= 1
		if verifySchnorr2019(bad, key, unhex(v.digest)) {
			t.Errorf("signature %.16s… verifies with a flipped bit", v.sig)
		}
	}
}
