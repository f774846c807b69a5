package vet

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"

	"coldkms/offline/hd"
	"coldkms/offline/sign/accounttest"
	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
	"coldkms/shared/chain/vet"
)

// elsewhere are the refusals that need what is not in this family's pure part.
var elsewhere = map[string]string{
	"unknown-id":          "the wallet has no such entry",
	"entry-other-network": "the wallet's entry is of the other network",
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func outcome(t *testing.T, v accounttest.Vector) (signed, txID string, err error) {
	e, ok := v.Entry()
	if !ok {
		return "", "", chain.Refuse(chain.UnknownKey, "the wallet has no key for it")
	}
	secret := secretOf(t, v, e)
	account, err := recoverable.Account(secret)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	r, err := vet.ReadRequest(v.Coin(), v.Pending.SerializedTransaction)
	if err != nil {
		return "", "", err
	}
	var at struct {
		ChainTag, BlockRef, Nonce string
		Expiration                uint32
		Gas                       uint64
	}
	v.ReadAt(t, &at)
	q := vet.Quote{ChainTag: byte(number(t, at.ChainTag)), Expiration: at.Expiration, Nonce: number(t, at.Nonce), Gas: at.Gas}
	binary.BigEndian.PutUint64(q.BlockRef[:], number(t, at.BlockRef))
	tx, err := r.Resolve(account, q)
	if err != nil {
		return "", "", err
	}
	out, err := Sign(tx, v.Coin().Network, account, secret)
	if err != nil {
		t.Fatalf("%s: resolved, and Sign: %v", v.Name, err)
	}
	return "0x" + hex.EncodeToString(out.Raw), "", nil
}

func secretOf(t *testing.T, v accounttest.Vector, e accounttest.Entry) []byte {
	t.Helper()
	if e.PrivateKey != "" {
		secret, err := hex.DecodeString(strings.TrimPrefix(e.PrivateKey, "0x"))
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	coin := uint32(818) // SLIP 44
	if e.Testnet {
		coin = 1
	}
	const hardened = hdkeychain.HardenedKeyStart
	key, err := hdkeychain.NewMaster(hd.Seed([]byte(e.Mnemonic), nil), &chaincfg.MainNetParams)
	for _, step := range []uint32{hardened + 44, hardened + coin, hardened, 0, uint32(*v.Pending.Index)} {
		if err != nil {
			t.Fatal(err)
		}
		key, err = key.Derive(step)
	}
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.ECPrivKey()
	if err != nil {
		t.Fatal(err)
	}
	return private.Serialize()
}

func TestVectors(t *testing.T) {
	accounttest.Run(t, vet.Name, elsewhere, func(v accounttest.Vector) (string, string, error) { return outcome(t, v) })
}

func sample(t *testing.T) (tx vet.Tx, account evm.Address, secret []byte) {
	t.Helper()
	secret = bytes.Repeat([]byte{7}, recoverable.SecretSize)
	account, err := recoverable.Account(secret)
	if err != nil {
		t.Fatal(err)
	}
	return vet.Tx{
		ChainTag: 0x4a, BlockRef: vet.BlockRef{1, 2, 3, 4}, Expiration: 720, To: evm.Address{1}, Value: chain.NewAmount(5),
		Gas: 21_000, Nonce: 9,
	}, account, secret
}

// What does not pass Check is not signed, whoever asks.
func TestSignChecks(t *testing.T) {
	tx, account, secret := sample(t)
	out, err := Sign(tx, chain.Mainnet, account, secret)
	if err != nil || out.TxID != tx.TxID(account) {
		t.Fatal(err)
	}
	if sender, err := tx.Sender(out.Signature); err != nil || sender != account {
		t.Errorf("sender %s, %v", sender, err)
	}
	if out, err := Sign(tx, chain.Testnet, account, secret); err == nil {
		t.Errorf("other network: signed %x", out.Raw)
	}
	for name, change := range map[string]func(){
		"chain tag":     func() { tx.ChainTag = 0x27 },
		"zero address":  func() { tx.To = evm.Address{} },
		"gas":           func() { tx.Gas-- },
		"a blind call":  func() { tx.Data, tx.Gas = []byte{1, 2, 3, 4}, 100_000 },
		"no window":     func() { tx.Expiration = 0 },
		"other account": func() { account[0] ^= 1 },
		"other key":     func() { secret[0] ^= 1 },
		"short key":     func() { secret = secret[1:] },
	} {
		tx, account, secret = sample(t)
		change()
		if out, err := Sign(tx, chain.Mainnet, account, secret); err == nil {
			t.Errorf("%s: signed %x", name, out.Raw)
		}
	}
}
