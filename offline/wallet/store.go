package wallet

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"coldkms/offline/hd"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Errors of writing.
var (
	ErrExists        = errors.New("there is a wallet already")
	ErrOnlyPrevious  = errors.New("the wallet is missing, but its previous generation is there: restore that first")
	ErrChanged       = errors.New("the wallet file was changed by something else since it was opened")
	ErrEmptyPassword = errors.New("an empty password protects nothing")
	ErrClosed        = errors.New("wallet is closed")
)

// PrevSuffix is what the previous generation's name ends with.
const PrevSuffix = ".prev"

// Store opens and makes wallets. Callers hold a lock on the path while they
// use it (durable.NewLock).
type Store struct {
	FS    durable.FS
	Rand  io.Reader                  // crypto/rand.Reader; watched by hd.NewSource
	Coins hd.Coins                   // that keys are kept for; nil: none
	Keep  func(secret []byte) []byte // moves a secret to where it is safer and wipes it here; nil: it stays
	Cost  Cost                       // of what is written; zero: DefaultCost. A wallet that costs more keeps its cost
}

func (s Store) coins() hd.Coins {
	if s.Coins == nil {
		return func(c chain.Coin) (hd.Coin, error) {
			return hd.Coin{}, chain.Refuse(chain.UnsupportedChain, "%s is not a coin that keys are kept for", c)
		}
	}
	return s.Coins
}

func (s Store) keep(secret []byte) []byte {
	if s.Keep == nil {
		return secret
	}
	return s.Keep(secret)
}

func (s Store) cost() Cost {
	if s.Cost == (Cost{}) {
		return DefaultCost()
	}
	return s.Cost
}

func (s Store) source() *hd.Source {
	if watched, ok := s.Rand.(*hd.Source); ok {
		return watched
	}
	return hd.NewSource(s.Rand)
}

// Open reads the wallet at path. It derives no key, so it takes as long as
// the password's derivation. Errors: ErrNoWallet, ErrOnlyPrevious,
// ErrNotWallet, ErrTatumWallet, ErrWrongPassword, ErrDamaged,
// durable.ErrInsecure.
func (s Store) Open(path string, password []byte) (*Wallet, error) {
	if err := s.missing(path); err != nil {
		return nil, fmt.Errorf("open wallet %s: %w", path, err)
	}
	file, err := s.read(path)
	if err != nil {
		return nil, fmt.Errorf("open wallet %s: %w", path, err)
	}
	w, err := s.open(path, file, password)
	if err != nil {
		return nil, fmt.Errorf("open wallet %s: %w", path, err)
	}
	return w, nil
}

// Probe reports whether Open would ask for a password: its errors are those of
// Open that need none.
func (s Store) Probe(path string) error {
	err := s.missing(path)
	if err == nil {
		var file []byte
		if file, err = s.read(path); err == nil {
			_, err = parseHeader(file)
		}
	}
	if err != nil {
		return fmt.Errorf("wallet %s: %w", path, err)
	}
	return nil
}

// missing tells no wallet from a wallet of which only the previous generation
// is left.
func (s Store) missing(path string) error {
	there, err := s.exists(path)
	if err != nil || there {
		return err
	}
	prev, err := s.exists(path + PrevSuffix)
	if err != nil {
		return err
	}
	if prev {
		return fmt.Errorf("%w (%s)", ErrOnlyPrevious, path+PrevSuffix)
	}
	return ErrNoWallet
}

func (s Store) exists(path string) (bool, error) {
	_, err := s.FS.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (s Store) read(path string) ([]byte, error) {
	if err := durable.CheckDir(s.FS, filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := durable.CheckOwn(s.FS, path); err != nil {
		return nil, err
	}
	return durable.ReadFile(s.FS, path, MaxSize)
}

func (s Store) open(path string, file, password []byte) (*Wallet, error) {
	raw, cost, err := unseal(file, password)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	b, err := decodeBody(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	w, err := newWallet(s, path, password, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	w.cost = w.cost.max(cost)
	w.mine, w.saved = [][sha256.Size]byte{sha256.Sum256(file)}, true
	return w, nil
}

// New makes a wallet with a new identity in memory. Nothing is on the disk
// until Save, which fails with ErrExists if something has come to be there.
func (s Store) New(path string, password []byte) (*Wallet, error) {
	if len(password) == 0 {
		return nil, fmt.Errorf("new wallet: %w", ErrEmptyPassword)
	}
	switch err := s.missing(path); {
	case err == nil:
		return nil, fmt.Errorf("new wallet: %w at %s", ErrExists, path)
	case !errors.Is(err, ErrNoWallet):
		return nil, fmt.Errorf("new wallet %s: %w", path, err)
	}
	own, err := identity.New(s.source())
	if err != nil {
		return nil, fmt.Errorf("new wallet: %w", err)
	}
	return newWallet(s, path, password, &body{Seed: own.Seed()})
}

// Create is New and Save, for a wallet without entries.
func (s Store) Create(path string, password []byte) (*Wallet, error) {
	w, err := s.New(path, password)
	if err != nil {
		return nil, err
	}
	if err := w.Save(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// OpenCopy reads a wallet that lies elsewhere, such as a backup on a stick
// whose file system knows no permissions. It is for looking, not for saving.
func (s Store) OpenCopy(path string, password []byte) (*Wallet, error) {
	file, err := durable.ReadFile(s.FS, path, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("open copy of a wallet: %w", err)
	}
	w, err := s.open(path, file, password)
	if err != nil {
		return nil, fmt.Errorf("open copy of a wallet %s: %w", path, err)
	}
	return w, nil
}

// Restore puts a copy of a wallet, such as a backup or a previous generation,
// in the place of the one at path, after the password has opened it. What was
// at path becomes the previous generation.
func (s Store) Restore(path, from string, password []byte) error {
	file, err := durable.ReadFile(s.FS, from, MaxSize)
	if err != nil {
		return fmt.Errorf("restore wallet: %w", err)
	}
	copied, err := s.open(from, file, password) // these very bytes
	if err != nil {
		return fmt.Errorf("restore wallet from %s: %w", from, err)
	}
	copied.Close()
	if err := durable.MakeDir(s.FS, filepath.Dir(path)); err != nil {
		return fmt.Errorf("restore wallet: %w", err)
	}
	there, err := s.exists(path)
	if err != nil {
		return fmt.Errorf("restore wallet: %w", err)
	}
	if there {
		err = s.keepPrevious(path)
	}
	if err == nil {
		err = durable.Replace(s.FS, path, file, durable.PermFile, nil)
	}
	if err != nil {
		return fmt.Errorf("restore wallet: %w", err)
	}
	return nil
}

// keepPrevious copies the file at path to its previous generation, unless it
// is a wallet of Tatum KMS, which is never touched.
func (s Store) keepPrevious(path string) error {
	file, err := s.read(path)
	if err != nil {
		return err
	}
	if _, err := parseHeader(file); errors.Is(err, ErrTatumWallet) {
		return err
	}
	return durable.Replace(s.FS, path+PrevSuffix, file, durable.PermFile, nil)
}
