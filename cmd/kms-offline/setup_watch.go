package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// isAnother reports whether a person agreed to make another signer than the one whose
// watch file is on the stick. It asks only where there is no wallet, before one is made:
// --path may have been left out.
func (a *app) isAnother(stick string) (bool, error) {
	wanted, err := a.walletPath()
	if err != nil || !errors.Is(a.store().Probe(wanted), wallet.ErrNoWallet) {
		return false, err
	}
	path := filepath.Join(stick, cli.WatchFile)
	file, err := durable.ReadFile(a.fs, path, bundle.MaxFile)
	if err != nil {
		return false, nil // it is looked at again when it is written
	}
	before, err := bundle.OpenWatch(file)
	if err != nil {
		return false, nil // replaceWatch leaves it as it is
	}
	a.step("there is no wallet at %s, and %s is of a signer that was set up already", inLine(wanted), inLine(path))
	err = a.agreeToAnother(path, before.Signer)
	return err == nil, err
}

// agreeToAnother asks whether the watch file of another signer is to be replaced. With
// --password-file nothing is asked, and it is not.
func (a *app) agreeToAnother(path string, other identity.Public) error {
	const hint = "name that signer's wallet with --path, or take another stick, or another folder of it"
	if a.passwordFile != "" {
		return cli.Fail(cli.Failed, fmt.Errorf("%s is of another signer and is left as it is", path), hint)
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, hint)
	}
	defer tty.close()
	a.tellFingerprint("the other signer", other)
	yes, err := tty.confirm("Is this to be another signer, whose watch file replaces that one?")
	if err == nil && !yes {
		err = cli.Fail(cli.Declined, fmt.Errorf("declined: %s is left as it is", path), hint)
	}
	return err
}

// setupWatch writes the watch file, unless the one that is there has the same. One
// of another signer is replaced where a person agreed to that.
func (a *app) setupWatch(w *opened, g answers) (string, error) {
	path := filepath.Join(g.stick, cli.WatchFile)
	id, err := w.Identity()
	if err != nil {
		return "", err
	}
	if a.watchIsCurrent(w, path) {
		a.step("there already: %s", inLine(path))
		a.tellFingerprint("this signer", id.Public())
		return filepath.Abs(path)
	}
	if err := a.folder(filepath.Dir(path)); err != nil {
		return "", cli.Fail(cli.Failed, err, "")
	}
	reply, err := a.writeWatch(w, path, func(other identity.Public) error {
		if g.another {
			return nil
		}
		return a.agreeToAnother(path, other)
	})
	if err == nil {
		a.step("wrote %s", inLine(path))
	}
	return reply.Watch, err
}

// watchIsCurrent reports whether a file is the watch file that would be written
// now, whenever it was made.
func (a *app) watchIsCurrent(w *opened, path string) bool {
	file, err := durable.ReadFile(a.fs, path, bundle.MaxFile)
	if err != nil {
		return false
	}
	before, err := bundle.OpenWatch(file)
	if err != nil || a.unsettled(w) != nil {
		return false
	}
	now, _, err := sealWatch(w, before.Created)
	return err == nil && bytes.Equal(now.File, file)
}
