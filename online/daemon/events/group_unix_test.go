//go:build unix

package events_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/online/daemon/events"
)

// Children of a program whose time is up do not live on.
func TestCommandChildren(t *testing.T) {
	dir := t.TempDir()
	program, child := filepath.Join(dir, "hear"), filepath.Join(dir, "child")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nsleep 600 & echo $! > "+child+".part\nmv "+child+".part "+child+"\nwait\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(child); err == nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if err := (events.Command{Path: program, Env: []string{"PATH=" + os.Getenv("PATH")}}).Tell(ctx, event()); err == nil {
		t.Error("no error")
	}
	text, err := os.ReadFile(child)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("the child lives on")
}
