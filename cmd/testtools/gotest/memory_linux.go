package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// memory is where Linux has files that are in memory.
const memory = "/dev/shm"

// room is what must be free there: tests write some hundred MB.
const room = 4 << 30

// files returns the environment for tests. Much of their time is spent waiting
// for fsync, so their temporary files are kept in memory where there is room and
// programs can be run, unless TMPDIR names a place.
func files(environment []string) []string {
	if os.Getenv("TMPDIR") != "" || !fits(memory) {
		return environment
	}
	return append(environment, "TMPDIR="+memory, "GOTMPDIR="+os.TempDir())
}

func fits(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return false
	}
	try, err := os.MkdirTemp(dir, "coldkms-try-")
	if err != nil {
		return false
	}
	defer os.RemoveAll(try)
	program := filepath.Join(try, "true")
	return os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700) == nil && exec.Command(program).Run() == nil
}
