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

func (a *app) restore() *cobra.Command {
	var lose []string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "put a copy of a wallet back in its place",
		Long: `restore puts a copy that "backup" made, or a previous generation (FILE.prev), in
the place of the wallet at --path, after its password has opened it. The wallet
that was there becomes the previous generation.

Keys that the wallet in place holds, or that the ledger says were added, and that
the copy lacks are listed, and you are asked. Without a terminal each has to be
named with --lose. Whatever file in place holds such a key is kept beside the
wallet as FILE.kept-TIME, which no command writes over, and "restore" puts it back.
A wallet in place that may be another signer's is replaced only at a terminal.

A ledger that is in place and holds everything that the copy's ledger holds is
kept: it remembers more. Where there is none, the copy's ledger comes back, and
with it a memory that ends when the copy was made. Signatures made since then are
forgotten by this signer, not by the relay: its next request is refused until
"ledger accept" has recorded that a person knows.

The ledger gets its line about the restore before anything is in place, and the
wallet comes last: reviews and approvals of before count no longer, wherever it is
cut short. Type the same restore again then.`,
		Example: "  kms-offline --path wallet.kms restore /media/usb/wallet-20261123.kms",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runRestore(args[0], lose) },
	}
	cmd.Flags().StringArrayVar(&lose, "lose", nil, "do not ask about this key, which the copy lacks (signature id; once for each)")
	return cmd
}

func (a *app) runRestore(from string, lose []string) error {
	path, err := a.walletPath()
	if err == nil {
		err = a.copyAt(from) // before a password is asked for, and a folder is made
	}
	if err != nil {
		return err
	}
	if err := durable.MakeDir(a.fs, filepath.Dir(path)); err != nil {
		return walletError(path, err)
	}
	held, err := a.lock(path)
	if err != nil {
		return walletError(path, err)
	}
	defer held.unlock()
	password, err := a.password(fmt.Sprintf("Enter the password of %s:", inLine(from)), false)
	if err != nil {
		return err
	}
	defer clear(password)
	r := &restoring{files: held.files, path: path, from: from, password: password, lose: lose}
	if err := a.restoreLedger(r); err != nil {
		return err
	}
	_, fresh := a.fs.Lstat(path)
	if err := a.store().Restore(path, from, password); err != nil {
		return walletError(from, err)
	}
	a.tellPlace(path, fresh)
	w, err := a.store().Open(path, password)
	if err != nil {
		return walletError(path, err)
	}
	defer w.Close()
	reply, err := a.describe(path, w)
	if err != nil {
		return ledgerError(err)
	}
	if r.noted != "" { // as the backup printed it: what follows has the line about this restore
		fmt.Fprintln(a.Err, r.noted)
	}
	if wrong := a.disagreesAfterRestore(path, w); wrong == nil {
		fmt.Fprintln(a.Err, "If signatures were made after the copy, the relay's next request says so: see ledger accept --help")
	} else {
		fmt.Fprintf(a.Err, "the copy is older than what the ledger has on record, and nothing is signed yet: %s\n", cli.Printable(wrong.Error()))
		var known *cli.Error
		if errors.As(wrong, &known) && known.Hint != "" {
			fmt.Fprintln(a.Err, cli.Printable(a.typed(known.Hint)))
		}
	}
	return a.JSON(reply)
}

// copyAt returns an error where there is no file to restore.
func (a *app) copyAt(from string) error {
	info, err := a.fs.Stat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return oneLine(cli.Fail(cli.Failed, fmt.Errorf("there is no file %s", from),
			"is the medium with the copies in, and mounted?"))
	case err != nil:
		return oneLine(cli.Fail(cli.Failed, err, ""))
	case info.IsDir():
		return oneLine(cli.Fail(cli.Failed, fmt.Errorf("%s is a folder", from), "name the wallet's file in it"))
	}
	return nil
}

// tellPlace names the file that was written, and the one that was there. fresh is
// the error of looking for it before.
func (a *app) tellPlace(path string, fresh error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		whole = path
	}
	switch {
	case fresh == nil:
		fmt.Fprintf(a.Err, "restored as %s; the wallet that was there is %s now\n",
			inLine(whole), inLine(whole+wallet.PrevSuffix))
	case a.path == "":
		fmt.Fprintf(a.Err, "restored as %s, where no wallet was: --path was not given. "+
			"If your wallet has another path, delete this one, and restore with --path\n", inLine(whole))
	default:
		fmt.Fprintf(a.Err, "restored as %s, where no wallet was\n", inLine(whole))
	}
}

// restoreLedger decides which memory the wallet goes on with, and records the
// restore in it before the wallet is put in place. The ledger in place stays
// if it is whole and belongs to the copy; one of another wallet, or a damaged
// one, stops everything before a file is touched.
func (a *app) restoreLedger(r *restoring) (err error) {
	r.copy, err = a.guardedOpen(r.path, func() (*wallet.Wallet, error) { return a.store().OpenCopy(r.from, r.password) })
	if err != nil {
		return walletError(r.from, err)
	}
	defer r.close()
	if r.id, err = r.copy.Identity(); err != nil {
		return err
	}
	if book, err := a.copyOfLedger(r.from, r.copy); err == nil {
		r.noted = fmt.Sprintf("the copy's ledger had %s, head words: %s",
			counted(int(book.Len()), "line", "lines"), identity.Words(book.HeadBytes()))
	}
	if _, err := a.fs.Lstat(r.path + ledgerSuffix); err == nil {
		return a.keepLedger(r)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.noLedger = true
	return a.bringLedger(r)
}

// bringLedger puts the copy's ledger where there is none, with the line about
// the restore in it. The ledger comes after its mark: where it is, both are
// whole, and a mark alone is replaced by the next try.
func (a *app) bringLedger(r *restoring) error {
	path, from, w, id := r.path, r.from, r.copy, r.id
	files, err := a.loadCopy(from + ledgerSuffix)
	if err != nil {
		return copyError(from, err)
	}
	book, err := ledger.OpenAny(files, ledger.OwnerOf(id), a.now)
	if err == nil && string(w.Ledger()) != book.Genesis() {
		err = belongs(w, book)
	}
	if err != nil {
		return copyError(from, err)
	}
	if err := a.recordRestore(r, book); err != nil {
		return err
	}
	if err := durable.Replace(a.fs, path+ledgerSuffix+ledger.MarkSuffix, files.mark, durable.PermFile, nil); err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("copy of the ledger: %w", err), "")
	}
	if err := durable.Create(a.fs, path+ledgerSuffix, files.lines, durable.PermFile, nil); err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("copy of the ledger: %w", err), "")
	}
	return nil
}

func copyError(from string, err error) error {
	return cli.Fail(cli.Failed, fmt.Errorf("the ledger of the copy, %s%s: %w", from, ledgerSuffix, err),
		"a wallet without its ledger signs nothing: put the newest ledger and its mark beside the copy")
}

// recordRestore records that a copy is put back, after all questions. A ledger
// of version 1 takes no line: nothing is signed with it before its upgrade, which
// ends all rounds as well.
func (a *app) recordRestore(r *restoring, book *ledger.Ledger) error {
	if err := a.agreeToRestore(r, book); err != nil {
		return err
	}
	if err := a.keepAside(r.path, r.keep); err != nil {
		return err
	}
	if !book.Keyed() {
		fmt.Fprintln(a.Err, "its ledger is of version 1: type kms-offline ledger upgrade before anything is signed")
		return nil
	}
	if err := book.Adopt(); err != nil {
		return ledgerError(err)
	}
	if err := a.timely(book); err != nil {
		return err
	}
	lines := ledger.KeyLines(ledger.ActRestore, r.found())
	if len(lines) == 0 {
		lines = []ledger.Line{{Kind: ledger.KindWallet, Act: ledger.ActRestore}}
	}
	return ledgerError(book.Append(lines...))
}

// inMemory is a copy of a ledger and its mark, as they are to be put in place.
type inMemory struct{ lines, mark []byte }

// loadCopy reads a copy of a ledger and its mark.
func (a *app) loadCopy(path string) (*inMemory, error) {
	files := ledger.NewCopy(a.fs, path)
	defer func() { _ = files.Close() }()
	lines, err := files.Load()
	if err != nil {
		return nil, err
	}
	mark, err := files.LoadMark()
	if err != nil {
		return nil, err
	}
	return &inMemory{lines, mark}, nil
}

// Load implements ledger.Storage.
func (m *inMemory) Load() ([]byte, error) { return m.lines, nil }

// Append implements ledger.Storage.
func (m *inMemory) Append(lines []byte) error {
	m.lines = append(m.lines, lines...)
	return nil
}

// Truncate implements ledger.Storage.
func (m *inMemory) Truncate(size int64) error {
	m.lines = m.lines[:size]
	return nil
}

// LoadMark implements ledger.Storage.
func (m *inMemory) LoadMark() ([]byte, error) { return m.mark, nil }

// StoreMark implements ledger.Storage.
func (m *inMemory) StoreMark(mark []byte) error {
	m.mark = bytes.Clone(mark)
	return nil
}

// keepLedger checks that the ledger in place is this wallet's and no older
// than the copy's, and records the restore in it.
func (a *app) keepLedger(r *restoring) error {
	path, from, w, id := r.path, r.from, r.copy, r.id
	book, err := ledger.Open(r.files, ledger.OwnerOf(id), a.now)
	of, known := ledger.SignerOf(r.files)
	if known && of != id.Public().Fingerprint() || err == nil && string(w.Ledger()) != book.Root() && string(w.Ledger()) != book.Genesis() {
		return cli.Fail(cli.Refused, fmt.Errorf("%s is a copy of another wallet (signer %s): the ledger in place is that of signer %.40s", from, id.Public().Fingerprint(), of),
			"nothing was changed; put it back under a path of its own: kms-offline --path OTHER.kms restore "+word(from))
	}
	if err != nil {
		return cli.Fail(cli.Refused, fmt.Errorf("the ledger in place cannot be relied on: %w", err),
			fmt.Sprintf("put the newest %s%s and its mark back first (docs/OPERATIONS.md); or put the copy under a path of its own: kms-offline --path OTHER.kms restore %s", inLine(path), ledgerSuffix, word(from)))
	}
	if _, err := a.fs.Lstat(from + ledgerSuffix); errors.Is(err, fs.ErrNotExist) {
		return a.recordRestore(r, book) // a copy without a ledger, such as FILE.prev, goes on with the one in place
	}
	old := ledger.NewCopy(a.fs, from+ledgerSuffix)
	defer func() { _ = old.Close() }()
	copied, err := ledger.OpenAny(old, ledger.OwnerOf(id), a.now)
	if err != nil { // it may well be the newer one
		return cli.Fail(cli.Refused, fmt.Errorf("the ledger of the copy, %s%s, cannot be compared with the one in place: %w", from, ledgerSuffix, err),
			"look at it on another machine; without any ledger beside it, the copy goes on with the one in place")
	}
	if book.Knows(copied.HeadBytes()) {
		return a.recordRestore(r, book)
	}
	if _, older := copied.Line(book.HeadBytes()); older && copied.Keyed() && !book.Keyed() {
		return cli.Fail(cli.Refused, errors.New("the ledger in place is of version 1, and the copy was made after its upgrade"),
			fmt.Sprintf("upgrade the one in place first: kms-offline --path %s ledger upgrade; or put the copy under a path of its own: kms-offline --path OTHER.kms restore %s", word(path), word(from)))
	} else if older {
		return cli.Fail(cli.Refused, fmt.Errorf("%w: the ledger in place ends before that of the copy", ledger.ErrRollback),
			fmt.Sprintf("move %s%s and its mark away first, and keep them; then the ledger of the copy is put in their place", inLine(path), ledgerSuffix))
	}
	return cli.Fail(cli.Refused, fmt.Errorf("the two ledgers went different ways after line %d (in place %s, copy %s): one of both has forgotten signatures of the other",
		book.Common(copied), counted(int(book.Len()), "line", "lines"), counted(int(copied.Len()), "line", "lines")),
		"do not replace either before you know which: docs/OPERATIONS.md, \"Two ledgers\"")
}

// disagreesAfterRestore is what the wallet that was put back and its ledger
// say differently; nil if that is nothing.
func (a *app) disagreesAfterRestore(path string, w *wallet.Wallet) error {
	book, err := a.copyOfLedger(path, w)
	if err != nil {
		return ledgerError(err)
	}
	if !book.Keyed() {
		return nil // said before: it is upgraded first
	}
	return disagreement(w, book)
}
