//go:build unix

package durable_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"coldkms/shared/durable"
)

const holdLock = "COLDKMS_TEST_HOLD_LOCK"

// TestMain makes this binary a second process that holds a lock.
func TestMain(m *testing.M) {
	path := os.Getenv(holdLock)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := durable.NewLock(path); err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("locked\n")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until killed
}

func TestLockAcrossProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdLock+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := durable.NewLock(path); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("while it is held: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	l, err := durable.NewLock(path)
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	if _, err := durable.NewLock(path); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("twice in one process: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if l, err = durable.NewLock(path); err != nil {
		t.Errorf("after Close: %v", err)
	} else {
		_ = l.Close()
	}
}

func TestLockRefusesLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "target"), link); err != nil {
		t.Skip(err)
	}
	if l, err := durable.NewLock(link); err == nil {
		_ = l.Close()
		t.Error("a link was followed")
	}
}
