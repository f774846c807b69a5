package main

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// lying is a medium that keeps other bytes than it was given.
type lying struct{ durable.FS }

func (l lying) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	return lyingFile{f, name}, err
}

type lyingFile struct {
	durable.File
	name string
}

func (f lyingFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	kept, err := os.OpenFile(f.name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = kept.WriteAt([]byte{'X'}, 100)
	return errors.Join(err, kept.Sync(), kept.Close())
}

// What the signer writes for the way back is read again from the medium before
// it has its name.
func TestCarryReadsBack(t *testing.T) {
	path, data := t.TempDir()+"/a.kmsres", make([]byte, 10_000)
	a := &app{fs: lying{durable.OS{}}}
	if err := a.carry(path, data); !errors.Is(err, file.ErrTorn) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has its name: %v", err)
	}
	a.fs = durable.OS{}
	if err := a.carry(path, data); err != nil {
		t.Error(err)
	}
}
