package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// maxLedger bounds a ledger that is copied, in bytes.
const maxLedger = 2 << 30

func (a *app) backup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "copy wallet and ledger, and prove that the copy opens",
		Long: `backup copies the wallet to FILE and its ledger to FILE.ledger, reads both back
from the disk, opens the copy with the password, and compares. Nothing is
overwritten. FILE appears last, so where it is the copy is whole; what a backup
that was cut short left beside it, the next try replaces. The copy opens with
today's password, for ever; it works as it is: kms-offline --path FILE ledger
verify.

The ledger is what this signer remembers of its signatures: a copy is as old as
the last signature in it. "restore" tells what that means.`,
		Example: "  kms-offline --path wallet.kms backup /media/usb/wallet-20261123.kms",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runBackup(args[0]) },
	}
}

type copyReply struct {
	Wallet  string `json:"wallet"`
	Ledger  string `json:"ledger"`
	Entries int    `json:"entries"`
	Lines   uint64 `json:"lines"` // of the ledger
	Head    string `json:"head"`
}

func (a *app) runBackup(to string) error {
	path, err := a.walletPath()
	if err == nil {
		err = a.nothingAt(to)
	}
	if err != nil {
		return err
	}
	var password []byte
	w, err := a.openWith(path, &password)
	if err != nil {
		return err
	}
	defer clear(password)
	defer w.Close()
	if err := a.recordAct(w, ledger.ActBackup, ""); err != nil {
		return err
	}
	if err := a.dropUnfinished(path, to); err != nil {
		return err
	}
	if err := a.copyLedger(path, to, a.carry); err != nil {
		return err
	}
	if err := w.Backup(func(file []byte) error { return a.carry(to, file) }); err != nil { // last: where it is, the set is whole
		return cli.Fail(cli.Failed, err, "")
	}
	reply, err := a.proveCopy(to, password)
	if err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("the copy does not open: %w", err), "delete it and copy to another medium")
	}
	return a.JSON(reply)
}

// nothingAt refuses a place where a file is.
func (a *app) nothingAt(path string) error {
	if _, err := a.fs.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return cli.Fail(cli.Failed, errors.Join(fmt.Errorf("%s is there already and is left as it is", path), err), "name a new file")
	}
	return nil
}

// dropUnfinished removes what a backup that was cut short left: a ledger, and
// perhaps its mark, without the wallet that comes last. It is one that holds
// nothing but a beginning of the wallet's own ledger. Anything else stays, and
// is an error.
func (a *app) dropUnfinished(path, to string) error {
	left, err := durable.ReadFile(a.fs, to+ledgerSuffix, maxLedger)
	if err == nil {
		own, ownErr := durable.ReadFile(a.fs, path+ledgerSuffix, maxLedger)
		if ownErr == nil && bytes.HasPrefix(own, left) {
			return errors.Join(durable.Remove(a.fs, to+ledgerSuffix+ledger.MarkSuffix), durable.Remove(a.fs, to+ledgerSuffix))
		}
	}
	if err := a.nothingAt(to + ledgerSuffix); err != nil {
		return err
	}
	return a.nothingAt(to + ledgerSuffix + ledger.MarkSuffix)
}

// copyLedger copies a ledger and its mark, byte for byte.
func (a *app) copyLedger(from, to string, put func(path string, data []byte) error) error {
	for _, suffix := range []string{ledgerSuffix, ledgerSuffix + ledger.MarkSuffix} {
		b, err := durable.ReadFile(a.fs, from+suffix, maxLedger)
		if err == nil {
			err = put(to+suffix, b)
		}
		if err != nil {
			return cli.Fail(cli.Failed, fmt.Errorf("copy of the ledger: %w", err), "")
		}
	}
	return nil
}

// proveCopy opens a copy of a wallet, and its ledger.
func (a *app) proveCopy(path string, password []byte) (copyReply, error) {
	w, err := a.store().OpenCopy(path, password)
	if err != nil {
		return copyReply{}, err
	}
	defer w.Close()
	return a.describe(path, w)
}

// describe checks the ledger of an open wallet and says what there is.
func (a *app) describe(path string, w *wallet.Wallet) (copyReply, error) {
	id, err := w.Identity()
	if err != nil {
		return copyReply{}, err
	}
	book, files, err := a.openAnyLedger(ledger.NewCopy(a.fs, path+ledgerSuffix), &opened{Wallet: w}, id)
	if err != nil {
		return copyReply{}, err
	}
	defer func() { _ = files.Close() }()
	return copyReply{path, path + ledgerSuffix, w.Len(), book.Len(), book.Head()}, nil
}

func (a *app) restore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "put a copy of a wallet back in its place",
		Long: `restore puts a copy that "backup" made, or a previous generation (FILE.prev), in
the place of the wallet at --path, after its password has opened it. The wallet
that was there becomes the previous generation.

A ledger that is in place and holds everything that the copy's ledger holds is
kept: it remembers more. Where there is none, the copy's ledger comes back, and
with it a memory that ends when the copy was made. Signatures made since then are
forgotten by this signer, not by the relay: its next request is refused until
"ledger accept" has recorded that a person knows.`,
		Example: "  kms-offline --path wallet.kms restore /media/usb/wallet-20261123.kms",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runRestore(args[0]) },
	}
}

func (a *app) runRestore(from string) error {
	path, err := a.walletPath()
	if err != nil {
		return err
	}
	if err := durable.MakeDir(a.fs, filepath.Dir(path)); err != nil {
		return walletError(path, err)
	}
	lock, err := durable.NewLock(path + ".lock")
	if err != nil {
		return walletError(path, err)
	}
	defer func() { _ = lock.Close() }()
	password, err := a.password(fmt.Sprintf("Enter the password of %s:", cli.Printable(from)), false)
	if err != nil {
		return err
	}
	defer clear(password)
	if err := a.restoreLedger(path, from, password); err != nil {
		return err
	}
	if err := a.store().Restore(path, from, password); err != nil {
		return walletError(from, err)
	}
	w, err := a.store().Open(path, password)
	if err != nil {
		return walletError(path, err)
	}
	defer w.Close()
	err = a.recordAct(&opened{Wallet: w}, ledger.ActRestore, "")
	if err != nil && !errors.Is(err, ledger.ErrVersion) {
		return err
	}
	if err != nil {
		fmt.Fprintln(a.Err, "its ledger is of version 1: type kms-offline ledger upgrade before anything is signed")
	}
	reply, err := a.describe(path, w)
	if err != nil {
		return ledgerError(err)
	}
	fmt.Fprintln(a.Err, "restored. If signatures were made after the copy, the relay's next request says so: see ledger accept --help")
	return a.JSON(reply)
}

// restoreLedger decides which memory the wallet goes on with. The one in place
// stays if it is whole and belongs to the copy; one of another wallet, or a
// damaged one, stops everything before a file is touched.
func (a *app) restoreLedger(path, from string, password []byte) error {
	w, err := a.guardedOpen(path, func() (*wallet.Wallet, error) { return a.store().OpenCopy(from, password) })
	if err != nil {
		return walletError(from, err)
	}
	defer w.Close()
	id, err := w.Identity()
	if err != nil {
		return err
	}
	if _, err := a.fs.Lstat(path + ledgerSuffix); err == nil {
		return a.keepLedger(path, from, w, id)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := a.proveCopy(from, password); err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("the ledger of the copy, %s%s: %w", from, ledgerSuffix, err),
			"a wallet without its ledger signs nothing: put the newest ledger and its mark beside the copy")
	}
	if err := durable.Remove(a.fs, path+ledgerSuffix+ledger.MarkSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return a.copyLedger(from, path, func(path string, data []byte) error {
		return durable.Create(a.fs, path, data, durable.PermFile, nil)
	})
}

// keepLedger checks that the ledger in place is this wallet's and no older
// than the copy's.
func (a *app) keepLedger(path, from string, w *wallet.Wallet, id identity.Private) error {
	files := ledger.NewFiles(a.fs, path+ledgerSuffix)
	defer func() { _ = files.Close() }()
	book, err := ledger.Open(files, ledger.OwnerOf(id), a.now)
	if err == nil && string(w.Ledger()) != book.Root() && string(w.Ledger()) != book.Genesis() {
		err = fmt.Errorf("%w: it is of another wallet", ledger.ErrDamaged)
	}
	if err != nil {
		return cli.Fail(cli.Refused, err, fmt.Sprintf("move %s%s and its mark away first, and keep them; then the ledger of the copy is put in their place", path, ledgerSuffix))
	}
	if _, err := a.fs.Lstat(from + ledgerSuffix); errors.Is(err, fs.ErrNotExist) {
		return nil // a copy without a ledger, such as FILE.prev, goes on with the one in place
	}
	old := ledger.NewCopy(a.fs, from+ledgerSuffix)
	defer func() { _ = old.Close() }()
	copied, err := ledger.OpenAny(old, ledger.OwnerOf(id), a.now)
	if err != nil { // it may well be the newer one
		return cli.Fail(cli.Refused, fmt.Errorf("the ledger of the copy, %s%s, cannot be compared with the one in place: %w", from, ledgerSuffix, err),
			"look at it on another machine; without any ledger beside it, the copy goes on with the one in place")
	}
	if book.Knows(copied.HeadBytes()) {
		return nil
	}
	if _, older := copied.Line(book.HeadBytes()); older {
		return cli.Fail(cli.Refused, fmt.Errorf("%w: the ledger in place ends before that of the copy", ledger.ErrRollback),
			fmt.Sprintf("move %s%s and its mark away first, and keep them; then the ledger of the copy is put in their place", path, ledgerSuffix))
	}
	return cli.Fail(cli.Refused, fmt.Errorf("the two ledgers went different ways after line %d (in place %s, copy %s): one of both has forgotten signatures of the other",
		book.Common(copied), counted(int(book.Len()), "line", "lines"), counted(int(copied.Len()), "line", "lines")),
		"do not replace either before you know which: docs/OPERATIONS.md, \"Two ledgers\"")
}
