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
today's password, for ever; what only reads works with it as it is, also on a
write-protected stick: kms-offline --path FILE ledger verify. Nothing is reviewed,
approved or signed with a copy, and none is written to: "restore" it first.

It prints length and head of the ledger, and the head as words: write length and
words down with the copy. The ledger is what this signer remembers of its signatures: a copy is as old as
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
	Words   string `json:"words"` // of the head, to be noted and compared
}

func (a *app) runBackup(to string) error {
	path, err := a.walletPath()
	if err == nil {
		err = a.writable(filepath.Dir(to)) // before a password is asked for
	}
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
	a.warnUnsettled(w)
	if err := a.dropUnfinished(path, to); err != nil {
		return err
	}
	recorded, err := a.recordBackup(w)
	if err != nil {
		return err
	}
	reply, err := a.copySet(w, path, to, password)
	if err != nil {
		if recorded { // the line about the backup came first, to be in the copy
			err = errors.Join(err, a.recordAct(w, ledger.ActNoBackup, ""))
		}
		return err
	}
	return a.JSON(reply)
}

// copySet copies wallet and ledger, and proves the copy. The wallet comes
// last: where it is, the set is whole.
func (a *app) copySet(w *opened, path, to string, password []byte) (copyReply, error) {
	id, err := w.Identity()
	if err != nil {
		return copyReply{}, err
	}
	if err := a.copyLedger(path, to, ledger.OwnerOf(id)); err != nil {
		return copyReply{}, err
	}
	if err := w.Backup(func(file []byte) error { return a.carry(to, file) }); err != nil {
		return copyReply{}, cli.Fail(cli.Failed, err, "")
	}
	reply, err := a.proveCopy(to, password)
	if err != nil {
		return copyReply{}, cli.Fail(cli.Failed, fmt.Errorf("the copy does not open: %w", err), "delete it and copy to another medium")
	}
	return reply, nil
}

// recordBackup records the start of a backup, and reports whether it did. A
// ledger of version 1 takes no line and is copied as it is, so that there is a
// copy from before the upgrade.
func (a *app) recordBackup(w *opened) (recorded bool, err error) {
	err = a.recordAct(w, ledger.ActBackup, "")
	if !errors.Is(err, ledger.ErrVersion) {
		return err == nil, err
	}
	book, other := a.copyOfLedger(w.Path(), w.Wallet)
	if other != nil {
		return false, ledgerError(other)
	}
	if book.Keyed() { // its upgrade was interrupted: complete it first
		return false, err
	}
	fmt.Fprintln(a.Err, "the ledger is of version 1 and takes no line: it is copied as it is, and this backup is not on record; type kms-offline ledger upgrade before anything is signed")
	return false, nil
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
	own, err := durable.ReadFile(a.fs, path+ledgerSuffix, maxLedger)
	if err == nil {
		left, leftErr := durable.ReadFile(a.fs, to+ledgerSuffix, int64(len(own)))
		if leftErr == nil && bytes.HasPrefix(own, left) {
			return errors.Join(durable.Remove(a.fs, to+ledgerSuffix+ledger.MarkSuffix), durable.Remove(a.fs, to+ledgerSuffix))
		}
	}
	if err := a.nothingAt(to + ledgerSuffix); err != nil {
		return err
	}
	return a.nothingAt(to + ledgerSuffix + ledger.MarkSuffix)
}

// copyLedger copies a ledger byte for byte, and its mark as that of a copy, which
// no command writes to.
func (a *app) copyLedger(from, to string, owner ledger.Owner) error {
	for _, suffix := range []string{ledgerSuffix, ledgerSuffix + ledger.MarkSuffix} {
		b, err := durable.ReadFile(a.fs, from+suffix, maxLedger)
		if err == nil && suffix != ledgerSuffix {
			b, err = ledger.CopyMark(b, owner)
		}
		if err == nil {
			err = a.carry(to+suffix, b)
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
	book, err := a.copyOfLedger(path, w)
	if err != nil {
		return copyReply{}, err
	}
	return copyReply{path, path + ledgerSuffix, w.Len(), book.Len(), book.Head(), identity.Words(book.HeadBytes())}, nil
}
