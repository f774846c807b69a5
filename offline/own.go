package offline

import (
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
// and says how much of each output is change.
func (s *Session) recognise(family string, f *chain.Facts) {
	for i := range f.Movements {
		out := &f.Movements[i]
		if out.Own != nil || out.IsData {
			continue
		}
		book := s.bookOf(family, f.Coin)
		if book == nil {
			break
		}
		if key, ok := book.Owner(out.Lock); ok {
			out.Own, out.Unspendable = &key, !book.Spendable(out.Lock)
		}
	}
	s.Policy.Balance(f, s.Ledger)
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
