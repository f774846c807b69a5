package offline

import (
	"cmp"
	"slices"
	"sync"

	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// holder is a key of an entry.
type holder struct {
	at  chain.Coin
	key chain.Key
}

// holders has for each public key of the wallet, by its x coordinate, the
// entries that hold it. The coordinate is the same for both encodings of a public key, and is all that taproot uses.
type holders map[[32]byte][]holder

func xOf(public []byte) (x [32]byte) {
	copy(x[:], public[1:])
	return x
}

func (h holders) put(of holder, public []byte) {
	x := xOf(public)
	h[x] = append(h[x], of)
}

// onePerCoin returns the first holder of each coin.
func onePerCoin(list []holder) (first []holder) {
	for _, h := range list {
		if !slices.ContainsFunc(first, func(other holder) bool { return other.at == h.at }) {
			first = append(first, h)
		}
	}
	return first
}

// sharing is the index of a session, made when it is first needed.
type sharing struct {
	once sync.Once
	made bool    // false after a fault in making it
	of   holders // nil where there are no two entries
}

// holdersOf indexes single keys and, of mnemonics, the keys at the indices that
// indices names, at most maxOwnKeys of them.
func holdersOf(entries []wallet.Entry, indices func(id string, most int) []int64) holders {
	if !several(entries) {
		return nil
	}
	h := make(holders, len(entries))
	var mnemonics []wallet.Entry
	for _, e := range entries {
		switch e.Kind {
		case wallet.PrivateKey:
			h.put(holder{e.Coin, chain.Key{SignatureID: e.ID, Index: chain.NoIndex}}, e.Public)
		case wallet.Mnemonic:
			mnemonics = append(mnemonics, e)
		}
	}
	for i, list := range deriveAll(mnemonics, indices) {
		for _, k := range list {
			h.put(holder{mnemonics[i].Coin, k.Key}, k.Public)
		}
	}
	return h
}

// several reports whether there are two entries with keys.
func several(entries []wallet.Entry) bool {
	n := 0
	for _, e := range entries {
		if e.Signable() {
			n++
		}
	}
	return n > 1
}

// holders returns the index of the session.
func (s *Session) holders(catalogue Catalogue) holders {
	s.sharing.once.Do(func() {
		s.sharing.of = holdersOf(catalogue.Entries(), s.Ledger.Indices)
		s.sharing.made = true
	})
	if !s.sharing.made {
		panic("which entries share keys is not known") // contained, as the refusal of this item too
	}
	return s.sharing.of
}

// shared lists the entries of other coins and networks that hold a key with
// which an input is signed, and for which the signature may be valid too.
func (s *Session) shared(f chain.Facts) (list []policy.SharedKey) {
	catalogue, listed := s.Keys.(Catalogue)
	if !listed {
		return nil
	}
	if s.holders(catalogue) == nil {
		return nil
	}
	seen := make(map[chain.Key]bool)
	for _, in := range f.Sources {
		if in.Key == nil || seen[*in.Key] {
			continue
		}
		seen[*in.Key] = true
		for _, other := range onePerCoin(s.holdersOfKey(*in.Key)) {
			if s.Signers.Interchangeable(f.Coin, other.at) {
				list = append(list, policy.SharedKey{Key: *in.Key, Other: other.key, Coin: other.at})
			}
		}
	}
	return list
}

// holdersOfKey looks up who holds a key. Mnemonics that share the key at
// index 0 share all: this finds them at indices that are not in the index.
func (s *Session) holdersOfKey(k chain.Key) []holder {
	public, err := s.Keys.Public(k.SignatureID, k.Index)
	if err != nil {
		return nil // nor can it sign
	}
	list := slices.Clone(s.sharing.of[xOf(public)])
	if k.Index == chain.NoIndex {
		return list
	}
	first, err := s.Keys.Public(k.SignatureID, 0)
	if err != nil {
		return list
	}
	for _, other := range s.sharing.of[xOf(first)] {
		same := func(h holder) bool { return h.key.SignatureID == other.key.SignatureID }
		if other.key.Index == 0 && !slices.ContainsFunc(list, same) {
			list = append(list, holder{other.at, chain.Key{SignatureID: other.key.SignatureID, Index: k.Index}})
		}
	}
	return list
}

// Sharing is a key that two entries hold, of which one was added, where a
// signature for one may be valid for the other and mainnet is among them.
type Sharing struct{ Added, Other wallet.Entry }

// SharedBy lists which of the added entries share a key with another entry of
// a wallet, each pair once. Of mnemonics it compares the first keys.
func SharedBy(families sign.Families, entries []wallet.Entry, added []wallet.Entry) []Sharing {
	byID := make(map[string]wallet.Entry, len(entries))
	for _, e := range entries {
		byID[e.ID] = e
	}
	isNew := make(map[string]bool, len(added))
	for _, e := range added {
		isNew[e.ID] = true
	}
	pairs := make(map[[2]string]bool)
	for _, list := range holdersOf(entries, firstIndices) {
		list = onePerCoin(list)
		for _, a := range list {
			for _, b := range list {
				older := !isNew[b.key.SignatureID] || a.key.SignatureID < b.key.SignatureID
				worth := a.at.Network == chain.Mainnet || b.at.Network == chain.Mainnet
				if isNew[a.key.SignatureID] && older && families.Interchangeable(a.at, b.at) && worth {
					pairs[[2]string{a.key.SignatureID, b.key.SignatureID}] = true
				}
			}
		}
	}
	found := make([]Sharing, 0, len(pairs))
	for ids := range pairs {
		found = append(found, Sharing{byID[ids[0]], byID[ids[1]]})
	}
	slices.SortFunc(found, func(a, b Sharing) int {
		return cmp.Or(cmp.Compare(a.Added.ID, b.Added.ID), cmp.Compare(a.Other.ID, b.Other.ID))
	})
	return found
}

// Derived is a single key that a mnemonic derives too, at an index.
type Derived struct {
	Single wallet.Entry
	From   chain.Key
}

// DerivedBy lists which single keys mnemonics of a wallet derive at the indices
// that indices names, where one of the two was added.
func DerivedBy(entries, added []wallet.Entry, indices func(id string, most int) []int64) (found []Derived) {
	singles, isNew := make(map[string]wallet.Entry), make(map[string]bool, len(added))
	for _, e := range entries {
		if e.Kind == wallet.PrivateKey {
			singles[e.ID] = e
		}
	}
	for _, e := range added {
		isNew[e.ID] = true
	}
	if len(singles) == 0 || len(singles) == len(entries) || len(added) == 0 {
		return nil
	}
	for _, list := range holdersOf(entries, indices) {
		for _, a := range list {
			for _, b := range list {
				derived := a.key.Index == chain.NoIndex && b.key.Index != chain.NoIndex
				if derived && (isNew[a.key.SignatureID] || isNew[b.key.SignatureID]) {
					found = append(found, Derived{singles[a.key.SignatureID], b.key})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b Derived) int {
		return cmp.Or(cmp.Compare(a.Single.ID, b.Single.ID), cmp.Compare(a.From.SignatureID, b.From.SignatureID))
	})
	return found
}

// firstIndices are those that every search for funds of a mnemonic looks at.
func firstIndices(_ string, most int) []int64 {
	const first = 21
	list := make([]int64, min(first, most))
	for i := range list {
		list[i] = int64(i)
	}
	return list
}
