package offline

import (
	"cmp"
	"slices"
	"sync"

	"coldkms/offline/hd"
	"coldkms/offline/sign"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/parallel"
)

// maxOwnKeys bounds the keys that are derived, for one coin, to recognise
// outputs to the wallet that no item names. A derivation costs as much as a
// signature.
const maxOwnKeys = 50_000

// ownBooks has for each coin the scripts of the wallet's keys, once they were
// asked for.
type ownBooks struct {
	mu sync.Mutex
	of map[chain.Coin]sign.Book
}

// recognise names the owners of outputs to keys that the item does not name,
// those in named at any index, and says how much of each output is change.
func (s *Session) recognise(family string, f *chain.Facts, named sign.Book) {
	for i := range f.Movements {
		out := &f.Movements[i]
		if out.Own != nil || out.IsData {
			continue
		}
		if key, spendable, ok := ownerIn(out.Lock, s.bookOf(family, f.Coin), named); ok {
			out.Own, out.Unspendable = &key, !spendable
		}
	}
	s.nameHolders(f)
	s.Policy.Balance(f, s.Ledger)
}

// ownerIn returns the owner of a lock in the first book that has it, and whether
// the signer signs for such a lock. Books may be nil.
func ownerIn(lock []byte, books ...sign.Book) (key chain.Key, spendable, ok bool) {
	for _, book := range books {
		if book == nil {
			continue
		}
		if key, ok := book.Owner(lock); ok {
			return key, book.Spendable(lock), true
		}
	}
	return chain.Key{}, false, false
}

// nameHolders names all entries that hold a key of an input or output. Which of
// them owns an output does not depend on what the request names: a single key,
// which no search for funds misses, before mnemonics, of these one that is known
// to reach the index, and the first by name.
func (s *Session) nameHolders(f *chain.Facts) {
	catalogue, listed := s.Keys.(Catalogue)
	if !listed || s.holders(catalogue) == nil {
		return
	}
	at := f.Coin
	for i := range f.Sources {
		if in := &f.Sources[i]; in.Key != nil {
			in.Also = keysBut(*in.Key, others(at, append(s.holdersOfKey(*in.Key), holder{at, *in.Key})))
		}
	}
	for i := range f.Movements {
		if out := &f.Movements[i]; out.Own != nil {
			list := others(at, append(s.holdersOfKey(*out.Own), holder{at, *out.Own}))
			owner := s.first(at, *out.Own, list)
			out.Also, out.Own = keysBut(owner, list), &owner
		}
	}
}

// others leaves out entries of other coins and networks that hold no other secret
// than an entry of this one does: the same single key, or the same words.
func others(at chain.Coin, list []holder) (kept []holder) {
	isSingle := func(h holder) bool { return h.key.Index == chain.NoIndex }
	for _, h := range list {
		twin := func(other holder) bool { return other.at == at && isSingle(other) == isSingle(h) }
		if h.at == at || !slices.ContainsFunc(list, twin) {
			kept = append(kept, h)
		}
	}
	return kept
}

// first returns which of the keys of one coin and network owns an output.
func (s *Session) first(at chain.Coin, named chain.Key, list []holder) chain.Key {
	rank := func(k chain.Key) int {
		switch {
		case k.Index == chain.NoIndex:
			return 0
		case s.Ledger.Reaches(k.SignatureID, k.Index):
			return 1
		}
		return 2
	}
	best := named
	for _, h := range list {
		if h.at == at && cmp.Or(cmp.Compare(rank(h.key), rank(best)), cmp.Compare(h.key.SignatureID, best.SignatureID)) < 0 {
			best = h.key
		}
	}
	return best
}

// keysBut lists the keys of holders without one, each entry once, by name.
func keysBut(k chain.Key, list []holder) (keys []chain.Key) {
	for _, h := range list {
		same := func(other chain.Key) bool { return other.SignatureID == h.key.SignatureID }
		if h.key.SignatureID != k.SignatureID && !slices.ContainsFunc(keys, same) {
			keys = append(keys, h.key)
		}
	}
	slices.SortFunc(keys, func(a, b chain.Key) int { return cmp.Compare(a.SignatureID, b.SignatureID) })
	return keys
}

// bookOf indexes the wallet's keys of one coin, once; nil where they cannot be
// listed.
func (s *Session) bookOf(family string, at chain.Coin) sign.Book {
	catalogue, listed := s.Keys.(Catalogue)
	finder := s.finder(family)
	if !listed || finder == nil {
		return nil
	}
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	if book, have := s.books.of[at]; have {
		return book
	}
	book, err := finder.Book(at, s.ownKeys(catalogue.Entries(), at))
	if err != nil {
		book = nil
	}
	if s.books.of == nil {
		s.books.of = make(map[chain.Coin]sign.Book)
	}
	s.books.of[at] = book
	return book
}

// finder returns the signer of a family that finds keys by itself, or nil.
func (s *Session) finder(family string) sign.Finder {
	for _, signer := range s.Signers {
		if finder, ok := signer.(sign.Finder); ok && signer.Family() == family {
			return finder
		}
	}
	return nil
}

// ownKeys lists the single keys of a coin, and of its mnemonics the keys at
// which funds are to be expected.
func (s *Session) ownKeys(entries []wallet.Entry, at chain.Coin) (keys []sign.Known) {
	var mnemonics []wallet.Entry
	for _, e := range entries {
		switch {
		case e.Coin != at:
		case e.Kind == wallet.PrivateKey:
			keys = append(keys, sign.Known{Key: chain.Key{SignatureID: e.ID, Index: chain.NoIndex}, Public: e.Public})
		case e.Kind == wallet.Mnemonic:
			mnemonics = append(mnemonics, e)
		}
	}
	for _, list := range deriveAll(mnemonics, s.Ledger.Indices) {
		keys = append(keys, list...)
	}
	return keys
}

// deriveAll derives the keys of each mnemonic at the indices that indices
// names, at most maxOwnKeys in all.
func deriveAll(mnemonics []wallet.Entry, indices func(id string, most int) []int64) [][]sign.Known {
	derived := make([][]sign.Known, len(mnemonics))
	most := max(1, maxOwnKeys/max(1, len(mnemonics)))
	parallel.Each(min(len(mnemonics), maxOwnKeys), func(i int) {
		derived[i] = children(mnemonics[i], indices(mnemonics[i].ID, most))
	})
	return derived
}

// children derives keys of a mnemonic from its extended public key. An entry
// that is damaged in this one signs nothing, and has none.
func children(e wallet.Entry, indices []int64) (keys []sign.Known) {
	account, err := hd.OpenXPub(e.XPub)
	if err != nil {
		return nil
	}
	for _, index := range indices {
		if public, err := account.Public(index); err == nil {
			keys = append(keys, sign.Known{Key: chain.Key{SignatureID: e.ID, Index: index}, Public: public})
		}
	}
	return keys
}
