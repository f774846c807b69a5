//go:build unix

package wallet_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
)

// len of what a password opens; -1 if it does not.
func opens(path, password string) (entries int, err error) {
	w, err := store().Open(path, []byte(password))
	if err != nil {
		return -1, err
	}
	defer w.Close()
	return w.Len(), nil
}

func addKey(t testing.TB, w *wallet.Wallet, id string, n int) {
	t.Helper()
	ok(t, w.Add(must(wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), keyOf(n), true, when()))(t)))
}

// twoGenerations makes a wallet of two entries whose previous generation has one.
func twoGenerations(t testing.TB) string {
	t.Helper()
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	defer w.Close()
	addKey(t, w, "one", 1)
	ok(t, w.Save())
	addKey(t, w, "two", 2)
	ok(t, w.Save())
	return path
}

func modes() []faultfs.Mode { return []faultfs.Mode{faultfs.Once, faultfs.Short, faultfs.Crash} }

// reset puts a folder back into the state in which it was read.
func reset(t testing.TB, dir string) func() {
	t.Helper()
	files := make(map[string][]byte)
	for _, e := range must(os.ReadDir(dir))(t) {
		files[e.Name()] = must(os.ReadFile(filepath.Join(dir, e.Name())))(t)
	}
	return func() {
		for _, e := range must(os.ReadDir(dir))(t) {
			ok(t, os.Remove(filepath.Join(dir, e.Name())))
		}
		for name, b := range files {
			ok(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
	}
}

// Whatever operation fails, the old wallet or the new one opens; and Save does
// not say that it is done when it is not.
func TestSaveFaults(t *testing.T) {
	for _, mode := range modes() {
		path := twoGenerations(t)
		again := reset(t, filepath.Dir(path))
		save := func(f *faultfs.FS) error {
			s := store()
			w := must(s.Open(path, []byte("pw")))(t)
			w.Close()
			s.FS = f
			if w = openOn(t, f, path); w == nil {
				return errors.New("not opened")
			}
			defer w.Close()
			addKey(t, w, "three", 3)
			return w.Save()
		}
		points, err := faultfs.Each(durable.OS{}, mode, syscall.EIO, save, func(n int, f *faultfs.FS) {
			again()
			err := save(f)
			got, why := opens(path, "pw")
			switch {
			case got != 2 && got != 3:
				t.Errorf("mode %d, operation %d (%s): %d entries, %v", mode, n, f.Trace()[n-1], got, why)
			case err == nil && got != 3:
				t.Errorf("mode %d, operation %d (%s): Save said done, and the wallet has %d entries", mode, n, f.Trace()[n-1], got)
			case errors.Is(err, durable.ErrUnsynced) && got != 3:
				t.Errorf("mode %d, operation %d: unsynced, and the wallet is the old one", mode, n)
			}
			if prev, why := opens(path+wallet.PrevSuffix, "pw"); prev != 1 && prev != 2 {
				t.Errorf("mode %d, operation %d: previous generation: %v", mode, n, why)
			}
		})
		if err != nil || points < 20 {
			t.Errorf("%d operations, %v", points, err)
		}
		again()
	}
}

// openOn opens with the file system that fails, if it gets that far.
func openOn(t testing.TB, f *faultfs.FS, path string) *wallet.Wallet {
	t.Helper()
	s := store()
	s.FS = f
	w, err := s.Open(path, []byte("pw"))
	if err != nil {
		return nil
	}
	return w
}

// A failed Save can be tried again on the same open wallet.
func TestSaveAgainAfterFault(t *testing.T) {
	for n := 1; n < 60; n++ {
		path := twoGenerations(t)
		f := &faultfs.FS{Base: durable.OS{}}
		w := openOn(t, f, path)
		addKey(t, w, "three", 3)
		f.FailAt = f.Count() + n
		err := w.Save()
		if err2 := w.Save(); err != nil && err2 != nil {
			t.Errorf("operation %d: %v, and again %v", n, err, err2)
		}
		w.Close()
		if got, why := opens(path, "pw"); got != 3 {
			t.Errorf("operation %d: %d entries, %v", n, got, why)
		}
	}
}

func TestCreateFaults(t *testing.T) {
	for _, mode := range modes() {
		dir := t.TempDir()
		path := filepath.Join(dir, "sub", "w")
		create := func(f *faultfs.FS) error {
			s := store()
			s.FS = f
			w, err := s.Create(path, []byte("pw"))
			if err == nil {
				w.Close()
			}
			return err
		}
		_, err := faultfs.Each(durable.OS{}, mode, nil, create, func(n int, f *faultfs.FS) {
			ok(t, os.RemoveAll(filepath.Dir(path)))
			err := create(f)
			_, why := opens(path, "pw")
			if err == nil && why != nil || why != nil && !errors.Is(why, wallet.ErrNoWallet) {
				t.Errorf("mode %d, operation %d (%s): %v, %v", mode, n, f.Trace()[n-1], err, why)
			}
		})
		ok(t, err)
	}
}

// The password is the old one or the new one; and as soon as it is the new
// one, nothing beside the wallet opens with the old one.
func TestChangePasswordFaults(t *testing.T) {
	for _, mode := range modes() {
		path := twoGenerations(t)
		dir := filepath.Dir(path)
		again := reset(t, dir)
		change := func(f *faultfs.FS) error {
			w := openOn(t, f, path)
			if w == nil {
				return errors.New("not opened")
			}
			defer w.Close()
			return w.ChangePassword([]byte("new"))
		}
		_, err := faultfs.Each(durable.OS{}, mode, nil, change, func(n int, f *faultfs.FS) {
			again()
			err := change(f)
			old, _ := opens(path, "pw")
			fresh, _ := opens(path, "new")
			switch {
			case old != 2 && fresh != 2:
				t.Errorf("mode %d, operation %d: neither password opens the wallet", mode, n)
			case err == nil && fresh != 2:
				t.Errorf("mode %d, operation %d: said done, and the new password does not open it", mode, n)
			case err != nil && !errors.Is(err, durable.ErrUnsynced) && old != 2:
				t.Errorf("mode %d, operation %d: %v, and the old password does not open it", mode, n, err)
			}
			for _, e := range must(os.ReadDir(dir))(t) {
				if got, _ := opens(filepath.Join(dir, e.Name()), "pw"); got >= 0 && fresh == 2 {
					t.Errorf("mode %d, operation %d: the old password opens %s", mode, n, e.Name())
				}
			}
		})
		ok(t, err)
		again()
	}
}

func TestChangePassword(t *testing.T) {
	path := twoGenerations(t)
	w := must(store().Open(path, []byte("pw")))(t)
	if err := w.ChangePassword(nil); !errors.Is(err, wallet.ErrEmptyPassword) {
		t.Errorf("got %v", err)
	}
	ok(t, w.ChangePassword([]byte("new")))
	if _, err := os.Stat(path + wallet.PrevSuffix); err == nil {
		t.Error("the previous generation is still there")
	}
	addKey(t, w, "three", 3)
	ok(t, w.Save()) // under the new one, with the new one kept
	w.Close()
	for name, want := range map[string]int{path: 3, path + wallet.PrevSuffix: 2} {
		if got, err := opens(name, "new"); got != want {
			t.Errorf("%s: %d entries, %v", name, got, err)
		}
		if _, err := opens(name, "pw"); !errors.Is(err, wallet.ErrWrongPassword) {
			t.Errorf("%s with the old password: %v", name, err)
		}
	}
}

func TestPreviousGeneration(t *testing.T) {
	path := twoGenerations(t)
	if got, err := opens(path+wallet.PrevSuffix, "pw"); got != 1 {
		t.Errorf("%d entries, %v", got, err)
	}
	if info := must(os.Stat(path + wallet.PrevSuffix))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	ok(t, store().Restore(path, path+wallet.PrevSuffix, []byte("pw")))
	if got, err := opens(path, "pw"); got != 1 {
		t.Errorf("restored: %d entries, %v", got, err)
	}
	if got, err := opens(path+wallet.PrevSuffix, "pw"); got != 2 {
		t.Errorf("kept: %d entries, %v", got, err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	path := twoGenerations(t)
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup")
	w := must(store().Open(path, []byte("pw")))(t)
	defer w.Close()
	write := func(file []byte) error {
		return durable.Create(durable.OS{}, backup, file, durable.PermFile, nil)
	}
	ok(t, w.Backup(write))
	addKey(t, w, "three", 3)
	ok(t, w.Save())
	if err := w.Backup(write); !errors.Is(err, durable.ErrExists) {
		t.Errorf("over an older backup: %v", err)
	}
	fresh := filepath.Join(dir, "sub", "w")
	ok(t, store().Restore(fresh, backup, []byte("pw")))
	if got, err := opens(fresh, "pw"); got != 2 {
		t.Errorf("%d entries, %v", got, err)
	}
	before := must(os.ReadFile(path))(t)
	if err := store().Restore(path, backup, []byte("wrong")); !errors.Is(err, wallet.ErrWrongPassword) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(before, must(os.ReadFile(path))(t)) {
		t.Error("a refused restore changed the wallet")
	}
	tatum := filepath.Join(dir, "tatum")
	ok(t, os.WriteFile(tatum, []byte("U2FsdGVkX18AAAAAAAAAAA=="), 0o600))
	if err := store().Restore(tatum, backup, []byte("pw")); !errors.Is(err, wallet.ErrTatumWallet) {
		t.Errorf("over a Tatum wallet: %v", err)
	}
}

func TestRestoreFaults(t *testing.T) {
	for _, mode := range modes() {
		path := twoGenerations(t)
		from := filepath.Join(t.TempDir(), "copy")
		ok(t, os.WriteFile(from, must(os.ReadFile(path+wallet.PrevSuffix))(t), 0o600))
		again := reset(t, filepath.Dir(path))
		restore := func(f *faultfs.FS) error {
			s := store()
			s.FS = f
			return s.Restore(path, from, []byte("pw"))
		}
		_, err := faultfs.Each(durable.OS{}, mode, nil, restore, func(n int, f *faultfs.FS) {
			again()
			err := restore(f)
			got, why := opens(path, "pw")
			if got != 1 && got != 2 || err == nil && got != 1 {
				t.Errorf("mode %d, operation %d (%s): %v; %d entries, %v", mode, n, f.Trace()[n-1], err, got, why)
			}
		})
		ok(t, err)
		again()
	}
}

// A second process without the lock must not lose the first one's keys.
func TestSaveFindsChangedFile(t *testing.T) {
	path := twoGenerations(t)
	a := must(store().Open(path, []byte("pw")))(t)
	defer a.Close()
	b := must(store().Open(path, []byte("pw")))(t)
	defer b.Close()
	addKey(t, a, "a", 10)
	addKey(t, b, "b", 11)
	ok(t, a.Save())
	if err := b.Save(); !errors.Is(err, wallet.ErrChanged) {
		t.Errorf("got %v", err)
	}
	if err := b.ChangePassword([]byte("x")); !errors.Is(err, wallet.ErrChanged) {
		t.Errorf("got %v", err)
	}
	addKey(t, a, "a2", 12)
	ok(t, a.Save())
	ok(t, os.Remove(path))
	if err := a.Save(); err == nil {
		t.Error("the wallet was taken away, and Save did not say so")
	}
	made := newPath(t)
	one := must(store().New(made, []byte("pw")))(t)
	defer one.Close()
	must(store().Create(made, []byte("pw")))(t).Close()
	if err := one.Save(); !errors.Is(err, wallet.ErrExists) {
		t.Errorf("over a wallet made meanwhile: %v", err)
	}
}

// Fresh salt and nonce: the same content twice has no byte in common but the
// cost, and the cost is never lowered.
func TestSaveIsFresh(t *testing.T) {
	path := newPath(t)
	s := store()
	s.Cost = wallet.Cost{Memory: 16, Passes: 2, Lanes: 1}
	w := must(s.Create(path, []byte("pw")))(t)
	w.Close()
	first := must(os.ReadFile(path))(t)
	w = must(store().Open(path, []byte("pw")))(t) // with a lower cost
	defer w.Close()
	ok(t, w.Save())
	second := must(os.ReadFile(path))(t)
	if !bytes.Equal(first[:24], second[:24]) {
		t.Errorf("the cost changed: %x, %x", first[:24], second[:24])
	}
	if bytes.Equal(first[24:56], second[24:56]) || bytes.Equal(first[56:80], second[56:80]) {
		t.Error("salt or nonce was used twice")
	}
}

func TestSaveSweeps(t *testing.T) {
	path := twoGenerations(t)
	left := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp-0")
	ok(t, os.WriteFile(left, []byte("half"), 0o600))
	w := must(store().Open(path, []byte("pw")))(t)
	defer w.Close()
	ok(t, w.Save())
	for _, e := range must(os.ReadDir(filepath.Dir(path)))(t) {
		if strings.Contains(e.Name(), ".tmp-") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// A disk that keeps another bit than it was given is found before the old
// wallet is gone.
type rotten struct{ durable.OS }

type rottenFile struct {
	durable.File
	skip bool
}

func (r rotten) OpenFile(name string, flag int, perm os.FileMode) (durable.File, error) {
	f, err := r.OS.OpenFile(name, flag, perm)
	return &rottenFile{File: f, skip: strings.Contains(name, wallet.PrevSuffix)}, err
}

func (f *rottenFile) Write(b []byte) (int, error) {
	bad := bytes.Clone(b)
	if !f.skip {
		bad[len(bad)-1] ^= 1
	}
	return f.File.Write(bad)
}

func TestSaveReadsBack(t *testing.T) {
	path := twoGenerations(t)
	s := store()
	s.FS = rotten{}
	w := must(s.Open(path, []byte("pw")))(t)
	defer w.Close()
	addKey(t, w, "three", 3)
	if err := w.Save(); err == nil {
		t.Error("a wallet that rotted while it was written was taken")
	}
	if got, err := opens(path, "pw"); got != 2 {
		t.Errorf("%d entries, %v", got, err)
	}
}
