// Package faultfs is a durable.FS that fails on purpose: the n-th operation,
// or everything from the n-th operation on, as if the process had died there.
// It also writes down what was asked of it, so that tests can check an order.
//
// It is support for tests; no program imports it.
package faultfs

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"coldkms/shared/durable"
)

// Mode is what happens at operation FailAt.
type Mode uint8

// The modes.
const (
	Once  Mode = iota // that one operation fails, later ones work
	Crash             // it and all after it fail: nothing can be cleaned up
	Short             // like Once, but a write takes half of its bytes first
)

// FS wraps another FS. Its zero value with a Base fails nothing and counts.
type FS struct {
	Base   durable.FS
	FailAt int   // 1 is the first operation; 0 none
	Mode   Mode  // what happens there
	Err    error // the error to give; nil: ENOSPC

	mu    sync.Mutex
	count int
	trace []string
}

// Each runs test once for every operation that a clean run makes, with that
// operation failing. make builds what one run needs on the given FS.
func Each(base durable.FS, mode Mode, err error, clean func(*FS) error, test func(n int, f *FS)) (int, error) {
	probe := &FS{Base: base}
	if err := clean(probe); err != nil {
		return 0, fmt.Errorf("the clean run failed: %w", err)
	}
	for n := 1; n <= probe.Count(); n++ {
		test(n, &FS{Base: base, FailAt: n, Mode: mode, Err: err})
	}
	return probe.Count(), nil
}

// Count is the number of operations so far.
func (f *FS) Count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Trace is what was asked for, in order: "rename wallet" and so on, with the
// last part of each path.
func (f *FS) Trace() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.trace...)
}

// step counts one operation and reports whether it fails.
func (f *FS) step(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	f.trace = append(f.trace, op+" "+filepath.Base(name))
	if f.FailAt == 0 || f.count < f.FailAt || (f.count > f.FailAt && f.Mode != Crash) {
		return nil
	}
	err := f.Err
	if err == nil {
		err = syscall.ENOSPC
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OpenFile implements durable.FS.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	if err := f.step("open", name); err != nil {
		return nil, err
	}
	file, err := f.Base.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f, name: name}, nil
}

// Lstat implements durable.FS.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	if err := f.step("lstat", name); err != nil {
		return nil, err
	}
	return f.Base.Lstat(name)
}

// Stat implements durable.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	if err := f.step("stat", name); err != nil {
		return nil, err
	}
	return f.Base.Stat(name)
}

// Rename implements durable.FS.
func (f *FS) Rename(from, to string) error {
	if err := f.step("rename", to); err != nil {
		return err
	}
	return f.Base.Rename(from, to)
}

// RenameNew implements durable.FS.
func (f *FS) RenameNew(from, to string) error {
	if err := f.step("renamenew", to); err != nil {
		return err
	}
	return f.Base.RenameNew(from, to)
}

// Remove implements durable.FS.
func (f *FS) Remove(name string) error {
	if err := f.step("remove", name); err != nil {
		return err
	}
	return f.Base.Remove(name)
}

// Mkdir implements durable.FS.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	if err := f.step("mkdir", name); err != nil {
		return err
	}
	return f.Base.Mkdir(name, perm)
}

// SyncDir implements durable.FS.
func (f *FS) SyncDir(name string) error {
	if err := f.step("syncdir", name); err != nil {
		return err
	}
	return f.Base.SyncDir(name)
}

// ReadDir implements durable.FS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.step("readdir", name); err != nil {
		return nil, err
	}
	return f.Base.ReadDir(name)
}

// faultFile counts what is done to an open file.
type faultFile struct {
	durable.File
	fs   *FS
	name string
}

func (f *faultFile) Read(b []byte) (int, error) {
	if err := f.fs.step("read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(b)
}

func (f *faultFile) Write(b []byte) (int, error) {
	err := f.fs.step("write", f.name)
	if err == nil {
		return f.File.Write(b)
	}
	if f.fs.Mode == Short || f.fs.Mode == Crash {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return 0, err
}

func (f *faultFile) Stat() (fs.FileInfo, error) {
	if err := f.fs.step("fstat", f.name); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultFile) Sync() error {
	if err := f.fs.step("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.fs.step("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Lock() error {
	if err := f.fs.step("lock", f.name); err != nil {
		return err
	}
	return f.File.Lock()
}

// Close closes in any case: a failed close frees the descriptor, as on Linux.
func (f *faultFile) Close() error {
	err := f.fs.step("close", f.name)
	if closed := f.File.Close(); err == nil {
		err = closed
	}
	return err
}
