// Package hdtest has the coins that tests derive keys for.
package hdtest

import (
	"coldkms/offline/hd"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Coins is the hd.Coins of the UTXO family.
func Coins(coin chain.Coin) (hd.Coin, error) {
	p, err := utxo.ParamsOf(coin)
	return hd.Coin{Coin: p.Coin, Path: p.CoinType, XPub: p.HDPublic, WIF: p.WIF}, err
}

// Coin is Coins for one that is known.
func Coin(coin chain.Coin) hd.Coin {
	of, err := Coins(coin)
	if err != nil {
		panic(err)
	}
	return of
}
