package policy

import (
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// utxoCoins are the coins of the UTXO family.
type utxoCoins struct{}

func (utxoCoins) Coins() []chain.Coin { return utxo.Coins() }

func (utxoCoins) Coin(c chain.Coin) (Coin, bool) {
	p, err := utxo.ParamsOf(c)
	return p, err == nil
}
