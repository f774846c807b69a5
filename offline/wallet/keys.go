package wallet

import (
	"bytes"
	"fmt"
	"sync"

	"coldkms/offline/hd"
	"coldkms/shared/chain"
)

// maxChildren bounds the derived keys that are kept for one mnemonic.
const maxChildren = 1 << 16

// slot is one entry and what was derived from it: the extended key costs a
// millisecond and a half, a child as much as a signature.
type slot struct {
	entry Entry
	coins hd.Coins

	mu       sync.RWMutex
	account  *hd.Account
	children map[int64]child
	wiped    bool
}

type child struct{ private, public []byte }

func (c child) clone() child {
	return child{private: bytes.Clone(c.private), public: bytes.Clone(c.public)}
}

// key returns a copy of the entry's key: of a mnemonic at index.
func (s *slot) key(index int64) (child, error) {
	if err := s.prepare(); err != nil {
		return child{}, err
	}
	c, known, err := s.derive(index)
	if err == nil && !known {
		s.keep(index, c)
	}
	return c, err
}

// prepare derives the extended key once.
func (s *slot) prepare() error {
	s.mu.RLock()
	ready := s.account != nil || s.entry.Kind != Mnemonic
	s.mu.RUnlock()
	if ready {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != nil || s.wiped {
		return nil
	}
	coin, err := s.coins(s.entry.Coin)
	if err != nil {
		return err
	}
	account, err := hd.AccountOf(s.entry.Words, s.entry.Passphrase, coin)
	if err == nil {
		s.account, s.children = account, make(map[int64]child)
	}
	return err
}

// derive looks a key up or derives it. Several may do so at once: signing
// uses all cores, often on keys of one mnemonic.
func (s *slot) derive(index int64) (c child, known bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.wiped:
		return child{}, true, ErrClosed
	case s.entry.Kind == PrivateKey:
		return child{private: s.entry.Key, public: s.entry.Public}.clone(), true, nil
	case s.entry.Kind != Mnemonic:
		return child{}, true, fmt.Errorf("%w: %s of %s", ErrForeign, s.entry.ID, s.entry.Chain)
	}
	if c, known = s.children[index]; known {
		return c.clone(), true, nil
	}
	c.private, c.public, err = s.account.Key(index)
	return c, false, err
}

func (s *slot) keep(index int64, c child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.children[index]; !known && !s.wiped && len(s.children) < maxChildren {
		s.children[index] = c.clone()
	}
}

func (s *slot) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wiped = true
	s.entry.wipe()
	for _, c := range s.children {
		clear(c.private)
	}
	s.children = nil
	if s.account != nil {
		s.account.Wipe()
		s.account = nil
	}
}

// Lookup returns the coin of an entry.
func (w *Wallet) Lookup(id string) (coin chain.Coin, ok bool) {
	s := w.slot(id)
	if s == nil {
		return chain.Coin{}, false
	}
	return s.entry.Coin, true
}

// IsMnemonic reports whether an entry derives keys by index.
func (w *Wallet) IsMnemonic(id string) bool {
	s := w.slot(id)
	return s != nil && s.entry.Kind == Mnemonic
}

// Public returns the public key of an entry: of a mnemonic at index, of a
// private key as it is; there the index does not count, as in Tatum KMS.
func (w *Wallet) Public(id string, index int64) ([]byte, error) {
	c, err := w.key(id, index)
	clear(c.private)
	return c.public, err
}

// Private returns the secret of 32 bytes. The caller wipes it.
func (w *Wallet) Private(id string, index int64) (hd.Secret, error) {
	c, err := w.key(id, index)
	return hd.Secret{Curve: hd.Secp256k1, Bytes: c.private}, err
}

func (w *Wallet) key(id string, index int64) (child, error) {
	s := w.slot(id)
	if s == nil {
		return child{}, fmt.Errorf("%w: %s", ErrNoEntry, id)
	}
	return s.key(index)
}
