//go:build unix

package wallet_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

const words = "legal winner thank year wave sausage worth useful legal winner thank yellow"

func when() time.Time { return time.Unix(1_800_000_000, 0) }

// cheap is a key derivation for tests.
func cheap() wallet.Cost { return wallet.Cost{Memory: 8, Passes: 1, Lanes: 1} }

func store() wallet.Store {
	return wallet.Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.Reader, Cost: cheap()}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "wallet.kms") }

// must returns the value or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyOf(n int) []byte {
	key := make([]byte, 32)
	key[0], key[29], key[30], key[31] = 1, byte(n>>16), byte(n>>8), byte(n)
	return key
}

// sample fills a wallet with one entry of each kind.
func sample(t testing.TB, w *wallet.Wallet) {
	t.Helper()
	ok(t, w.Add(
		must(wallet.FromMnemonic("words", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), []byte(words), nil, when()))(t),
		must(wallet.FromMnemonic("passphrase", hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Mainnet}), []byte(words), []byte("TREZOR"), when()))(t),
		must(wallet.FromKey("key", hdtest.Coin(chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}), keyOf(1), true, when()))(t),
		must(wallet.FromKey("old key", hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Testnet}), keyOf(2), false, when()))(t),
		must(wallet.FromForeign("foreign", chain.Coin{Chain: "ETH", Network: chain.Mainnet}, []byte(`{"mnemonic":"x"}`), when()))(t),
	))
	ok(t, w.Pair(wallet.Relay{Key: identity.Public{1, 2, 3}, Name: "relay", Added: 7}))
	ok(t, w.SetLedger(bytes.Repeat([]byte{9}, 32)))
}

func TestRoundTrip(t *testing.T) {
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("New wrote something: %v", err)
	}
	sample(t, w)
	ok(t, w.Save())
	own := must(w.Identity())(t).Public()
	want := fmt.Sprintf("%+v", w.Entries())
	w.Close()

	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	w = must(store().Open(path, []byte("pw")))(t)
	defer w.Close()
	if got := fmt.Sprintf("%+v", w.Entries()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if must(w.Identity())(t).Public() != own {
		t.Error("another identity")
	}
	if !w.Paired(identity.Public{1, 2, 3}) || w.Paired(identity.Public{1}) || w.Relays()[0].Name != "relay" {
		t.Errorf("relays %v", w.Relays())
	}
	if !bytes.Equal(w.Ledger(), bytes.Repeat([]byte{9}, 32)) {
		t.Errorf("ledger %x", w.Ledger())
	}
	if w.Len() != 5 || w.Path() != path {
		t.Errorf("%d entries at %s", w.Len(), w.Path())
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good := filepath.Join(dir, "good")
	w := must(store().Create(good, []byte("pw")))(t)
	w.Close()
	file := must(os.ReadFile(good))(t)
	long := append(bytes.Clone(file), 'x')
	link := filepath.Join(dir, "link")
	ok(t, os.Symlink(good, link))
	open := put("open", string(file))
	ok(t, os.Chmod(open, 0o666))
	orphan := filepath.Join(dir, "orphan")
	put("orphan.prev", string(file))
	for name, c := range map[string]struct {
		path, password string
		want           error
		noPassword     bool // Probe finds it too
	}{
		"good":              {good, "pw", nil, true},
		"wrong password":    {good, "pw ", wallet.ErrWrongPassword, false},
		"empty password":    {good, "", wallet.ErrWrongPassword, false},
		"none":              {filepath.Join(dir, "none"), "pw", wallet.ErrNoWallet, true},
		"no folder":         {filepath.Join(dir, "no", "none"), "pw", wallet.ErrNoWallet, true},
		"empty":             {put("empty", ""), "pw", wallet.ErrNotWallet, true},
		"text":              {put("text", "hello, world"), "pw", wallet.ErrNotWallet, true},
		"Tatum":             {put("tatum", "U2FsdGVkX18AAAAAAAAAAA==\n"), "pw", wallet.ErrTatumWallet, true},
		"Tatum, newline":    {put("tatum2", "\nU2FsdGVkX18AAAAAAAAAAA=="), "pw", wallet.ErrTatumWallet, true},
		"cut in header":     {put("cut1", string(file[:100])), "pw", wallet.ErrDamaged, true},
		"cut in body":       {put("cut2", string(file[:len(file)-1])), "pw", wallet.ErrDamaged, true},
		"one byte more":     {put("long", string(long)), "pw", wallet.ErrDamaged, true},
		"link":              {link, "pw", durable.ErrNotRegular, true},
		"others may write":  {open, "pw", durable.ErrInsecure, true},
		"folder":            {dir, "pw", durable.ErrNotRegular, true},
		"only previous one": {orphan, "pw", wallet.ErrOnlyPrevious, true},
	} {
		w, err := store().Open(c.path, []byte(c.password))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if w != nil {
			w.Close()
		}
		if err := store().Probe(c.path); c.noPassword != errors.Is(err, c.want) {
			t.Errorf("%s: Probe says %v", name, err)
		}
	}
	for _, path := range []string{good, orphan, put("t3", "U2FsdGVkX18AAAAAAAAAAA==")} {
		before, _ := os.ReadFile(path)
		if _, err := store().Create(path, []byte("pw")); err == nil {
			t.Errorf("%s was overwritten", path)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", path)
		}
	}
	if _, err := store().Create(filepath.Join(dir, "new"), nil); !errors.Is(err, wallet.ErrEmptyPassword) {
		t.Errorf("got %v", err)
	}
}

func TestInsecureFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w")
	must(store().Create(path, []byte("pw")))(t).Close()
	ok(t, os.Chmod(dir, 0o777))
	if _, err := store().Open(path, []byte("pw")); !errors.Is(err, durable.ErrInsecure) {
		t.Errorf("open: %v", err)
	}
	if _, err := store().Create(filepath.Join(dir, "w2"), []byte("pw")); !errors.Is(err, durable.ErrInsecure) {
		t.Errorf("create: %v", err)
	}
}

func TestPasswordIsNormalised(t *testing.T) {
	path := newPath(t)
	must(store().Create(path, []byte("p\u00e4ss")))(t).Close()
	must(store().Open(path, []byte("pa\u0308ss")))(t).Close()
}

func TestAddRefuses(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	sample(t, w)
	good := must(wallet.FromKey("new", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), keyOf(3), true, when()))(t)
	again := good
	again.ID = "words"
	for name, entries := range map[string][]wallet.Entry{
		"known id":   {good, again},
		"same twice": {good, good},
		"zero":       {good, {}},
		"both": {good, func() wallet.Entry {
			e := good
			e.ID, e.Words, e.XPub = "both", []byte("x"), "x"
			return e
		}()},
	} {
		if err := w.Add(entries...); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, have := w.Entry("new"); have || w.Len() != 5 {
			t.Errorf("%s: some were added", name)
		}
	}
	for _, id := range []string{"", "a\nb", "\x1b[31m", string(bytes.Repeat([]byte("x"), 129)), "\xff", "\u202e"} {
		if _, err := wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), keyOf(3), true, when()); err == nil {
			t.Errorf("id %q was taken", id)
		}
	}
	ofETH := good
	ofETH.ID, ofETH.Coin = "eth", chain.Coin{Chain: "ETH", Network: chain.Mainnet}
	if err := w.Add(ofETH); chain.CodeOf(err) != chain.UnsupportedChain || w.Len() != 5 {
		t.Errorf("a key of ETH: %v", err)
	}
	if _, err := wallet.FromKey("x", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), make([]byte, 32), true, when()); !errors.Is(err, hd.ErrKey) {
		t.Errorf("zero key: %v", err)
	}
}

func TestRemove(t *testing.T) {
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	sample(t, w)
	ok(t, w.Save())
	ok(t, w.Remove("key"))
	if err := w.Remove("key"); !errors.Is(err, wallet.ErrNoEntry) {
		t.Errorf("got %v", err)
	}
	ok(t, w.Save())
	w.Close()
	w = must(store().Open(path, []byte("pw")))(t)
	defer w.Close()
	var ids []string
	for _, e := range w.Entries() {
		ids = append(ids, e.ID)
	}
	if want := []string{"words", "passphrase", "old key", "foreign"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("got %q", ids)
	}
}

func TestPair(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	for i := range 256 {
		ok(t, w.Pair(wallet.Relay{Key: identity.Public{byte(i), 7}, Name: "a"}))
	}
	ok(t, w.Pair(wallet.Relay{Key: identity.Public{5, 7}, Name: "b"}))
	if r := w.Relays(); len(r) != 256 || r[5].Name != "b" {
		t.Errorf("%d relays", len(r))
	}
	if err := w.Pair(wallet.Relay{Key: identity.Public{0, 1}}); err == nil {
		t.Error("a relay too many")
	}
	if !w.Unpair(identity.Public{5, 7}) || w.Unpair(identity.Public{5, 7}) || w.Paired(identity.Public{5, 7}) {
		t.Error("Unpair")
	}
	if err := w.Pair(wallet.Relay{Name: string(make([]byte, 257))}); err == nil {
		t.Error("a name too long")
	}
	if err := w.SetLedger(make([]byte, 65)); err == nil {
		t.Error("a hash too long")
	}
}

func TestKeysWipedOnClose(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	sample(t, w)
	entries := w.Entries()
	must(w.Private("words", 3))(t)
	w.Close()
	w.Close() // twice is fine
	for _, e := range entries {
		for _, secret := range [][]byte{e.Words, e.Passphrase, e.Key, e.JSON} {
			if !bytes.Equal(secret, make([]byte, len(secret))) {
				t.Errorf("%s still has %q", e.ID, secret)
			}
		}
	}
	if _, err := w.Private("words", 3); err == nil {
		t.Error("a closed wallet gives keys")
	}
	if _, err := w.Identity(); !errors.Is(err, wallet.ErrClosed) {
		t.Errorf("identity: %v", err)
	}
	for name, err := range map[string]error{
		"save": w.Save(), "add": w.Add(), "password": w.ChangePassword([]byte("x")), "pair": w.Pair(wallet.Relay{}),
		"ledger": w.SetLedger(nil), "backup": w.Backup(func([]byte) error { return nil }),
	} {
		if !errors.Is(err, wallet.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewID(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := make(map[string]bool)
	for range 1000 {
		id := must(w.NewID())(t)
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%q", id)
		}
		seen[id] = true
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBrokenRandomness(t *testing.T) {
	path := newPath(t)
	s := store()
	s.Rand = zeros{}
	if _, err := s.New(path, []byte("pw")); !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("new: %v", err)
	}
	must(store().Create(path, []byte("pw")))(t).Close()
	before := must(os.ReadFile(path))(t)
	w := must(s.Open(path, []byte("pw")))(t)
	defer w.Close()
	if err := w.Save(); !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("save: %v", err)
	}
	if after := must(os.ReadFile(path))(t); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}
