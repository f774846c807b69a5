package interop

import (
	"errors"
	"fmt"
	"slices"

	"coldkms/offline"
	"coldkms/offline/sign"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
)

// ErrWhichChain is returned for a PSBT whose keys the wallet has for more than
// one chain: a PSBT does not say which it is for.
var ErrWhichChain = errors.New("the wallet has its keys for more than one chain")

// maxDerivations bounds the keys that are derived in search of those that a
// PSBT says it wants.
const maxDerivations = 10_000

// owners finds the keys that can sign for the scripts, and by them the chain
// and network: single keys by their scripts, keys of mnemonics by the origins
// that the PSBT gives. Where none is found, nothing can be signed; what it is
// judged as is a matter of showing it.
func owners(s *offline.Session, scripts [][]byte, origins []psbt.Origin, only chain.ID) (chain.Coin, []chain.Key, error) {
	book, ok := s.Keys.(offline.Catalogue)
	if !ok {
		return chain.Coin{}, nil, errors.New("these keys cannot be searched")
	}
	found := make(map[chain.Coin][]chain.Key)
	for at, some := range candidates(book.Entries(), origins, only, s.Only) {
		for _, signer := range s.Signers {
			finder, ok := signer.(sign.Finder)
			if !ok || signer.Family() != utxo.Name {
				continue
			}
			keys, err := finder.Owners(at, scripts, some, s.Keys)
			if err != nil {
				return chain.Coin{}, nil, err
			}
			if len(keys) > 0 {
				found[at] = keys
			}
		}
	}
	at, err := choose(found, only, s.Only)
	return at, found[at], err
}

// choose settles on one place. Keys of one chain that the wallet has for both
// networks are taken for mainnet, unless the session is for testnet.
func choose(found map[chain.Coin][]chain.Key, only chain.ID, network chain.Network) (chain.Coin, error) {
	best := chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}
	if only != "" {
		best.Chain = only
	}
	if network != chain.UnknownNetwork {
		best.Network = network
	}
	first := true
	for at := range found {
		switch {
		case first:
			best, first = at, false
		case at.Chain != best.Chain:
			return chain.Coin{}, fmt.Errorf("%w: %s and %s", ErrWhichChain, min(at.Chain, best.Chain), max(at.Chain, best.Chain))
		case at.Network == chain.Mainnet:
			best = at
		}
	}
	return best, nil
}

// candidates lists the keys that may be meant, by chain and network.
func candidates(entries []wallet.Entry, origins []psbt.Origin, only chain.ID, network chain.Network) map[chain.Coin][]chain.Key {
	list := make(map[chain.Coin][]chain.Key)
	search := search{origins: origins}
	for _, e := range entries {
		at := e.Coin
		if !e.Signable() || !psbt.For(e.Chain) || (only != "" && e.Chain != only) || (network != chain.UnknownNetwork && e.Network != network) {
			continue
		}
		if e.Kind == wallet.PrivateKey {
			list[at] = append(list[at], chain.Key{SignatureID: e.ID, Index: chain.NoIndex})
			continue
		}
		for _, index := range search.indices(e) {
			list[at] = append(list[at], chain.Key{SignatureID: e.ID, Index: int64(index)})
		}
	}
	return list
}

// named lists the keys of mnemonics that origins of outputs name, each proven by
// its public key.
func named(s *offline.Session, at chain.Coin, origins []psbt.Origin) (keys []chain.Key) {
	book, listed := s.Keys.(offline.Catalogue)
	if !listed || len(origins) == 0 {
		return nil
	}
	search := search{origins: origins}
	for _, e := range book.Entries() {
		if e.Kind != wallet.Mnemonic || e.Coin != at {
			continue
		}
		for _, index := range search.indices(e) {
			keys = append(keys, chain.Key{SignatureID: e.ID, Index: int64(index)})
		}
	}
	return keys
}

// search looks for the origins' keys among those of mnemonics.
type search struct {
	origins []psbt.Origin
	derived int
}

// indices returns the derivation indices of a mnemonic that an origin speaks of,
// proven by the public key. An origin names the extended key itself and the
// index, or the whole path below a master key that is not looked at.
func (f *search) indices(e wallet.Entry) []uint32 {
	if len(f.origins) == 0 {
		return nil
	}
	account, err := psbt.OpenAccount(e.XPub)
	if err != nil {
		return nil // an entry that is damaged in this way signs nothing
	}
	p, err := utxo.ParamsOf(e.Coin)
	if err != nil {
		return nil
	}
	var list []uint32
	for _, o := range f.origins {
		index, ok := indexOf(o, account, p)
		if !ok || slices.Contains(list, index) || f.derived >= maxDerivations {
			continue
		}
		f.derived++
		if key, err := account.Child(index); err == nil && o.Is(key.Public) {
			list = append(list, index)
		}
	}
	return list
}

// indexOf reads the index out of an origin. A hardened one is no child of a
// public key, which derives none.
func indexOf(o psbt.Origin, account *psbt.Account, p utxo.Params) (uint32, bool) {
	if len(o.Path) == 0 {
		return 0, false
	}
	above, index := o.Path[:len(o.Path)-1], o.Path[len(o.Path)-1]
	return index, len(above) == 0 && o.From == account.Fingerprint() || slices.Equal(above, psbt.TatumPath(p))
}
