package sandbox

import (
	"context"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// account is the xpub of a withdrawal and the indices that hold its funds.
type account struct {
	signatureID string
	xpub        string
	key         *hdkeychain.ExtendedKey
	indices     []int64
	coin        coin
}

func (c coin) account(body *withdrawalRequest) (account, error) {
	if body.Fee == "" {
		body.Fee = looseNumber(c.fee)
	}
	if len(body.Indices) == 0 {
		for i := range int64(defaultIndices) {
			body.Indices = append(body.Indices, i)
		}
	}
	if !pending.ValidSignatureID(body.SignatureID) {
		return account{}, invalid("signatureId", "must be the id of a mnemonic in a key management system")
	}
	key, err := hdkeychain.NewKeyFromString(body.Xpub)
	if err != nil || key.IsPrivate() || binary.BigEndian.Uint32(key.Version()) != c.HDPublic {
		return account{}, invalid("xpub", "must be an extended public key of the %s test network", c.id)
	}
	if len(body.Indices) > maxSources {
		return account{}, invalid("indices", "must have at most %d entries", maxSources)
	}
	seen := make(map[int64]bool)
	for _, i := range body.Indices {
		if i < 0 || i > chain.MaxIndex || seen[i] {
			return account{}, invalid("indices", "must be different numbers between 0 and %d", chain.MaxIndex)
		}
		seen[i] = true
	}
	return account{body.SignatureID, body.Xpub, key, body.Indices, c}, nil
}

// script is that of the key at index, in the form that Tatum gives the coin's
// addresses: P2WPKH for BTC, P2PKH for the others.
func (a account) script(index int64) ([]byte, error) {
	child, err := a.key.Derive(uint32(index))
	if err != nil {
		return nil, invalid("xpub", "has no key %d: %v", index, err)
	}
	pub, err := child.ECPubKey()
	if err != nil {
		return nil, invalid("xpub", "has no key %d: %v", index, err)
	}
	address, _ := a.coin.KeyAddress(pub.SerializeCompressed())
	return a.coin.script(address)
}

// fund is an unspent output of an account.
type fund struct {
	unspent
	index int64
}

// collect takes outputs of the account, index by index, until they cover need.
func (b *backend) collect(ctx context.Context, a account, need int64) ([]fund, error) {
	var funds []fund
	for _, index := range a.indices {
		script, err := a.script(index)
		if err != nil {
			return nil, err
		}
		found, err := b.unspent(ctx, script)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			if need <= 0 {
				return funds, nil
			}
			funds = append(funds, fund{u, index})
			need -= u.value
		}
	}
	return funds, nil
}
