package wallet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"coldkms/shared/durable"
)

// Save writes the wallet: one durable replacement, however much was changed.
// The generation before is kept beside it. When Save fails, the file at the
// path is the old wallet; with durable.ErrUnsynced it is the new one, but a
// crash may undo that.
func (w *Wallet) Save() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if err := w.write(w.password, w.keepPrevious); err != nil {
		return fmt.Errorf("save wallet %s: %w", w.path, err)
	}
	return nil
}

// ChangePassword writes the wallet under a new password. The previous
// generation is deleted first, and no new one is kept, because the old
// password would open it. After an error the old password is still the one,
// except with durable.ErrUnsynced: then the new one is in force, but a crash
// may bring the old one back.
func (w *Wallet) ChangePassword(password []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return ErrClosed
	case len(password) == 0:
		return fmt.Errorf("change password: %w", ErrEmptyPassword)
	}
	err := w.write(password, func([]byte) error { return durable.Remove(w.store.FS, w.path+PrevSuffix) })
	if err == nil || errors.Is(err, durable.ErrUnsynced) {
		clear(w.password)
		w.password = bytes.Clone(password)
	}
	if err != nil {
		return fmt.Errorf("change password of %s: %w", w.path, err)
	}
	return nil
}

// write seals the wallet and puts it in place. before deals with the old file.
func (w *Wallet) write(password []byte, before func(old []byte) error) error {
	if err := durable.MakeDir(w.store.FS, filepath.Dir(w.path)); err != nil {
		return err
	}
	old, err := w.current()
	if err != nil {
		return err
	}
	if err := durable.Sweep(w.store.FS, w.path); err != nil {
		return err
	}
	raw, err := encodeBody(w.body())
	if err != nil {
		return err
	}
	defer clear(raw)
	file, k, err := seal(raw, password, w.cost, w.random)
	if err != nil {
		return err
	}
	defer k.wipe()
	if old != nil {
		if err := before(old); err != nil {
			return err
		}
	}
	return w.place(file, old == nil, func(back []byte) error { return opensTo(back, &k, raw) })
}

// place writes the file and remembers it. Even after an error it may be in
// place, so both it and the one before count as ours from then on.
func (w *Wallet) place(file []byte, fresh bool, verify func([]byte) error) error {
	put := durable.Replace
	if fresh {
		put = durable.Create
	}
	sum := sha256.Sum256(file)
	w.mine = append(w.mine, sum)
	err := put(w.store.FS, w.path, file, durable.PermFile, verify)
	w.saved = w.saved || err == nil || errors.Is(err, durable.ErrUnsynced)
	if err == nil {
		w.mine = [][sha256.Size]byte{sum}
	}
	return err
}

// opensTo reports whether what was read back decrypts to what was meant. The
// keys are those it was written with: no second derivation.
func opensTo(file []byte, k *keys, want []byte) error {
	h, err := parseHeader(file)
	if err != nil {
		return err
	}
	got, err := h.open(file, k)
	defer clear(got)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("it decrypts to something else")
	}
	return nil
}

// current reads the file that is to be replaced and refuses one that is not
// ours: written by a process without the lock, or put there by hand. It is nil
// for a wallet that was never saved.
func (w *Wallet) current() ([]byte, error) {
	err := w.store.missing(w.path)
	if errors.Is(err, ErrNoWallet) && !w.saved {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	file, err := w.store.read(w.path)
	if err != nil {
		return nil, err
	}
	if slices.Contains(w.mine, sha256.Sum256(file)) {
		return file, nil
	}
	if !w.saved {
		return nil, fmt.Errorf("%w at %s", ErrExists, w.path)
	}
	return nil, ErrChanged
}

// keepPrevious makes the old file the previous generation. That it may be
// unsynced says nothing about the wallet, so it is not passed on as such.
func (w *Wallet) keepPrevious(old []byte) error {
	err := durable.Replace(w.store.FS, w.path+PrevSuffix, old, durable.PermFile, nil)
	if errors.Is(err, durable.ErrUnsynced) {
		return fmt.Errorf("keep the generation before: %v", err)
	}
	return err
}

// Backup passes the wallet file, as it is on the disk, to write. The copy opens
// with today's password, for ever.
func (w *Wallet) Backup(write func(file []byte) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	file, err := w.current()
	if err == nil && file == nil {
		err = ErrNoWallet
	}
	if err == nil {
		err = write(file)
	}
	if err != nil {
		return fmt.Errorf("back up wallet: %w", err)
	}
	return nil
}

// HeldBy returns the signature ids in a copy of a wallet that opens with this
// one's password.
func (w *Wallet) HeldBy(path string) ([]string, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return nil, ErrClosed
	}
	other, err := w.store.OpenCopy(path, w.password)
	if err != nil {
		return nil, err
	}
	defer other.Close()
	return other.IDs(), nil
}
