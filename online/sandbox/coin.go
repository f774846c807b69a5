package sandbox

import (
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// coin is what the API needs to know about a coin beyond its node.
type coin struct {
	id        chain.ID
	path      string // the coin's name in URLs
	txVersion int32  // of the transactions that Tatum's library builds
	dust      int64  // change below it goes to the fee (bitcore-lib, Transaction.DUST_AMOUNT)
	net       *chaincfg.Params
	utxo.Params
}

// newCoin gives the constants of a coin on its test network.
func newCoin(id chain.ID) (coin, error) {
	params, err := utxo.ParamsOf(id, chain.Testnet)
	if err != nil {
		return coin{}, fmt.Errorf("sandbox: %w", err)
	}
	switch id {
	case chain.BTC:
		return coin{id: id, path: "bitcoin", txVersion: 2, dust: 546, net: &chaincfg.TestNet3Params, Params: params}, nil
	}
	return coin{}, fmt.Errorf("sandbox: no stand-in for %s yet", id)
}

// script reads an address of the test network, or of the regression test
// network behind the sandbox.
func (c coin) script(address string) ([]byte, error) {
	for _, net := range []*chaincfg.Params{c.net, &chaincfg.RegressionNetParams} {
		a, err := btcutil.DecodeAddress(address, net)
		if err != nil || !a.IsForNet(net) {
			continue
		}
		if _, isKey := a.(*btcutil.AddressPubKey); isKey {
			continue // a bare public key in hex is no address of Tatum's
		}
		return txscript.PayToAddrScript(a)
	}
	return nil, fmt.Errorf("%q is not a %s testnet address", address, c.id)
}
