package hd

import "coldkms/shared/chain"

// Coin is what derivation and the formats of keys need to know of a coin.
type Coin struct {
	chain.Coin
	Path uint32 // of m/44'/Path'/0'/0 (BIP 44, as Tatum uses it)
	XPub uint32 // magic of an extended public key as Tatum writes it (BIP 32)
	WIF  byte   // version of a private key in wallet import format
}

// check refuses the zero Coin, whose constants would make keys and texts of
// another one.
func (c Coin) check() error {
	if c.Coin == (chain.Coin{}) {
		return chain.Refuse(chain.UnsupportedChain, "no coin is named")
	}
	return nil
}

// Coins looks a coin up. An unknown one is a refusal.
type Coins func(chain.Coin) (Coin, error)
