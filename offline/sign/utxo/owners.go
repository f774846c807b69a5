package utxo

import (
	"coldkms/offline/sign"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Book implements sign.Finder.
func (s Signer) Book(coin chain.Coin, keys []sign.Known) (sign.Book, error) {
	p, err := utxo.ParamsOf(coin)
	if err != nil {
		return nil, err
	}
	ring := emptyKeyring(p)
	for _, k := range keys {
		ring.put(k.Key, k.Public, false)
	}
	return ring, nil
}

// Owners implements sign.Finder.
func (s Signer) Owners(coin chain.Coin, scripts [][]byte, candidates []chain.Key, keys sign.Keys) ([]chain.Key, error) {
	if !s.has(coin.Chain) {
		return nil, chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain that this signer signs for", string(coin.Chain))
	}
	p, err := utxo.ParamsOf(coin)
	if err != nil {
		return nil, err
	}
	ring, err := newKeyring(p, candidates, keys)
	if err != nil {
		return nil, err
	}
	var owners []chain.Key
	seen := make(map[int]bool)
	for _, script := range scripts {
		if at, ok := ring.find(script); ok && !seen[at] {
			seen[at] = true
			owners = append(owners, ring.keys[at].key)
		}
	}
	return owners, nil
}
