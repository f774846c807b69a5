package wallet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"coldkms/offline/hd"
	"coldkms/shared/identity"
)

// Errors about entries.
var (
	ErrNoEntry   = errors.New("signature id is not in this wallet")
	ErrDuplicate = errors.New("signature id is in this wallet already")
	ErrForeign   = errors.New("entry is of a chain that is not signed for yet")
)

// Wallet is an open wallet. It is safe for concurrent use. Changes are in
// memory until Save.
type Wallet struct {
	store  Store
	path   string
	random *hd.Source

	mu       sync.RWMutex
	password []byte
	cost     Cost
	mine     [][sha256.Size]byte // hashes of the file as we know or may have written it
	saved    bool                // there is, or was, a file of it
	closed   bool

	seed      []byte
	ledger    []byte
	known     []byte
	relays    []Relay
	policy    []byte
	operators []Operator
	order     []*slot // as stored
	entries   map[string]*slot
}

func newWallet(s Store, path string, password []byte, b *body) (*Wallet, error) {
	w := &Wallet{
		store: s, path: path, random: s.source(), password: s.keep(bytes.Clone(password)), cost: s.cost(),
		seed: s.keep(b.Seed), ledger: b.Ledger, known: b.Known, relays: b.Relays, policy: b.Policy, operators: b.Operators,
		order: make([]*slot, 0, len(b.Entries)), entries: make(map[string]*slot, len(b.Entries)),
	}
	for _, e := range b.Entries {
		for _, secret := range []*[]byte{&e.Words, &e.Passphrase, &e.Key, &e.JSON} {
			*secret = s.keep(*secret)
		}
		if err := w.put(e); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
}

func (w *Wallet) put(e Entry) error {
	if _, have := w.entries[e.ID]; have {
		return fmt.Errorf("%w: %s", ErrDuplicate, e.ID)
	}
	if err := e.checkCoin(w.store.coins()); err != nil {
		return err
	}
	s := &slot{entry: e, coins: w.store.coins()}
	w.order = append(w.order, s)
	w.entries[e.ID] = s
	return nil
}

func (w *Wallet) body() *body {
	b := &body{Seed: w.seed, Ledger: w.ledger, Known: w.known, Relays: w.relays, Policy: w.policy, Operators: w.operators, Entries: make([]Entry, len(w.order))}
	for i, s := range w.order {
		b.Entries[i] = s.entry
	}
	return b
}

// Path is where the wallet lies.
func (w *Wallet) Path() string { return w.path }

// Len is the number of entries.
func (w *Wallet) Len() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.order)
}

// Entry looks a signature id up.
func (w *Wallet) Entry(id string) (Entry, bool) {
	if s := w.slot(id); s != nil {
		return s.entry, true
	}
	return Entry{}, false
}

func (w *Wallet) slot(id string) *slot {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.entries[id]
}

// Entries returns all entries in the order in which they were added.
func (w *Wallet) Entries() []Entry {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.body().Entries
}

// IDs returns the signature ids of all entries in the order in which they were
// added.
func (w *Wallet) IDs() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	list := make([]string, len(w.order))
	for i, s := range w.order {
		list[i] = s.entry.ID
	}
	return list
}

// Add takes entries over, all or none. Their slices belong to the wallet then.
func (w *Wallet) Add(entries ...Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if len(w.order)+len(entries) > maxEntries {
		return fmt.Errorf("add: a wallet holds at most %d entries", maxEntries)
	}
	fresh := make(map[string]bool, len(entries))
	for i := range entries {
		err := entries[i].check()
		if err == nil {
			err = entries[i].checkCoin(w.store.coins())
		}
		if err != nil {
			return fmt.Errorf("add: %w", err)
		}
		id := entries[i].ID
		if _, have := w.entries[id]; have || fresh[id] {
			return fmt.Errorf("add: %w: %s", ErrDuplicate, id)
		}
		fresh[id] = true
	}
	for _, e := range entries {
		if err := w.put(e); err != nil {
			return fmt.Errorf("add: %w", err)
		}
	}
	return nil
}

// Remove takes an entry out and wipes it. The previous generation still has it
// until two writes later.
func (w *Wallet) Remove(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.entries[id]
	if !ok {
		return fmt.Errorf("remove: %w: %s", ErrNoEntry, id)
	}
	delete(w.entries, id)
	w.order = slices.DeleteFunc(w.order, func(o *slot) bool { return o == s })
	s.wipe()
	return nil
}

// Identity is the signer's own key.
func (w *Wallet) Identity() (identity.Private, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return identity.Private{}, ErrClosed
	}
	return identity.FromSeed(w.seed)
}

// Relays are the machines that this wallet is paired with.
func (w *Wallet) Relays() []Relay {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.relays)
}

// Paired reports whether requests of a relay are accepted.
func (w *Wallet) Paired(key identity.Public) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.ContainsFunc(w.relays, func(r Relay) bool { return r.Key == key })
}

// Pair accepts a relay. One that is paired already keeps its place and gets
// the new name.
func (w *Wallet) Pair(relay Relay) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch at := slices.IndexFunc(w.relays, func(r Relay) bool { return r.Key == relay.Key }); {
	case w.closed:
		return ErrClosed
	case len(relay.Name) > maxName:
		return fmt.Errorf("pair: the name is longer than %d bytes", maxName)
	case relay.Key.Check() != nil:
		return fmt.Errorf("pair: %w", relay.Key.Check())
	case at >= 0:
		w.relays[at] = relay
	case len(w.relays) >= maxRelays:
		return fmt.Errorf("pair: a wallet is paired with at most %d relays", maxRelays)
	default:
		w.relays = append(w.relays, relay)
	}
	return nil
}

// Unpair takes a relay out and reports whether it was there.
func (w *Wallet) Unpair(key identity.Public) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.relays)
	w.relays = slices.DeleteFunc(w.relays, func(r Relay) bool { return r.Key == key })
	return len(w.relays) < before
}

// Ledger is the hash, in hex, of the first authenticated line of the ledger
// that belongs to this wallet, or nil if none was set.
func (w *Wallet) Ledger() []byte {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return bytes.Clone(w.ledger)
}

// SetLedger binds the wallet to a ledger.
func (w *Wallet) SetLedger(root []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if len(root) > maxLedger {
		return fmt.Errorf("set ledger: a hash of %d bytes is too long", len(root))
	}
	w.ledger = bytes.Clone(root)
	return nil
}

// Known is the hash of the last line that the ledger had when this file was
// written, or nil for a file of an earlier version. A ledger without that line
// is older than the wallet.
func (w *Wallet) Known() []byte {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return bytes.Clone(w.known)
}

// SetKnown remembers the ledger's last line. It is on the disk after the next
// Save.
func (w *Wallet) SetKnown(head []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if len(head) > maxKnown {
		return fmt.Errorf("set known: a hash of %d bytes is too long", len(head))
	}
	w.known = bytes.Clone(head)
	return nil
}

// Close wipes the secrets. It does not save.
func (w *Wallet) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	clear(w.password)
	clear(w.seed)
	for _, s := range w.order {
		s.wipe()
	}
	w.order, w.entries = nil, nil
}
