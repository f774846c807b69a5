package online

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Identity is the public half of a relay.
type Identity struct {
	Path   string // file to carry to the signer
	Public identity.Public
	New    bool // it was made now
}

// Init makes a state directory with a new identity. One that is there stays
// as it is.
func Init(ctx context.Context, fsys durable.FS, dir string, random io.Reader, now func() time.Time) (Identity, error) {
	return InitShared(ctx, fsys, dir, "", random, now)
}

// InitShared is Init for a relay whose journal is in a database that relays
// share, unless database is "". The first relay makes the identity; the
// others are given a copy of its file, or it is journal.ErrOtherRelay. Where a
// relay is already and its journal is not, it is journal.ErrMissing: an identity is
// never made before its journal, so that this one was lost.
func InitShared(ctx context.Context, fsys durable.FS, dir, database string, random io.Reader, now func() time.Time) (Identity, error) {
	if err := durable.MakeDir(fsys, dir); err != nil {
		return Identity{}, err
	}
	lock, err := durable.NewLock(filepath.Join(dir, lockFile))
	if err != nil {
		return Identity{}, err
	}
	defer lock.Close()
	made, err := hasRelay(fsys, dir)
	if err != nil {
		return Identity{}, err
	}
	open := journal.Open
	if made {
		open = journal.OpenMade
	}
	j, err := open(ctx, journalAt(dir, database), now)
	if err != nil {
		return Identity{}, err
	}
	key, err := makeKey(ctx, j, fsys, dir, random)
	if err := errors.Join(err, j.Close()); err != nil {
		return Identity{}, err
	}
	public := filepath.Join(dir, identityFile)
	if err := durable.Create(fsys, public, key.File(), durable.PermFile, nil); err != nil {
		return Identity{}, err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return Identity{}, err
	}
	return Identity{Path: public, Public: key.Public(), New: !made}, nil
}

// hasRelay reports whether a relay's identity, or its public half, is in a state
// directory.
func hasRelay(fsys durable.FS, dir string) (bool, error) {
	for _, name := range []string{keyFile, identityFile} {
		if _, err := fsys.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

// makeKey reads the identity, or makes one for a journal that has none yet.
func makeKey(ctx context.Context, j *journal.Journal, fsys durable.FS, dir string, random io.Reader) (identity.Private, error) {
	key, err := readKey(fsys, dir)
	if errors.Is(err, ErrNotInitialised) {
		first, has, err := j.Owner(ctx)
		if err != nil {
			return key, err
		}
		if has {
			return key, fmt.Errorf("%w: its fingerprint is %s; copy the file %s of that relay's directory into %s", journal.ErrOtherRelay, first.Fingerprint(), keyFile, dir)
		}
		if key, err = newKey(fsys, dir, random); err != nil {
			return key, err
		}
		return key, j.Own(ctx, key.Public())
	}
	if err != nil {
		return key, err
	}
	return key, j.Own(ctx, key.Public())
}

func newKey(fsys durable.FS, dir string, random io.Reader) (identity.Private, error) {
	key, err := identity.New(random)
	if err != nil {
		return identity.Private{}, err
	}
	return key, durable.Create(fsys, filepath.Join(dir, keyFile), key.Seed(), durable.PermFile, nil)
}

func readKey(fsys durable.FS, dir string) (identity.Private, error) {
	path := filepath.Join(dir, keyFile)
	seed, err := durable.ReadFile(fsys, path, identity.SeedSize)
	if errors.Is(err, fs.ErrNotExist) {
		return identity.Private{}, fmt.Errorf("%s: %w", dir, ErrNotInitialised)
	}
	if err == nil {
		err = secure(fsys, dir)
	}
	if err != nil {
		return identity.Private{}, err
	}
	return identity.FromSeed(seed)
}

// secure refuses a state directory in which others could exchange files, and an
// identity or a journal that others may read: who has the first can speak as
// this relay, who has the second can send what is signed.
func secure(fsys durable.FS, dir string) error {
	if err := durable.CheckDir(fsys, dir); err != nil {
		return err
	}
	for _, name := range []string{keyFile, journalFile} {
		path := filepath.Join(dir, name)
		if _, err := fsys.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue // the journal may be in a database
		}
		if err := errors.Join(durable.CheckFile(fsys, path), durable.CheckSecret(fsys, path)); err != nil {
			return err
		}
	}
	return nil
}

// Pair accepts a signer's watch file: its first one, or a newer one of the
// same signer. Another signer is journal.ErrOtherPeer: results of the first
// one may still be on their way, so a second signer gets a state directory
// of its own.
func (r *Relay) Pair(ctx context.Context, file []byte) (identity.Public, error) {
	w, err := bundle.OpenWatch(file)
	if err != nil {
		return identity.Public{}, err
	}
	if old, err := r.watch(ctx); err == nil && old.Signer == w.Signer && old.Created > w.Created {
		return identity.Public{}, fmt.Errorf("pair: this watch file is older than the one that is paired")
	}
	return w.Signer, r.journal.Pair(ctx, w)
}

// Signer returns the paired signer's key, the zero key before pairing.
func (r *Relay) Signer(ctx context.Context) (identity.Public, error) {
	w, err := r.watch(ctx)
	if errors.Is(err, journal.ErrNoPeer) {
		return identity.Public{}, nil
	}
	return w.Signer, err
}

// watch returns the paired signer's watch file.
func (r *Relay) watch(ctx context.Context) (bundle.SealedWatch, error) {
	peer, err := r.journal.Peer(ctx)
	if err != nil {
		return bundle.SealedWatch{}, err
	}
	return bundle.OpenWatch(peer.Watch)
}
