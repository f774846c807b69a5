package sandbox

import (
	"fmt"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// coin is what the API needs to know about a coin beyond its node.
type coin struct {
	id        chain.ID
	path      string // the coin's name in URLs
	txVersion int32  // of the transactions that Tatum's library builds
	dust      int64  // change below it goes to the fee (DUST_AMOUNT of the coin's bitcore-lib)
	fee       string // of a withdrawal when nobody says, in coins
	form      form   // of a transaction in the API
	fees      bool   // GET /v3/blockchain/fee knows it
	utxos     bool   // GET /v3/…/utxo knows it
	utxo.Params
}

// form is how the API writes a transaction.
type form uint8

const (
	bitcoinForm  form = iota + 1 // inputs, outputs, integers, and hex
	litecoinForm                 // the same with decimals in strings, and no hex
	nodeForm                     // vin, vout and decimals, as a node writes it; no hex
)

// newCoin returns the constants of a coin on its test network.
func newCoin(id chain.ID) (coin, error) {
	c := coin{id: id, txVersion: 2, dust: 546, fees: true, utxos: true}
	switch id {
	case chain.BTC:
		c.path, c.form, c.fee = "bitcoin", bitcoinForm, "0.0005"
	case chain.LTC:
		c.path, c.form, c.fee = "litecoin", litecoinForm, "0.001"
	case chain.DOGE:
		c.path, c.form, c.fee = "dogecoin", nodeForm, "1"
		c.txVersion, c.dust = 1, 1e8
	case chain.BCH:
		c.path, c.form, c.fee = "bcash", nodeForm, "0.00005"
		c.fees, c.utxos = false, false
	default:
		return coin{}, fmt.Errorf("sandbox: no stand-in for %s yet", id)
	}
	var err error
	if c.Params, err = utxo.ParamsOf(chain.Coin{Chain: id, Network: chain.Testnet}); err != nil {
		return coin{}, fmt.Errorf("sandbox: %w", err)
	}
	return c, nil
}

// PathOf returns the name of a coin in the API's URLs.
func PathOf(id chain.ID) (string, error) {
	c, err := newCoin(id)
	return c.path, err
}

// regtestHRP is what btcd's addresses begin with.
const regtestHRP = "bcrt"

// script reads an address of the test network, or of the regression test
// network behind the sandbox.
func (c coin) script(address string) ([]byte, error) {
	if script, err := c.ScriptOf(address); err == nil {
		return script, nil
	}
	if c.id == chain.BTC {
		regtest := c.Params
		regtest.HRP = regtestHRP
		if script, err := regtest.ScriptOf(address); err == nil {
			return script, nil
		}
	}
	return nil, fmt.Errorf("%q is not a %s testnet address", address, c.id)
}
