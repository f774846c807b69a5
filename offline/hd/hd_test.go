package hd_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/tyler-smith/go-bip39"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
)

func TestMnemonicAgainstLibrary(t *testing.T) {
	for _, words := range []int{12, 15, 18, 21, 24} {
		for range 20 {
			entropy := make([]byte, words/3*4)
			_, _ = rand.Read(entropy)
			got, err := hd.NewMnemonic(hd.NewSource(bytes.NewReader(entropy)), words)
			if err != nil {
				t.Fatal(err)
			}
			want, err := bip39.NewMnemonic(entropy)
			if err != nil || string(got) != want {
				t.Fatalf("entropy %x: %q, want %q (%v)", entropy, got, want, err)
			}
			if err := hd.CheckMnemonic(got); err != nil {
				t.Errorf("%q: %v", got, err)
			}
			if !bytes.Equal(hd.Seed(got, []byte("TREZOR")), bip39.NewSeed(want, "TREZOR")) {
				t.Errorf("%q: another seed", got)
			}
		}
	}
}

func TestNewMnemonicRefuses(t *testing.T) {
	for _, words := range []int{-3, 0, 3, 11, 13, 23, 27} {
		if _, err := hd.NewMnemonic(hd.NewSource(rand.Reader), words); !errors.Is(err, hd.ErrWordCount) {
			t.Errorf("%d words: %v", words, err)
		}
	}
	broken := errors.New("broken")
	if _, err := hd.NewMnemonic(hd.NewSource(iotest.ErrReader(broken)), 24); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	for _, n := range []int{0, 15, 17, 36} {
		if _, err := hd.MnemonicOf(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

func TestCheckMnemonic(t *testing.T) {
	const good = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	for mnemonic, want := range map[string]error{
		good: nil,
		" " + strings.ReplaceAll(good, " ", "\t\n ") + "\n": nil,
		strings.Replace(good, "yellow", "year", 1):          hd.ErrChecksum,
		strings.Replace(good, "yellow", "yello", 1):         hd.ErrWord,
		strings.Replace(good, "yellow", "YELLOW", 1):        hd.ErrWord,
		strings.TrimSuffix(good, " yellow"):                 hd.ErrWordCount,
		"foo bar":                                           hd.ErrWordCount,
		"":                                                  hd.ErrWordCount,
	} {
		err := hd.CheckMnemonic([]byte(mnemonic))
		if !errors.Is(err, want) || (want != nil && !errors.Is(err, hd.ErrMnemonic)) {
			t.Errorf("%q: %v, want %v", mnemonic, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "yello ") {
			t.Errorf("the error shows a word: %v", err)
		}
	}
}

// Every word at every place but the last: one checksum in 16 fits 12 words,
// and exactly the library's verdict is ours.
func TestCheckMnemonicAgainstLibrary(t *testing.T) {
	words := strings.Fields("legal winner thank year wave sausage worth useful legal winner thank yellow")
	for i, w := range bip39.GetWordList() {
		words[i%11] = w
		mnemonic := strings.Join(words, " ")
		if got, want := hd.CheckMnemonic([]byte(mnemonic)) == nil, bip39.IsMnemonicValid(mnemonic); got != want {
			t.Fatalf("%q: %v, want %v", mnemonic, got, want)
		}
	}
}

// Composed and decomposed letters are one mnemonic: bip39 in JavaScript
// normalises, go-bip39 does not. The seed was computed with Node's
// crypto.pbkdf2Sync over the NFKD form.
func TestSeedNormalises(t *testing.T) {
	nfc, nfd := "caf\u00e9 \u212b", "cafe\u0301 A\u030a"
	if !bytes.Equal(hd.Seed([]byte(nfc), []byte("\u00fc")), hd.Seed([]byte(nfd), []byte("u\u0308"))) {
		t.Error("two seeds")
	}
	if bytes.Equal(hd.Seed([]byte("foo bar"), nil), hd.Seed([]byte("foo  bar"), nil)) {
		t.Error("white space must count, as it does for Tatum")
	}
}

func TestTidy(t *testing.T) {
	if got := hd.Tidy([]byte("  Legal\t WINNER \n thank\r\n")); string(got) != "legal winner thank" {
		t.Errorf("%q", got)
	}
}

func TestIndexBounds(t *testing.T) {
	account, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
	if err != nil {
		t.Fatal(err)
	}
	xpub := account.XPub()
	for _, index := range []int64{-1, 1 << 31, 1 << 32, 1<<63 - 1, -1 << 63} {
		if _, _, err := account.Key(index); !errors.Is(err, hd.ErrIndex) {
			t.Errorf("private %d: %v", index, err)
		}
		if _, err := hd.PublicKey(xpub, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), index); !errors.Is(err, hd.ErrIndex) {
			t.Errorf("public %d: %v", index, err)
		}
	}
}

// The one step that is written out here, against the library, from many seeds.
func TestKeyAgainstLibrary(t *testing.T) {
	for n := range 200 {
		seed := bytes.Repeat([]byte{byte(n)}, 64)
		account, err := hd.NewAccount(seed, hdtest.Coin(chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}))
		if err != nil {
			t.Fatal(err)
		}
		key, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
		const h = hdkeychain.HardenedKeyStart
		for _, step := range []uint32{h + 44, h + 3, h, 0, uint32(n) << 22} {
			if err == nil {
				key, err = key.Derive(step)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := key.ECPrivKey()
		if err != nil {
			t.Fatal(err)
		}
		private, public, err := account.Key(int64(n) << 22)
		if err != nil || !bytes.Equal(private, want.Serialize()) || !bytes.Equal(public, want.PubKey().SerializeCompressed()) {
			t.Errorf("seed %d: another key (%v)", n, err)
		}
	}
}

func TestWipe(t *testing.T) {
	account, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := account.Key(1)
	account.Wipe()
	if after, _, _ := account.Key(1); bytes.Equal(before, after) {
		t.Error("a wiped account gives its keys")
	}
}

func TestPublicKeyRefusesOtherXPub(t *testing.T) {
	for _, w := range load(t).Wallets {
		for _, network := range []chain.Network{chain.Mainnet, chain.Testnet} {
			_, err := hd.PublicKey(w.XPub, hdtest.Coin(chain.Coin{Chain: w.Chain, Network: network}), 0)
			if want := network == chain.NetworkOf(w.Testnet); (err == nil) != want {
				t.Errorf("%s of %s %v as %s: %v", w.XPub, w.Chain, w.Testnet, network, err)
			}
		}
	}
	const private = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
	for _, bad := range []string{"", "xpub-unknown", private} {
		if _, err := hd.PublicKey(bad, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), 0); !errors.Is(err, hd.ErrXPub) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWIF(t *testing.T) {
	key := bytes.Repeat([]byte{0x11}, 32)
	for _, compressed := range []bool{true, false} {
		for _, id := range []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} {
			for _, network := range []chain.Network{chain.Mainnet, chain.Testnet} {
				wif, err := hd.EncodeWIF(key, compressed, hdtest.Coin(chain.Coin{Chain: id, Network: network}))
				if err != nil {
					t.Fatal(err)
				}
				lib, err := btcutil.DecodeWIF(string(wif))
				if err != nil || lib.CompressPubKey != compressed || !bytes.Equal(lib.PrivKey.Serialize(), key) {
					t.Errorf("%s: the library reads another key (%v)", wif, err)
				}
				got, c, err := hd.DecodeWIF(wif, hdtest.Coin(chain.Coin{Chain: id, Network: network}))
				if err != nil || c != compressed || !bytes.Equal(got, key) {
					t.Errorf("%s: %x %v %v", wif, got, c, err)
				}
				if _, _, err := hd.DecodeWIF(wif, hdtest.Coin(chain.Coin{Chain: id, Network: 3 - network})); !errors.Is(err, hd.ErrWIFNetwork) {
					t.Errorf("%s %s on the other network: %v", id, network, err)
				}
				if other := chain.DOGE; id != other {
					if _, _, err := hd.DecodeWIF(wif, hdtest.Coin(chain.Coin{Chain: other, Network: network})); !errors.Is(err, hd.ErrWIFNetwork) {
						t.Errorf("%s %s as %s: %v", id, network, other, err)
					}
				}
			}
		}
	}
}

func TestWIFRefuses(t *testing.T) {
	key := bytes.Repeat([]byte{0x11}, 32)
	wif, err := hd.EncodeWIF(key, true, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range wif { // one wrong character anywhere
		bad := bytes.Clone(wif)
		bad[i] = 'z'
		if bad[i] == wif[i] {
			continue
		}
		if _, _, err := hd.DecodeWIF(bad, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})); !errors.Is(err, hd.ErrWIF) {
			t.Errorf("character %d wrong: %v", i, err)
		}
	}
	flag := append(append([]byte{0x80}, key...), 0x02)
	long := append(append([]byte{0x80}, key...), 0x01, 0x01)
	order, _ := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	for name, bad := range map[string]string{
		"empty": "", "not base 58": strings.Repeat("0", 51), "endless": strings.Repeat("z", 10_000), "ones": strings.Repeat("1", 52),
		"flag 02":   base58.CheckEncode(flag[1:], flag[0]),
		"too long":  base58.CheckEncode(long[1:], long[0]),
		"too short": base58.CheckEncode(key[1:], 0x80),
		"zero":      base58.CheckEncode(make([]byte, 32), 0x80),
		"order":     base58.CheckEncode(order, 0x80),
	} {
		if _, _, err := hd.DecodeWIF([]byte(bad), hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for _, bad := range [][]byte{nil, key[1:], make([]byte, 32), order} {
		if _, err := hd.EncodeWIF(bad, true, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})); !errors.Is(err, hd.ErrKey) {
			t.Errorf("key %x: %v", bad, err)
		}
	}
	if _, err := hd.EncodeWIF(key, true, hd.Coin{}); chain.CodeOf(err) != chain.UnsupportedChain {
		t.Errorf("a key of no coin: %v", err)
	}
}

func TestAccountConcurrently(t *testing.T) {
	account, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	other, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := other.Key(7) // not of account: what races would race in its first use
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, got, err := account.Key(7); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%x, %v", got, err)
			}
			_ = account.XPub()
		})
	}
	wg.Wait()
}

func TestSource(t *testing.T) {
	period := func(b []byte) []byte { return bytes.Repeat(b, 64) }
	var block [16]byte
	for i := range block {
		block[i] = byte(i * 7)
	}
	for name, bad := range map[string][]byte{
		"zeros": make([]byte, 1024), "ones": bytes.Repeat([]byte{0xff}, 1024),
		"two bytes": period([]byte{1, 2}), "repeated block": period(block[:]),
	} {
		s := hd.NewSource(bytes.NewReader(bad))
		var err error
		b := make([]byte, 16)
		for range 3 {
			if _, err = s.Read(b); err != nil {
				break
			}
		}
		if !errors.Is(err, hd.ErrEntropy) || !bytes.Equal(b, make([]byte, 16)) {
			t.Errorf("%s: %v, %x", name, err, b)
		}
		if _, again := s.Read(b); !errors.Is(again, hd.ErrEntropy) {
			t.Errorf("%s: it went on after the failure", name)
		}
	}
	once := hd.NewSource(bytes.NewReader(period(block[:])))
	if _, err := once.Read(make([]byte, 32)); !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("a block repeated within one read: %v", err)
	}
	s := hd.NewSource(bytes.NewReader(make([]byte, 1024)))
	var err error
	for i := 0; i < 9 && err == nil; i++ {
		_, err = s.Read(make([]byte, 1)) // a run counts across reads
	}
	if !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("zeros one by one: %v", err)
	}
	turns := hd.NewSource(io.MultiReader(bytes.NewReader(make([]byte, 16)), rand.Reader))
	for range 3 { // once broken, for ever broken
		if _, err := turns.Read(make([]byte, 16)); !errors.Is(err, hd.ErrEntropy) {
			t.Errorf("a source that turns good: %v", err)
		}
	}
	short := hd.NewSource(bytes.NewReader(make([]byte, 3)))
	if _, err := short.Read(make([]byte, 32)); err == nil || errors.Is(err, hd.ErrEntropy) {
		t.Errorf("got %v", err)
	}
	good := hd.NewSource(rand.Reader)
	for range 10_000 {
		if _, err := good.Read(make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzWIF(f *testing.F) {
	f.Add([]byte("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"))
	f.Add([]byte("KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, compressed, err := hd.DecodeWIF(text, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
		if err != nil {
			return
		}
		again, err := hd.EncodeWIF(key, compressed, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q reads and writes as %q (%v)", text, again, err)
		}
	})
}

func FuzzMnemonic(f *testing.F) {
	f.Add([]byte("legal winner thank year wave sausage worth useful legal winner thank yellow"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if hd.CheckMnemonic(text) == nil && !bip39.IsMnemonicValid(string(text)) && bytes.Equal(text, hd.Tidy(text)) {
			t.Errorf("%q is taken, and the library refuses it", text)
		}
	})
}

func BenchmarkAccount(b *testing.B) {
	for b.Loop() {
		if _, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	account, err := hd.AccountOf([]byte("foo bar"), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := account.Key(1); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleMnemonicOf() {
	words, err := hd.MnemonicOf(make([]byte, 16))
	fmt.Println(string(words), err)
	// Output: abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about <nil>
}
