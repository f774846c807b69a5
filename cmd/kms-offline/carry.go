package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// carry writes what leaves this machine, on a stick as a rule: whole or not at
// all, over nothing that is there, and read back from the medium rather than
// from the system's memory.
func (a *app) carry(path string, data []byte) error {
	_, err := file.Of(a.fs, path).Put(filepath.Base(path), data)
	return err
}

// heading returns an error unless there is a folder to write into, or one to
// make it in, and remembers what it is on, before a person takes the time to
// review.
func (a *app) heading(dir string) error {
	if err := a.makeable(dir); err != nil {
		return err
	}
	a.medium = file.MediumOf(a.fs, dir)
	return nil
}

// makeable returns an error unless there is a folder, or the one above it, and
// it can be written into.
func (a *app) makeable(dir string) error {
	if _, err := a.fs.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		dir = filepath.Dir(filepath.Clean(dir))
	}
	return a.writable(dir)
}

// writable returns an error unless there is a folder, and it can be written into.
func (a *app) writable(dir string) error {
	if err := a.hasFolder(dir); err != nil {
		return err
	}
	if err := a.takesFile(dir); errors.Is(err, file.ErrGone) {
		return fromStick(fmt.Errorf("folder %s: %w", dir, err))
	} else if err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("folder %s cannot be written into, and nothing was done yet: %w", dir, err),
			"make room on it, take its write protection off, or name another folder; then run the same command again")
	}
	return nil
}

// probe is what a file to try a folder with is called. Nothing reads a name that
// begins and ends so.
const probe = ".coldkms-probe.part"

// takesFile writes a block into a folder and removes it again: a medium that is
// full or write-protected shows that by nothing else.
func (a *app) takesFile(dir string) error {
	path := filepath.Join(dir, probe)
	make4K := func() error {
		f, err := a.fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, durable.PermFile)
		if err != nil {
			return err
		}
		_, err = f.Write(make([]byte, 4096))
		if err == nil {
			err = f.Sync()
		}
		return errors.Join(err, f.Close(), a.fs.Remove(path))
	}
	err := make4K()
	if errors.Is(err, fs.ErrExist) { // of a run that was cut short
		if err = a.fs.Remove(path); err == nil {
			err = make4K()
		}
	}
	var at *fs.PathError
	if errors.As(err, &at) { // whose path is nobody's
		err = at.Err
	}
	if errors.Is(err, fs.ErrNotExist) { // it was there a moment ago
		return fmt.Errorf("%w: %w", file.ErrGone, err)
	}
	return file.Reading(err)
}

// folder makes a folder for output where there is none, and says so: one of a
// stick that is not mounted is on this machine's disk.
func (a *app) folder(dir string) error {
	if err := a.medium.Holds(a.fs, dir); err != nil {
		return err
	}
	if _, err := a.fs.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return a.hasFolder(dir)
	}
	if err := file.Reading(os.Mkdir(dir, durable.PermDir)); err != nil {
		return err
	}
	hint := ": if it is to be on a stick, that stick is not mounted"
	if a.ownFolder(dir) {
		hint = ", beside the wallet"
	}
	fmt.Fprintf(a.Err, "made the folder %s%s\n", inLine(dir), hint)
	return nil
}

// notCarried returns what to do where signatures did not get onto the stick.
func notCarried(err error, signed string) error {
	if err == nil {
		return nil
	}
	return cli.Fail(cli.Failed, err, "the ledger has the signatures on record: put the stick in again, or name another folder, and sign the same "+signed+" again: the bytes will be the same")
}

// fromStick returns what to do where something could not be read.
func fromStick(err error) error {
	hint := ""
	if err = file.Reading(err); errors.Is(err, file.ErrGone) {
		hint = "nothing is lost: put the stick in again, and run the same command again"
	}
	return cli.Fail(cli.Failed, err, hint)
}

// hasFolder returns an error where there is no folder to write into. None is
// made: one of a stick that is not mounted would be on this machine's disk.
func (a *app) hasFolder(dir string) error {
	info, err := a.fs.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cli.Fail(cli.Failed, fmt.Errorf("there is no folder %s", dir),
			"mount the stick that it is on, or make it with: mkdir -p "+word(dir)+"; then run the same command again")
	case err == nil && !info.IsDir():
		return cli.Fail(cli.Failed, fmt.Errorf("%s is no folder", dir), "name the folder to write into: --out DIR")
	case err != nil:
		return fromStick(err)
	}
	return nil
}
