package tatumkms_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/offline/wallet/tatumkms"
	"coldkms/shared/chain"
)

func when() time.Time { return time.Unix(1_800_000_000, 0) }

// pair is one wallet.dat made with CryptoJS, and what is in it.
type pair struct {
	Name, Password, PasswordHexUtf8 string
	ExpectFail                      bool
	Contents                        map[string]map[string]any
	file                            []byte
}

func pairs(t testing.TB) []pair {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) != 20 {
		t.Fatalf("%d pairs, %v", len(names), err)
	}
	var all []pair
	for _, name := range names {
		var p pair
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &p)
		}
		if err == nil {
			p.file, err = os.ReadFile(strings.TrimSuffix(name, "json") + "dat")
		}
		if err != nil || p.PasswordHexUtf8 != hex.EncodeToString([]byte(p.Password)) {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, p)
	}
	return all
}

func TestPairs(t *testing.T) {
	for _, p := range pairs(t) {
		im, err := tatumkms.Open(hdtest.Coins, p.file, []byte(p.Password), when())
		if p.ExpectFail {
			if err == nil && len(im.Refused) == 0 || len(im.Entries) > 0 {
				t.Errorf("%s: taken, %d entries", p.Name, len(im.Entries))
			}
			continue
		}
		if err != nil || len(im.Refused) > 0 {
			t.Errorf("%s: %v, refused %v", p.Name, err, im.Refused)
			continue
		}
		if len(im.Entries) != len(p.Contents) {
			t.Errorf("%s: %d entries, want %d", p.Name, len(im.Entries), len(p.Contents))
		}
		for _, e := range im.Entries {
			same(t, p.Name, e, p.Contents[e.ID])
		}
	}
}

// same compares an entry with the JSON that CryptoJS and JSON.parse give.
func same(t *testing.T, name string, e wallet.Entry, want map[string]any) {
	t.Helper()
	if want == nil {
		t.Errorf("%s: %s is not in the file", name, e.ID)
		return
	}
	if string(e.Chain) != want["chain"] || (e.Network == chain.Testnet) != (want["testnet"] == true) || e.Created != when().Unix() {
		t.Errorf("%s: %s is on %s %s", name, e.ID, e.Chain, e.Network)
	}
	switch e.Kind {
	case wallet.Mnemonic:
		if string(e.Words) != want["mnemonic"] || e.XPub != want["xpub"] && want["xpub"] != "xpub-unknown" {
			t.Errorf("%s: %s has other words or another xpub", name, e.ID)
		}
	case wallet.PrivateKey:
		wif, err := hd.EncodeWIF(e.Key, e.Compressed, hdtest.Coin(e.Coin))
		if err != nil || string(wif) != want["privateKey"] {
			t.Errorf("%s: %s has another key (%v)", name, e.ID, err)
		}
	case wallet.Foreign:
		var got map[string]any
		if err := json.Unmarshal(e.JSON, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %s is kept as %s (%v)", name, e.ID, e.JSON, err)
		}
	}
}

func TestPairErrors(t *testing.T) {
	for _, p := range pairs(t) {
		want, have := map[string]error{
			"zero-byte-file": tatumkms.ErrEmpty, "not-salted": tatumkms.ErrNotTatum, "truncated": tatumkms.ErrWrongPassword,
			"tampered-bitflip": tatumkms.ErrDamaged,
		}[p.Name]
		if !have {
			continue
		}
		if _, err := tatumkms.Read(p.file, []byte(p.Password)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", p.Name, err, want)
		}
	}
}

func TestTamperedXPub(t *testing.T) {
	for _, p := range pairs(t) {
		if p.Name != "tampered-accepted" {
			continue
		}
		im, err := tatumkms.Open(hdtest.Coins, p.file, []byte(p.Password), when())
		if err != nil || len(im.Entries) != 0 || len(im.Refused) != 1 || !strings.Contains(im.Refused[0].Text, "xpub") {
			t.Errorf("%+v, %v", im, err)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	for _, p := range pairs(t) {
		if p.ExpectFail {
			continue
		}
		for n := range 300 {
			wrong := fmt.Sprintf("wrong %d", n)
			_, err := tatumkms.Read(p.file, []byte(wrong))
			if !errors.Is(err, tatumkms.ErrWrongPassword) {
				t.Errorf("%s with %q: %v", p.Name, wrong, err)
			}
		}
	}
}

func TestIs(t *testing.T) {
	for _, p := range pairs(t) {
		if got, want := tatumkms.Is(p.file), p.Name != "zero-byte-file" && p.Name != "not-salted"; got != want {
			t.Errorf("%s: %v", p.Name, got)
		}
	}
}

// encrypt is what CryptoJS does; checked against its files by the pairs.
func encrypt(plain, password string) []byte {
	salt := []byte("saltsalt")
	var out, last []byte
	for len(out) < 48 {
		sum := md5.Sum(append(append(bytes.Clone(last), password...), salt...))
		last = sum[:]
		out = append(out, last...)
	}
	block, _ := aes.NewCipher(out[:32])
	pad := 16 - len(plain)%16
	body := append([]byte(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, out[32:48]).CryptBlocks(body, body)
	raw := append(append([]byte("Salted__"), salt...), body...)
	return []byte(base64.StdEncoding.EncodeToString(raw))
}

const (
	words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	wif   = "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617"
)

// xpubOf derives what KMS writes beside a mnemonic.
func xpubOf(t *testing.T, mnemonic string, n chain.Network) string {
	t.Helper()
	account, err := hd.AccountOf([]byte(mnemonic), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: n}))
	if err != nil {
		t.Fatal(err)
	}
	return account.XPub()
}

func TestEntries(t *testing.T) {
	main, test := xpubOf(t, words, chain.Mainnet), xpubOf(t, words, chain.Testnet)
	mnemonic := func(words, xpub, more string) string {
		return fmt.Sprintf(`{"mnemonic":%q,"xpub":%q,"chain":"BTC"%s}`, words, xpub, more)
	}
	key := func(wif, more string) string { return fmt.Sprintf(`{"privateKey":%q,"chain":"BTC"%s}`, wif, more) }
	for name, c := range map[string]struct {
		entry   string
		refused string // part of the reason; "" if it is taken
		warned  string // part of the warning; "" if there is none
	}{
		"mainnet":             {mnemonic(words, main, `,"testnet":false`), "", ""},
		"testnet":             {mnemonic(words, test, `,"testnet":true`), "", ""},
		"no testnet":          {mnemonic(words, main, ``), "", "mainnet"},
		"testnet null":        {mnemonic(words, main, `,"testnet":null`), "", "mainnet"},
		"testnet 0":           {mnemonic(words, main, `,"testnet":0`), "", "mainnet"},
		"testnet text":        {mnemonic(words, test, `,"testnet":"false"`), "", "taken for testnet"},
		"no testnet, tpub":    {mnemonic(words, test, ``), "xpub", ""},
		"other network":       {mnemonic(words, main, `,"testnet":true`), "xpub", ""},
		"any words":           {mnemonic("foo bar", xpubOf(t, "foo bar", chain.Mainnet), `,"testnet":false`), "", "BIP 39"},
		"any words, no xpub":  {mnemonic("foo bar", "", `,"testnet":false`), "BIP 39", ""},
		"words, no xpub":      {mnemonic(words, "", `,"testnet":false`), "", "compare"},
		"words, unknown xpub": {mnemonic(words, "xpub-unknown", `,"testnet":false`), "", "compare"},
		"words, damaged xpub": {mnemonic(words, main[:50], `,"testnet":false`), "xpub", ""},
		"spaces count":        {mnemonic(words+" ", main, `,"testnet":false`), "xpub", ""},
		"extra field":         {mnemonic(words, main, `,"testnet":false,"label":"účet 🔥"`), "", ""},
		"field twice":         {mnemonic(words, main, `,"testnet":false,"testnet":true`), "twice", ""},
		"other case":          {`{"Mnemonic":"x","PrivateKey":"x","chain":"BTC","testnet":false}`, "neither", ""},
		"key":                 {key(wif, `,"testnet":false`), "", ""},
		"key, other network":  {key(wif, `,"testnet":true`), "another chain or network", ""},
		"key, mistyped":       {key(wif[:51]+"8", `,"testnet":false`), "checksum", ""},
		"key, hex":            {key(strings.Repeat("11", 32), `,"testnet":false`), "import format", ""},
		"both":                {fmt.Sprintf(`{"mnemonic":%q,"privateKey":%q,"chain":"BTC","testnet":false}`, words, wif), "both", ""},
		"nothing":             {`{"chain":"BTC","testnet":false}`, "neither", ""},
		"not text":            {`{"mnemonic":1,"chain":"BTC","testnet":false}`, "not text", ""},
		"null":                {`{"privateKey":null,"chain":"BTC","testnet":false}`, "not text", ""},
		"no chain":            {`{"mnemonic":"x","testnet":false}`, "no chain", ""},
		"other chain":         {`{"mnemonic":"x","xpub":"y","chain":"ETH","testnet":false}`, "", "not signed for"},
		"newer chain":         {`{"mnemonic":"x","chain":"NEW_CHAIN","testnet":false}`, "", "not signed for"},
		"no such chain":       {`{"mnemonic":"x","chain":"btc ","testnet":false}`, "none that", ""},
		"lower case":          {`{"mnemonic":"x","chain":"btc","testnet":false}`, "none that", ""},
		"array":               {`[]`, "not a JSON object", ""},
		"text":                {`"x"`, "not a JSON object", ""},
	} {
		im, err := tatumkms.Open(hdtest.Coins, encrypt(`{"id":`+c.entry+`}`, "pw"), []byte("pw"), when())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.refused != "" {
			if len(im.Entries) != 0 || len(im.Refused) != 1 || !strings.Contains(im.Refused[0].Text, c.refused) || im.Refused[0].ID != "id" {
				t.Errorf("%s: %+v", name, im)
			}
			continue
		}
		if len(im.Entries) != 1 || len(im.Refused) != 0 || im.Entries[0].ID != "id" {
			t.Errorf("%s: %+v", name, im)
		}
		if (c.warned == "") != (len(im.Warnings) == 0) || c.warned != "" && !strings.Contains(im.Warnings[0].Text, c.warned) {
			t.Errorf("%s: warnings %q", name, im.Warnings)
		}
		for _, n := range append(im.Warnings, im.Refused...) {
			if strings.Contains(n.Text, "legal") || strings.Contains(n.Text, wif[:20]) {
				t.Errorf("%s: a note shows a secret: %s", name, n.Text)
			}
		}
	}
}

func TestOrderAndDuplicates(t *testing.T) {
	entry := func(more string) string {
		return fmt.Sprintf(`{"privateKey":%q,"chain":"BTC","testnet":false%s}`, wif, more)
	}
	plain := `{"z":` + entry("") + `,"a":` + entry("") + `,"same":` + entry("") + `,"other":` + entry("") +
		`,"s\u0061me":` + entry("") + `,"other":` + entry(`,"x":1`) + `,"__proto__":` + entry("") + `,"a\nb":` + entry("") + `,"":` + entry("") + `}`
	im, err := tatumkms.Open(hdtest.Coins, encrypt(plain, "pw"), []byte("pw"), when())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range im.Entries {
		got = append(got, e.ID)
	}
	if want := "[z a same __proto__]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(im.Refused) != 3 || im.Refused[0].ID != "other" {
		t.Errorf("refused %q", im.Refused)
	}
}

func TestMalformed(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"spaces":     {[]byte(" \n"), tatumkms.ErrEmpty},
		"text":       {[]byte("hello"), tatumkms.ErrNotTatum},
		"salt only":  {[]byte(base64.StdEncoding.EncodeToString([]byte("Salted__12345678"))), tatumkms.ErrWrongPassword},
		"half salt":  {[]byte(base64.StdEncoding.EncodeToString([]byte("Salted__1234"))), tatumkms.ErrNotTatum},
		"array":      {encrypt(`[]`, "pw"), tatumkms.ErrWrongPassword},
		"nothing":    {encrypt(``, "pw"), tatumkms.ErrWrongPassword},
		"trailing":   {encrypt(`{"a":{}} x`, "pw"), tatumkms.ErrDamaged},
		"brace more": {encrypt(`{"a":{}}}`, "pw"), tatumkms.ErrDamaged},
		"cut":        {encrypt(`{"a":{`, "pw"), tatumkms.ErrDamaged},
		"too large":  {bytes.Repeat([]byte("A"), tatumkms.MaxSize+1), tatumkms.ErrNotTatum},
	} {
		if _, err := tatumkms.Open(hdtest.Coins, c.file, []byte("pw"), when()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"id":{"mnemonic":"x","xpub":"y","chain":"BTC","testnet":false}}`)
	f.Add(`{"id":{"privateKey":"` + wif + `","chain":"BTC"},"id":{}}`)
	f.Fuzz(func(t *testing.T, plain string) {
		im, err := tatumkms.Open(hdtest.Coins, encrypt(plain, "pw"), []byte("pw"), when())
		if err != nil && !json.Valid([]byte(plain)) {
			return
		}
		var object map[string]json.RawMessage
		if wrong := json.Unmarshal([]byte(plain), &object); (wrong == nil && object != nil) != (err == nil) && strings.ToValidUTF8(plain, "") == plain {
			t.Errorf("%q: %v, encoding/json says %v", plain, err, wrong)
		}
		if err == nil && len(im.Entries)+len(im.Refused) != len(object) {
			t.Errorf("%q: %d entries and %d refused of %d", plain, len(im.Entries), len(im.Refused), len(object))
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add(encrypt(`{}`, "pw"))
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _ = tatumkms.Read(file, []byte("pw"))
	})
}

func BenchmarkOpenManyKeys(b *testing.B) {
	for _, p := range pairs(b) {
		if p.Name != "many-keys" {
			continue
		}
		for b.Loop() {
			if _, err := tatumkms.Open(hdtest.Coins, p.file, []byte(p.Password), when()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
