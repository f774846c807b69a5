package main

import (
	"path/filepath"

	"coldkms/shared/transport/file"
)

// carry writes what leaves this machine, on a stick as a rule: whole or not at
// all, over nothing that is there, and read back from the medium rather than
// from the system's memory.
func (a *app) carry(path string, data []byte) error {
	medium := file.On(filepath.Dir(path))
	medium.FS = a.fs
	_, err := medium.Put(filepath.Base(path), data)
	return err
}
