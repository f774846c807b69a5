package online

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"coldkms/online/journal"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// BackedUp is what a backup file has.
type BackedUp struct {
	File string           `json:"file"`
	Made string           `json:"made"` // RFC 3339
	Rows map[string]int64 `json:"rows"` // by table
}

// backupDomain keeps a relay's signature of a backup from being one of
// anything else.
const backupDomain = "coldkms backup v1\x00"

// Backup writes the journal as it is at one moment into a new file, reads the
// file back, and verifies it. Others may work with the journal meanwhile.
func (r *Relay) Backup(ctx context.Context, path string) (BackedUp, error) {
	if _, err := r.FS.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return BackedUp{}, errors.Join(fmt.Errorf("backup: %s: %w", path, fs.ErrExist), err)
	}
	if info, err := r.FS.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return BackedUp{}, fmt.Errorf("backup: %s: %w", filepath.Dir(path), ErrNoFolder)
	}
	part := path + ".part"
	if err := r.writeBackup(ctx, part); err != nil {
		_ = r.FS.Remove(part)
		return BackedUp{}, fmt.Errorf("backup: %w", err)
	}
	got, err := VerifyBackup(ctx, r.FS, part, r.identity.Public())
	if err != nil {
		return BackedUp{}, fmt.Errorf("backup: read back: %w", err)
	}
	err = r.FS.RenameNew(part, path)
	if err == nil {
		err = r.FS.SyncDir(filepath.Dir(path))
	}
	got.File = path
	return got, err
}

func (r *Relay) writeBackup(ctx context.Context, path string) error {
	f, err := r.FS.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, durable.PermFile)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	public := r.identity.Public()
	_, err = r.journal.Backup(ctx, z, public[:], func(sum []byte) []byte {
		sig := r.identity.Sign(append([]byte(backupDomain), sum...))
		return sig[:]
	})
	err = errors.Join(err, z.Close())
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// VerifyBackup reads a whole backup and looks whether it is as this relay wrote
// it.
func VerifyBackup(ctx context.Context, fsys durable.FS, path string, relay identity.Public) (BackedUp, error) {
	z, closing, err := openBackup(ctx, fsys, path)
	if err != nil {
		return BackedUp{}, err
	}
	defer closing()
	head, rows, err := journal.VerifyBackup(z, by(relay))
	return backedUp(path, head, rows), err
}

func backedUp(path string, head journal.BackupHead, rows map[string]int64) BackedUp {
	return BackedUp{File: path, Made: head.Made.UTC().Format("2006-01-02T15:04:05Z"), Rows: rows}
}

func openBackup(ctx context.Context, fsys durable.FS, path string) (io.Reader, func(), error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	packed := &counted{in: f}
	z, err := gzip.NewReader(bufio.NewReaderSize(packed, 1<<20))
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("%w: %w", journal.ErrBackup, err)
	}
	return &expansion{ctx: ctx, in: z, packed: packed}, func() { _ = f.Close() }, nil
}

// What a backup may expand to. A journal's rows, mostly random bytes in base64,
// expand less than ten times.
const (
	freeExpansion = 16 << 20 // bytes that need not have been packed
	maxExpansion  = 100      // times what was packed, beyond that
)

// counted counts what is read.
type counted struct {
	in io.Reader
	n  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// expansion reads what was packed until ctx is done, or until it is more than a
// backup can expand to.
type expansion struct {
	ctx    context.Context
	in     io.Reader
	packed *counted
	n      int64
}

func (e *expansion) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := e.in.Read(p)
	if e.n += int64(n); e.n > freeExpansion+maxExpansion*e.packed.n {
		return 0, fmt.Errorf("%w: %d bytes of it expand to more than %d", journal.ErrBackup, e.packed.n, e.n)
	}
	return n, err
}

// by demands that a backup is signed by a relay.
func by(relay identity.Public) func(journal.BackupHead, []byte, []byte) error {
	return func(head journal.BackupHead, sum, signature []byte) error {
		if head.Relay != fmt.Sprintf("%x", relay[:]) {
			return fmt.Errorf("%w: another relay made it; the folder needs that relay's %s", journal.ErrBackup, keyFile)
		}
		if len(signature) != ed25519.SignatureSize || !relay.Verify(append([]byte(backupDomain), sum...), [ed25519.SignatureSize]byte(signature)) {
			return fmt.Errorf("%w: it is not signed by this relay", journal.ErrBackup)
		}
		return nil
	}
}

// Restore makes the journal of a state directory from a backup. The directory
// must have the relay's identity and no journal; a database must be empty.
func Restore(ctx context.Context, o Options, path string) (BackedUp, error) {
	key, err := restoreKey(o)
	if err != nil {
		return BackedUp{}, err
	}
	for _, name := range []string{lockFile, daemonFile} {
		lock, err := durable.NewLock(filepath.Join(o.Dir, name))
		if err != nil {
			return BackedUp{}, err
		}
		defer lock.Close()
	}
	if err := isEmpty(ctx, o); err != nil {
		return BackedUp{}, fmt.Errorf("restore: %w", err)
	}
	whole, err := VerifyBackup(ctx, o.FS, path, key.Public()) // before anything is made
	if err != nil {
		return whole, err
	}
	if err := setAside(o); err != nil {
		return whole, fmt.Errorf("restore: %w", err)
	}
	z, closing, err := openBackup(ctx, o.FS, path)
	if err != nil {
		return whole, err
	}
	defer closing()
	_, err = journal.Restore(ctx, journalAt(o.Dir, o.Database), z, o.Now, by(key.Public()))
	return whole, err
}

// isEmpty makes sure that a state directory has no journal, or one that never had
// anything to do. Whether a database is empty is seen when it is filled.
func isEmpty(ctx context.Context, o Options) error {
	if o.Database != "" {
		return nil
	}
	path := filepath.Join(o.Dir, journalFile)
	j, err := journal.OpenMade(ctx, path, o.Now)
	if errors.Is(err, journal.ErrMissing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", journal.ErrNotEmpty, path, err)
	}
	empty, err := j.Idle(ctx)
	if err == nil && !empty {
		err = fmt.Errorf("%w: %s", journal.ErrNotEmpty, path)
	}
	return errors.Join(err, j.Close())
}

// setAside renames what is left of a journal that has nothing in it, its log
// among it: a journal that is made in its place must not meet that.
func setAside(o Options) error {
	if o.Database != "" {
		return nil
	}
	at := o.Now().UTC().Format("20060102T150405.000000000")
	for _, name := range []string{journalFile, journalFile + "-wal", journalFile + "-shm"} {
		path := filepath.Join(o.Dir, name)
		if _, err := o.FS.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := o.FS.RenameNew(path, path+".before-restore-"+at); err != nil {
			return err
		}
	}
	return o.FS.SyncDir(o.Dir)
}

// ErrNoIdentity is returned where the identity of the relay that made a backup is
// missing.
var ErrNoIdentity = errors.New("the identity of the relay that made the backup is missing")

// restoreKey reads the identity by which a backup is verified. A new one would be
// another relay's.
func restoreKey(o Options) (identity.Private, error) {
	key, err := readKey(o.FS, o.Dir)
	if errors.Is(err, ErrNotInitialised) {
		err = fmt.Errorf("restore: %w: there is no %s", ErrNoIdentity, filepath.Join(o.Dir, keyFile))
	}
	return key, err
}

// CheckBackup verifies a backup of the relay whose identity the directory has.
func CheckBackup(ctx context.Context, o Options, path string) (BackedUp, error) {
	key, err := restoreKey(o)
	if err != nil {
		return BackedUp{}, err
	}
	return VerifyBackup(ctx, o.FS, path, key.Public())
}
