package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/wallet"
	"coldkms/shared/durable"
)

// triesSuffix names the count of wrong passwords beside a wallet.
const triesSuffix = ".tries"

// Wrong passwords are free up to freeTries; each one from there on doubles the
// wait before the next, up to maxWait.
const (
	freeTries = 3
	maxWait   = time.Minute
	maxTries  = 64 // bytes of the file
)

// tries counts wrong passwords on the disk, so that ending the program does
// not end the wait. It slows a person at this machine down; whoever has a copy
// of the wallet file waits for nothing (docs/THREATS.md).
type tries struct {
	Wrong int `json:"wrong"`

	unreadable bool // so Wrong is not what was counted
}

// wait returns how long the next try has to wait.
func (t tries) wait() time.Duration {
	if t.Wrong < freeTries {
		return 0
	}
	return min(time.Second<<min(t.Wrong-freeTries, 10), maxWait)
}

// loadTries reads the count. One that cannot be read counts as many.
func (a *app) loadTries(path string) (tries, error) {
	b, err := durable.ReadFile(a.fs, path+triesSuffix, maxTries)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return tries{}, nil
	case err != nil && !errors.Is(err, durable.ErrTooLarge):
		return tries{}, err
	}
	var t tries
	if json.Unmarshal(b, &t) != nil || t.Wrong < 0 {
		t = tries{Wrong: freeTries + 10, unreadable: true}
	}
	return t, nil
}

// guardedOpen opens a wallet, after the wait that earlier wrong passwords have
// earned. A wrong one is counted before it is told: whoever
// breaks off earlier has learned nothing.
func (a *app) guardedOpen(path string, open func() (*wallet.Wallet, error)) (w *wallet.Wallet, err error) {
	err = a.guarded(path, func() error {
		w, err = open()
		return err
	})
	if err != nil && w != nil {
		w.Close()
		w = nil
	}
	return w, err
}

// guarded is for whatever a password opens.
func (a *app) guarded(path string, try func() error) error {
	t, err := a.loadTries(path)
	if err != nil {
		return fmt.Errorf("count of wrong passwords: %w", err)
	}
	if wait := t.wait(); t.unreadable {
		fmt.Fprintf(a.Err, "the count of wrong passwords, %s%s, cannot be read: waiting %v before this one is tried\n", inLine(path), triesSuffix, wait)
		a.sleep(wait)
	} else if wait > 0 {
		fmt.Fprintf(a.Err, "%s so far: waiting %v before this one is tried\n", counted(t.Wrong, "wrong password", "wrong passwords"), wait)
		a.sleep(wait)
	}
	err = try()
	switch {
	case errors.Is(err, wallet.ErrWrongPassword):
		return errors.Join(err, a.storeTries(path, tries{Wrong: t.Wrong + 1}))
	case err == nil && t.Wrong > 0:
		return a.storeTries(path, tries{})
	}
	return err
}

// storeTries writes the count; none is no file.
func (a *app) storeTries(path string, t tries) error {
	var err error
	if t.Wrong == 0 {
		err = durable.Remove(a.fs, path+triesSuffix)
	} else {
		var b []byte
		if b, err = json.Marshal(t); err == nil {
			err = durable.Replace(a.fs, path+triesSuffix, b, durable.PermFile, nil)
		}
	}
	if err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("count of wrong passwords: %w", err), "the folder of the wallet must be writable")
	}
	return nil
}
