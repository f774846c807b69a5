package wallet

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"coldkms/offline/hd"
	"coldkms/shared/chain"
)

// MaxBatch is the most keys that are made at once: Tatum answers for as many
// signature ids of one chain.
const MaxBatch = 25_000

// progressEvery is after how many keys progress is told.
const progressEvery = 500

// NewKeys makes so many single keys, each drawn straight from the source of
// randomness, and adds them, all or none. Save then writes them with one
// durable replacement. progress, which may be nil, is told how many are made.
//
// A source that gave one key twice, in this batch or one that the wallet has
// already, is broken (a machine restored from a snapshot, say): nothing is
// added.
func (w *Wallet) NewKeys(coin chain.Coin, count int, created time.Time, progress func(done int)) ([]Entry, error) {
	if count < 1 || count > MaxBatch {
		return nil, fmt.Errorf("new keys: %d of them, want 1 to %d", count, MaxBatch)
	}
	of, err := w.store.coins()(coin)
	if err != nil {
		return nil, fmt.Errorf("new keys: %w", err)
	}
	have := w.publicKeys()
	entries := make([]Entry, count)
	added := false
	defer func() {
		if !added {
			wipeAll(entries)
		}
	}()
	for from := 0; from < count; from += progressEvery {
		part := entries[from:min(from+progressEvery, count)]
		if err := w.draw(part, of, created); err != nil {
			return nil, fmt.Errorf("new keys: %w", err)
		}
		for _, e := range part {
			if have[string(e.Public)] {
				return nil, fmt.Errorf("new keys: %w: it gave a key for the second time", hd.ErrEntropy)
			}
			have[string(e.Public)] = true
		}
		if progress != nil {
			progress(from + len(part))
		}
	}
	if err := w.Add(entries...); err != nil {
		return nil, fmt.Errorf("new keys: %w", err)
	}
	added = true
	return entries, nil
}

// draw fills entries: randomness in order, public keys on all cores.
func (w *Wallet) draw(entries []Entry, coin hd.Coin, created time.Time) error {
	keys := make([][]byte, len(entries))
	ids := make([]string, len(entries))
	defer func() {
		for _, k := range keys {
			clear(k)
		}
	}()
	for i := range entries {
		var err error
		if keys[i], err = hd.NewKey(w.random); err != nil {
			return err
		}
		if ids[i], err = w.NewID(); err != nil {
			return err
		}
	}
	workers := min(runtime.GOMAXPROCS(0), len(entries))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for k := range workers {
		wg.Go(func() {
			for i := k; i < len(entries) && errs[k] == nil; i += workers {
				entries[i], errs[k] = FromKey(ids[i], coin, keys[i], true, created)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// publicKeys are those of all single keys.
func (w *Wallet) publicKeys() map[string]bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	have := make(map[string]bool, len(w.order))
	for _, s := range w.order {
		if s.entry.Kind == PrivateKey {
			have[string(s.entry.Public)] = true
		}
	}
	return have
}

func wipeAll(entries []Entry) {
	for i := range entries {
		entries[i].wipe()
	}
}
