package wallet

import "bytes"

// SameSecret reports whether two entries stand for the same keys of the same
// chain and network, whenever they were made.
func (e Entry) SameSecret(o Entry) bool {
	return e.ID == o.ID && e.Coin == o.Coin && e.Kind == o.Kind && e.Compressed == o.Compressed &&
		bytes.Equal(e.Words, o.Words) && bytes.Equal(e.Passphrase, o.Passphrase) && bytes.Equal(e.Key, o.Key) && bytes.Equal(e.JSON, o.JSON)
}
