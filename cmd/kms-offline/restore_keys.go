package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// restoring is a copy that is about to take the place of a wallet.
type restoring struct {
	path, from string
	files      *ledger.Files // of the ledger in place
	copy       *wallet.Wallet
	id         identity.Private
	password   []byte
	lose       []string       // keys that may be missing afterwards, named by flags
	inPlace    *wallet.Wallet // if it opens with the password of the copy, and is to be kept
	noLedger   bool           // there was none in place: nothing there says whose wallet it is

	goes   []string // keys that are missing afterwards, a line each
	keep   []string // files that hold a key which the copy lacks, or may
	ledger *ledger.Ledger
	noted  string // how far the ledger of the copy was, as who made it noted it
}

// agreeToRestore asks before keys are gone from the wallet, or the wallet in place turns
// out to be of another signer. It is called before anything is changed.
func (a *app) agreeToRestore(r *restoring, book *ledger.Ledger) error {
	r.ledger = book
	missing := map[string]string{} // id → what to show of it
	if err := a.compareInPlace(r, missing); err != nil {
		return err
	}
	if err := a.comparePrevious(r); err != nil {
		return err
	}
	for _, key := range book.KeysIn() {
		if _, shown := missing[key.ID]; !shown && !r.holds(key.ID) {
			missing[key.ID] = fmt.Sprintf("added by line %d of the ledger (%s)", key.Line, key.Time)
		}
	}
	if n := book.UnnamedMissing(r.copy.IDs()); n > 0 {
		missing[unnamedKeys] = fmt.Sprintf("%d that the ledger has on record as a number only", n)
	}
	for id, what := range missing {
		r.goes = append(r.goes, fmt.Sprintf("%s  %s", id, what))
	}
	slices.Sort(r.goes)
	return a.agreeToLose(r, missing)
}

// unnamedKeys stands for keys whose ids the ledger does not have.
const unnamedKeys = "keys-without-names"

func (r *restoring) holds(id string) bool {
	_, has := r.copy.Entry(id)
	return has
}

// found lists the keys that were lost, as a person knows, and that the copy holds.
func (r *restoring) found() (list []string) {
	for _, key := range r.ledger.LostKeys() {
		if r.holds(key.ID) {
			list = append(list, key.ID)
		}
	}
	return list
}

// lacked lists the keys of a wallet that the copy does not hold, and that nobody
// removed.
func (r *restoring) lacked(w *wallet.Wallet) (list []wallet.Entry) {
	for _, e := range w.Entries() {
		if have, has := r.copy.Entry(e.ID); (!has || !have.SameSecret(e)) && !r.ledger.RemovedKey(e.ID) {
			list = append(list, e)
		}
	}
	return list
}

// keeps reports whether a key is in the wallet in place, which is kept if the copy
// lacks the key.
func (r *restoring) keeps(e wallet.Entry) bool {
	if r.inPlace == nil {
		return false
	}
	have, has := r.inPlace.Entry(e.ID)
	return has && have.SameSecret(e)
}

// close wipes the wallets that were opened.
func (r *restoring) close() {
	r.copy.Close()
	if r.inPlace != nil {
		r.inPlace.Close()
	}
}

// compareInPlace compares the copy with the wallet in place.
func (a *app) compareInPlace(r *restoring, missing map[string]string) error {
	if same, err := a.sameFile(r.path, r.from); err != nil || same {
		return err
	}
	if _, err := a.fs.Lstat(r.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	w, err := a.store().OpenCopy(r.path, r.password)
	if errors.Is(err, wallet.ErrTatumWallet) {
		return nil // which is never touched
	}
	if err != nil {
		r.keep = append(r.keep, r.path)
		if r.noLedger {
			return a.agreeToStranger(r, fmt.Sprintf("it does not open with the password of the copy (%v), and there is no ledger beside it", err))
		}
		return nil // the ledger in place is the copy's, and names its keys
	}
	r.inPlace = w
	id, err := w.Identity()
	if err != nil {
		return err
	}
	lacked := r.lacked(w)
	if len(lacked) > 0 || id.Public() != r.id.Public() {
		r.keep = append(r.keep, r.path)
	}
	for _, e := range lacked {
		missing[e.ID] = describeKey(w, e)
	}
	if id.Public() == r.id.Public() {
		return nil
	}
	return a.agreeToStranger(r, fmt.Sprintf("it is that of signer %s (%s), with %s; the copy is of signer %s (%s)",
		id.Public().Fingerprint(), id.Public().Words(), counted(w.Len(), "key", "keys"), r.id.Public().Fingerprint(), r.id.Public().Words()))
}

// comparePrevious looks whether the generation before, which the wallet in place
// is to take the place of, holds a key that the copy lacks.
func (a *app) comparePrevious(r *restoring) error {
	prev := r.path + wallet.PrevSuffix
	if _, err := a.fs.Lstat(prev); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if same, err := a.sameFile(prev, r.from); err != nil || same {
		return err
	}
	w, err := a.store().OpenCopy(prev, r.password)
	if err == nil {
		defer w.Close()
	}
	if err != nil || slices.ContainsFunc(r.lacked(w), func(e wallet.Entry) bool { return !r.keeps(e) }) {
		r.keep = append(r.keep, prev)
	}
	return nil
}

// sameFile reports whether two files have the same content. One that is not
// there has none.
func (a *app) sameFile(x, y string) (bool, error) {
	b, err := durable.ReadFile(a.fs, x, wallet.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := durable.ReadFile(a.fs, y, wallet.MaxSize)
	return bytes.Equal(b, c), err
}

// describeKey shows a key by an address that a person may know.
func describeKey(w *wallet.Wallet, e wallet.Entry) string {
	text := placeOf(e) + " " + e.Kind.String()
	p, err := utxo.ParamsOf(e.Coin)
	if err != nil {
		return text
	}
	public, err := w.Public(e.ID, 0)
	if err != nil {
		return text
	}
	address, _ := p.KeyAddress(public)
	if e.Kind == wallet.Mnemonic {
		address += " (index 0)"
	}
	return text + " " + address
}

// agreeToLose asks whether keys may be gone, or has it from the flags.
func (a *app) agreeToLose(r *restoring, missing map[string]string) error {
	named := func(id string) bool { return slices.Contains(r.lose, id) }
	unnamed := slices.DeleteFunc(slices.Sorted(maps.Keys(missing)), named)
	if len(unnamed) == 0 {
		return nil
	}
	text := fmt.Sprintf("%s lacks %s of the wallet in place. Restored, the wallet cannot spend what was paid to:\n  %s\nA file here that holds them is kept under another name.\n",
		r.from, counted(len(r.goes), "key", "keys"), strings.Join(r.goes, "\n  "))
	err := a.typedWord(text, "restore")
	var known *cli.Error
	if errors.As(err, &known) && known.Code == cli.Usage {
		fmt.Fprint(a.Err, cli.Printable(text))
		flags := ""
		for _, id := range unnamed {
			flags += " --lose " + id
		}
		return cli.Fail(cli.Refused, fmt.Errorf("%s lacks %s of the wallet in place: %s", r.from, counted(len(r.goes), "key", "keys"), strings.Join(r.goes, "; ")),
			"nothing was changed; restore a newer copy, or at a terminal, or name each key that may be gone:"+cli.Printable(flags))
	}
	return err
}

// agreeToStranger asks whether a wallet that may be another signer's is to be
// replaced. No flag answers that.
func (a *app) agreeToStranger(r *restoring, why string) error {
	text := fmt.Sprintf("The wallet in place, %s, may be another one than %s is a copy of:\n  %s\nIt would be replaced, and is kept under another name.\n", r.path, r.from, why)
	err := a.typedWord(text, "replace")
	var known *cli.Error
	if errors.As(err, &known) && known.Code == cli.Usage {
		return cli.Fail(cli.Refused, fmt.Errorf("the wallet in place may be another one than %s is a copy of: %s", r.from, why),
			fmt.Sprintf("nothing was changed; put the copy under a path of its own: kms-offline --path OTHER.kms restore %s; or restore it at a terminal", word(r.from)))
	}
	return err
}

// keptMiddle is in the name of a file that was kept because it holds a key which
// the wallet lacks.
const keptMiddle = ".kept-"

// keepAside copies files of a wallet to names that nothing writes over.
func (a *app) keepAside(path string, files []string) error {
	for i, from := range files {
		b, err := durable.ReadFile(a.fs, from, wallet.MaxSize)
		if err != nil {
			return cli.Fail(cli.Failed, fmt.Errorf("keep %s: %w", from, err), "nothing was changed")
		}
		to, err := a.nameAside(path, b, i)
		if err == nil {
			err = durable.Create(a.fs, to, b, durable.PermFile, nil)
		}
		if err != nil {
			return cli.Fail(cli.Failed, fmt.Errorf("keep %s: %w", from, err), "nothing was changed")
		}
		fmt.Fprintf(a.Err, "%s is kept as %s: it holds keys that the wallet lacks, or may; kms-offline restore %s puts it back\n", inLine(from), inLine(to), word(to))
	}
	return nil
}

// nameAside is the name of a kept file: that of the same content where it was
// kept before.
func (a *app) nameAside(path string, b []byte, n int) (string, error) {
	kept, err := a.keptAside(path)
	if err != nil {
		return "", err
	}
	for _, name := range kept {
		if have, err := durable.ReadFile(a.fs, name, int64(len(b))); err == nil && bytes.Equal(have, b) {
			return name, nil
		}
	}
	name := path + keptMiddle + a.now().UTC().Format("20060102T150405Z")
	if n += len(kept); n > 0 {
		name += fmt.Sprintf("-%d", n)
	}
	return name, nil
}

// keptAside lists the files that keepAside has made.
func (a *app) keptAside(path string) (list []string, err error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := a.fs.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), base+keptMiddle) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, err
}

// keepPrevious keeps the generation before, if there is one, before a wallet that
// may lack keys of it is written.
func (a *app) keepPrevious(w *opened) error {
	prev := w.Path() + wallet.PrevSuffix
	if _, err := a.fs.Lstat(prev); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return a.keepAside(w.Path(), []string{prev})
}

// holdersOf says which files beside the wallet hold keys that it lacks.
func (a *app) holdersOf(w *opened, list []offline.Difference) (text string, err error) {
	kept, err := a.keptAside(w.Path())
	for _, path := range append([]string{w.Path() + wallet.PrevSuffix}, kept...) {
		ids, err := w.HeldBy(path)
		if err != nil {
			continue // it is not there, or of another password
		}
		n := 0
		for _, d := range list {
			if d.Lost != "" && slices.Contains(ids, d.Line.ID) {
				n++
			}
		}
		if n > 0 {
			text += fmt.Sprintf("%s holds %d of them.\n", path, n)
		}
	}
	return text, err
}

// tellKept names the kept files, which the old password still opens.
func (a *app) tellKept(path string) {
	kept, _ := a.keptAside(path)
	for _, name := range kept {
		fmt.Fprintf(a.Err, "%s still opens with the old password: delete it once its keys are in a wallet that you use\n", inLine(name))
	}
}
