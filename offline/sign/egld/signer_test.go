package egld

import (
	"bytes"
	"encoding/hex"
	"testing"

	"coldkms/offline/hd"
	"coldkms/offline/sign/accounttest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/egld"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"unknown-id":          "the wallet has no such entry",
	"entry-other-network": "the wallet's entry is of the other network",
}

func outcome(t *testing.T, v accounttest.Vector) (signed, txID string, err error) {
	e, ok := v.Entry()
	if !ok {
		return "", "", chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	}
	secret, err := secretOf(v, e)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	account, err := Account(secret)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	r, err := egld.ReadRequest(v.Coin(), v.Pending.SerializedTransaction)
	if err != nil {
		return "", "", err
	}
	var at struct {
		ChainID                               string
		MinGasPrice, Version, Nonce, GasLimit uint64
	}
	v.ReadAt(t, &at)
	tx, err := r.Resolve(account, egld.Quote{ChainID: at.ChainID, Nonce: at.Nonce, Gas: at.GasLimit, Price: chain.NewAmount(at.MinGasPrice), Version: at.Version})
	if err != nil {
		return "", "", err
	}
	out, err := Sign(tx, v.Coin().Network, secret)
	if err != nil {
		t.Fatalf("%s: resolved, and Sign: %v", v.Name, err)
	}
	return string(out.Raw), "", nil
}

func secretOf(v accounttest.Vector, e accounttest.Entry) ([]byte, error) {
	if e.PrivateKey != "" {
		return hex.DecodeString(e.PrivateKey)
	}
	return Key([]byte(e.Mnemonic), nil, v.Coin().Network, *v.Pending.Index)
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, egld.Name, elsewhere, func(v accounttest.Vector) (string, string, error) { return outcome(t, v) })
}

func sample(t *testing.T) (tx egld.Tx, secret []byte) {
	t.Helper()
	secret = bytes.Repeat([]byte{7}, 32)
	account, err := Account(secret)
	if err != nil {
		t.Fatal(err)
	}
	return egld.Tx{
		Nonce: 3, Value: chain.NewAmount(1e18), Receiver: egld.Address{1}, Sender: account,
		Price: chain.NewAmount(1e9), Gas: 50_000, ChainID: "1", Version: 1,
	}, secret
}

// What does not pass Check is not signed, whoever asks.
func TestSignChecks(t *testing.T) {
	tx, secret := sample(t)
	if _, err := Sign(tx, chain.Mainnet, secret); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"other chain":   func() { tx.ChainID = "D" },
		"zero address":  func() { tx.Receiver = egld.Address{} },
		"gas":           func() { tx.Gas-- },
		"guardian":      func() { tx.Data, tx.Gas = []byte("GuardAccount"), 100_000 },
		"other account": func() { tx.Sender[0] ^= 1 },
		"other key":     func() { secret[0] ^= 1 },
		"short key":     func() { secret = secret[1:] },
	} {
		tx, secret = sample(t)
		change()
		if out, err := Sign(tx, chain.Mainnet, secret); err == nil {
			t.Errorf("%s: signed %s", name, out.Raw)
		}
	}
	tx, secret = sample(t)
	if out, err := Sign(tx, chain.Testnet, secret); err == nil {
		t.Errorf("other network: signed %s", out.Raw)
	}
}

// The words and the address of Alice, in the tests of mx-sdk-js-core.
const (
	alice        = "moral volcano peasant pass circle pen over picture flat shop clap goat never lyrics gather prepare woman film husband gravity behind test tiger improve"
	aliceKey     = "413f42575f7f26fad3317a778771212fdb80245850981e48b58a4f25e344e8f9"
	aliceAddress = "erd1qyu5wthldzr8wx5c9ucg8kjagg0jfs53s8nr3zpz3hypefsdd8ssycr6th"
)

func TestKey(t *testing.T) {
	key, err := Key([]byte(alice), nil, chain.Mainnet, 0)
	if err != nil || hex.EncodeToString(key) != aliceKey {
		t.Fatalf("%x, %v", key, err)
	}
	if account, err := Account(key); err != nil || account.String() != aliceAddress {
		t.Errorf("%s, %v", account, err)
	}
	const (
		words = "mixed fancy tomato length inner situate among exclude plunge tower wool profit twelve valve sponsor flight rice notice deal metal sail frozen brisk call"
		want  = "erd1uqe3nak8a0a2759hc2m44xkayj96j34wfwaxtlq0xc7l8yf566ask2a8vk" // made by Tatum's library
	)
	if key, err = Key([]byte(words), nil, chain.Testnet, 0); err != nil {
		t.Fatal(err)
	}
	if account, err := Account(key); err != nil || account.String() != want {
		t.Errorf("%s, %v; want %s", account, err, want)
	}
}

// The first test of SLIP-10 for Ed25519.
func TestDerive(t *testing.T) {
	seed, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f")
	for want, path := range map[string][]uint32{
		"2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7": {},
		"68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3": {0},
		"8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793": {0, 1, 2, 2, 1000000000},
	} {
		if got := derive(seed, path...); hex.EncodeToString(got) != want {
			t.Errorf("%v: %x, want %s", path, got, want)
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		words   string
		network chain.Network
		index   int64
	}{
		"no words":      {"", chain.Mainnet, 0},
		"blanks":        {"  ", chain.Mainnet, 0},
		"undefined":     {"undefined", chain.Mainnet, 0},
		"one word less": {alice[:len(alice)-len(" improve")], chain.Mainnet, 0},
		"checksum":      {alice[:len(alice)-len("improve")] + "zoo", chain.Mainnet, 0},
		"index -1":      {alice, chain.Mainnet, -1},
		"index 2^31":    {alice, chain.Mainnet, 1 << 31},
		"no network":    {alice, chain.Network(0), 0},
	} {
		if key, err := Key([]byte(c.words), nil, c.network, c.index); err == nil {
			t.Errorf("%s: key %x", name, key)
		}
	}
}

// The addresses to warn of are those that Tatum shows for every wallet.
func TestEmptyWords(t *testing.T) {
	for want, coin := range map[string]uint32{egld.EmptyWordsMainnet: mainCoin, egld.EmptyWordsTestnet: testCoin} {
		account, err := Account(derive(hd.Seed(nil, nil), 44, coin, 0, 0, 0))
		if err != nil || account.String() != want || !account.IsEmptyWords() {
			t.Errorf("%s, %v; want %s", account, err, want)
		}
	}
	if tx, _ := sample(t); tx.Sender.IsEmptyWords() {
		t.Error("another address is one of them")
	}
}
