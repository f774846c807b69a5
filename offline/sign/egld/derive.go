package egld

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"

	"coldkms/offline/hd"
	"coldkms/offline/sign/eddsa"
	"coldkms/shared/chain"
)

// hardened is added to each step of a path: Ed25519 has no others (SLIP-10).
const hardened = 1 << 31

// Coin types of the path (SLIP 44).
const (
	mainCoin = 508
	testCoin = 1
)

// Key returns the private key at an index of a mnemonic: SLIP-10 at
// m/44'/508'/0'/0'/index', or m/44'/1'/0'/0'/index' on a test network. The
// caller wipes it. Words that are no mnemonic are refused, and so is a key of
// the empty one, which Tatum KMS shows the address of: there is no way to it.
func Key(mnemonic, passphrase []byte, network chain.Network, index int64) ([]byte, error) {
	if err := hd.CheckMnemonic(mnemonic); err != nil {
		return nil, err
	}
	if index < 0 || index >= hardened {
		return nil, chain.Refuse(chain.ValueOutOfRange, "index %d, and indexes are 0 to 2^31-1", index)
	}
	coin := uint32(mainCoin)
	switch network {
	case chain.Mainnet:
	case chain.Testnet:
		coin = testCoin
	default:
		return nil, chain.Refuse(chain.WrongNetwork, "network %s has no path", network)
	}
	seed := hd.Seed(mnemonic, passphrase)
	defer clear(seed)
	key := derive(seed, 44, coin, 0, 0, uint32(index))
	account, err := Account(key)
	if err != nil || account.IsEmptyWords() {
		clear(key)
		return nil, chain.Refuse(chain.InternalFailure, "the key is one of the empty mnemonic's")
	}
	return key, nil
}

// derive returns the key at a path of a seed, all steps hardened.
func derive(seed []byte, path ...uint32) []byte {
	node := hash([]byte("ed25519 seed"), seed)
	defer clear(node)
	for _, step := range path {
		key, code := node[:eddsa.SeedSize], node[eddsa.SeedSize:]
		data := append([]byte{0}, key...)
		next := hash(code, binary.BigEndian.AppendUint32(data, hardened+step))
		clear(data)
		copy(node, next)
		clear(next)
	}
	return append([]byte(nil), node[:eddsa.SeedSize]...)
}

func hash(key, data []byte) []byte {
	h := hmac.New(sha512.New, key)
	h.Write(data)
	return h.Sum(nil)
}
