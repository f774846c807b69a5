package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// A daemon moves the last file of a folder away, and the folder is empty: no stick was
// pulled out. Nor is there one where the folder is gone.
func TestMovedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kmsres")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listed, err := online.Files(durable.OS{}, dir)
	if err != nil || len(listed) != 1 {
		t.Fatal(listed, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	a := &app{Streams: cli.Streams{Err: &said}, fs: durable.OS{}, typed: func(s string) string { return s }}
	err = a.vanished(listed[0], fs.ErrNotExist)
	if err != nil || !strings.Contains(said.String(), "something else has moved it") {
		t.Errorf("%v: %s", err, said.String())
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := a.vanished(listed[0], fs.ErrNotExist); !errors.Is(err, file.ErrGone) {
		t.Error(err)
	}
}
