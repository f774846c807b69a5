package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/harden"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// app is one run of the program: its flags and what it works with.
type app struct {
	cli.Streams
	fs     durable.FS
	random *hd.Source       // the one source of all keys, ids, salts and nonces
	cost   wallet.Cost      // of what is written; zero: measured on this machine for a new wallet
	now    func() time.Time // of all that is judged and recorded: see steady
	wall   func() time.Time // the machine's clock as it is set now
	sleep  func(time.Duration)
	guard  harden.Report
	pages  harden.Pages                     // where a wallet's secrets are kept
	online func() (up []string, known bool) // network interfaces that are up

	path         string
	testnet      bool
	passwordFile string
	weakPassword bool
	config       cli.Config // flags from a file
	json         bool

	out        string      // the folder for results, where one was given
	medium     file.Medium // what it is on
	clockRight bool        // a person said so in this run

	typed func(hint string) string // a hint whose commands name the same --path
}

func (a *app) network() chain.Network { return chain.NetworkOf(a.testnet) }

// walletPath is --path, or a file in the user's home.
func (a *app) walletPath() (string, error) {
	if a.path != "" {
		return a.path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", cli.Fail(cli.Usage, fmt.Errorf("no home folder for the default wallet: %w", err),
			"name the wallet file with --path")
	}
	return filepath.Join(home, ".coldkms", "wallet.kms"), nil
}

func (a *app) store() wallet.Store {
	return wallet.Store{FS: a.fs, Rand: a.random, Cost: a.cost, Coins: families().Derivation, Keep: a.pages.Keep}
}

// maxPassword bounds a password file, in bytes.
const maxPassword = 64 << 10

// password reads --password-file, or asks. A new password is asked for twice.
func (a *app) password(question string, fresh bool) ([]byte, error) {
	if a.passwordFile != "" {
		return a.passwordFrom(a.passwordFile)
	}
	tty, err := openTerminal()
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "give the password with --password-file")
	}
	defer tty.close()
	if !fresh {
		return tty.secret(question)
	}
	return tty.secretTwice(question, "Repeat the password:", "passwords")
}

// passwordFrom reads a password file without the line break at its end. It
// may be a pipe, such as /dev/fd/3.
func (a *app) passwordFrom(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("password file: %w", err), "")
	}
	defer f.Close()
	a.warnReadable(f)
	b, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("password file: %w", err), "")
	}
	if len(b) > maxPassword {
		return nil, cli.Fail(cli.Usage, fmt.Errorf("password file has more than %d bytes", maxPassword), "")
	}
	for _, mark := range [...]string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(b, []byte(mark)) { // an editor put it there: it is in no password
			clear(b)
			return nil, cli.Fail(cli.Usage,
				errors.New("password file begins with a byte order mark, so it is not the password as it was typed"),
				"save it as plain text without one (UTF-8, no BOM)")
		}
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r")), nil
}

// warnReadable says that others may read a password file. It is not refused:
// a stick's file system may know no permissions, and a pipe has its own.
func (a *app) warnReadable(f *os.File) {
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		fmt.Fprintf(a.Err, "WARNING: others may read the password file (mode %04o): chmod 600 it\n", info.Mode().Perm())
	}
}

// opened is a wallet with the lock that keeps other processes out.
type opened struct {
	*wallet.Wallet
	lock  *durable.Lock
	files *ledger.Files  // of its ledger, held against other processes from before the wallet was read
	book  *ledger.Ledger // nil until it is asked for
	fresh bool           // not on the disk yet

	was   offline.Kept // what it said when it was opened, or written since
	rules []byte       // and its policy

	indices func(id string, most int) []int64 // as its ledger has them, once something was recorded
}

// Close wipes the wallet's secrets and releases the lock.
func (o *opened) Close() {
	o.Wallet.Close()
	o.unlock()
}

// unlock releases the ledger and the lock; a read-only medium has none.
func (o *opened) unlock() {
	_ = o.files.Close()
	if o.lock != nil {
		_ = o.lock.Close()
	}
}

// open opens the wallet that is there.
func (a *app) open() (*opened, error) {
	path, err := a.walletPath()
	if err != nil {
		return nil, err
	}
	var password []byte
	w, err := a.openWith(path, &password)
	clear(password)
	return w, err
}

// openWith opens the wallet at path and returns the password that opened it,
// which the caller wipes.
func (a *app) openWith(path string, password *[]byte) (*opened, error) {
	a.warnOnline()
	if err := a.store().Probe(path); err != nil {
		return nil, walletError(path, err)
	}
	return a.locked(path, func(*opened) (w *wallet.Wallet, err error) {
		if *password, err = a.password("Enter password to access wallet storage:", false); err != nil {
			return nil, err
		}
		defer a.busy("opening the wallet")()
		return a.guardedOpen(path, func() (*wallet.Wallet, error) { return a.store().Open(path, *password) })
	})
}

// openOrCreate opens the wallet, or makes one: the first command that stores
// something does.
func (a *app) openOrCreate() (*opened, error) {
	path, err := a.walletPath()
	if err != nil {
		return nil, err
	}
	err = a.store().Probe(path)
	switch {
	case err == nil:
		return a.open()
	case !errors.Is(err, wallet.ErrNoWallet):
		return nil, walletError(path, err)
	}
	if err := durable.MakeDir(a.fs, filepath.Dir(path)); err != nil {
		return nil, walletError(path, err)
	}
	w, err := a.locked(path, func(o *opened) (*wallet.Wallet, error) { return a.create(path, o) })
	if err != nil {
		return nil, err
	}
	w.fresh = true
	return w, nil
}

// create makes a wallet in memory and its ledger on the disk. The caller adds
// its first entry and saves, so that a wallet never exists without one.
func (a *app) create(path string, o *opened) (*wallet.Wallet, error) {
	a.warnOnline()
	fmt.Fprintf(a.Err, "There is no wallet at %s yet. It is made now, and encrypted with the password you choose.\n",
		inLine(path))
	password, err := a.password("Enter a new password for the wallet storage:", true)
	if err != nil {
		return nil, err
	}
	defer clear(password)
	if err := a.checkStrength("the new password", password, a.network()); err != nil {
		return nil, err
	}
	store := a.store()
	if store.Cost == (wallet.Cost{}) {
		store.Cost = wallet.Calibrate(a.now, 500*time.Millisecond)
	}
	w, err := store.New(path, password)
	if err != nil {
		return nil, err
	}
	if o.book, err = a.startLedger(o.files, path, w); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// warnOnline says aloud that this machine has a network.
func (a *app) warnOnline() {
	for _, name := range a.up() {
		fmt.Fprintf(a.Err, "WARNING: network interface %s is up: a signer belongs on a machine without a network\n",
			cli.Printable(name))
	}
}

func (a *app) up() []string {
	if a.online == nil {
		return nil
	}
	up, _ := a.online()
	return up
}

// locked takes the wallet's lock before get is called.
func (a *app) locked(path string, get func(*opened) (*wallet.Wallet, error)) (*opened, error) {
	o, err := a.lock(path)
	if err != nil {
		return nil, walletError(path, err)
	}
	if o.Wallet, err = get(o); err != nil {
		o.unlock()
		return nil, walletError(path, err)
	}
	o.rules = o.Policy()
	o.was = kept(o.Wallet)
	return o, nil
}

// lock takes the lock beside the wallet, and that of the ledger's own file: the
// first can be removed, and both have other names through links. Where nobody can
// write there is nothing to keep anybody out of, and no place for a lock.
func (a *app) lock(path string) (*opened, error) {
	lock, err := durable.NewLock(path + ".lock")
	if errors.Is(err, syscall.EROFS) {
		lock, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	o := &opened{lock: lock, files: ledger.NewFiles(a.fs, path+ledgerSuffix)}
	if err := o.files.Hold(); errors.Is(err, durable.ErrLocked) {
		o.unlock()
		return nil, err
	}
	return o, nil
}

// walletError adds an exit code and a hint to a wallet's error.
func walletError(path string, err error) error {
	typed := word(path)
	path = inLine(path)
	var known *cli.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, hd.ErrEntropy):
		return keyError(err)
	case errors.Is(err, wallet.ErrOnlyPrevious):
		return cli.Fail(cli.NoWallet, err, fmt.Sprintf("put it back: cp %s %s", word(path+wallet.PrevSuffix), typed))
	case errors.Is(err, wallet.ErrNoWallet):
		return cli.Fail(cli.NoWallet, fmt.Errorf("%w at %s", err, path),
			"a wallet that exists is elsewhere: name it with kms-offline --path FILE. "+
				"Only if there was never one, make it: kms-offline --path FILE setup, "+
				"or take a Tatum wallet over: importwallet wallet.dat")
	case errors.Is(err, wallet.ErrTatumWallet):
		return cli.Fail(cli.NoWallet, fmt.Errorf("%s is a wallet of Tatum KMS; it is left as it is", path),
			fmt.Sprintf("take it over into a new file: kms-offline --path NEW.kms importwallet %s", typed))
	case errors.Is(err, durable.ErrLocked):
		return cli.Fail(cli.Locked, fmt.Errorf("wallet %s is in use: %w", path, err),
			"wait until the other kms-offline has ended")
	case errors.Is(err, wallet.ErrWrongPassword):
		return cli.Fail(cli.WrongPassword, err, "nothing was changed")
	case errors.Is(err, wallet.ErrDamaged), errors.Is(err, wallet.ErrNotWallet):
		return cli.Fail(cli.Failed, err, fmt.Sprintf(
			"the generation before is in %s%s, if there is one; copies of the wallet open with the password of their time",
			path, wallet.PrevSuffix))
	}
	return err
}

// read reads an input file whole.
func (a *app) read(path string, limit int64) ([]byte, error) {
	b, err := durable.ReadFile(a.fs, path, limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Fail(cli.Failed, fmt.Errorf("there is no file %s", path), "")
	case errors.Is(err, durable.ErrTooLarge):
		return nil, cli.Fail(cli.BadBundle, err, "")
	case errors.Is(file.Reading(err), file.ErrGone):
		return nil, fromStick(err)
	case err != nil:
		return nil, cli.Fail(cli.Failed, err, "")
	}
	return b, nil
}
