package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// findBtcd looks for the node where the flag says, beside this program, in
// PATH, and builds it from the module's own pinned version otherwise.
func findBtcd(ctx context.Context, o serveOptions) (string, error) {
	if o.btcd != "" {
		if _, err := exec.LookPath(o.btcd); err != nil {
			return "", fmt.Errorf("btcd: %w", err)
		}
		return o.btcd, nil
	}
	name := "btcd"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if _, err := exec.LookPath(beside); err == nil {
			return beside, nil
		}
	}
	if inPath, err := exec.LookPath(name); err == nil {
		return inPath, nil
	}
	built := filepath.Join(o.state, "bin", name)
	if err := buildBtcd(ctx, built); err != nil {
		if _, missing := os.Stat(built); missing == nil {
			return built, nil // of an earlier run
		}
		return "", err
	}
	return built, nil
}

// buildBtcd needs the Go toolchain and this module around it. Without cgo,
// btcd looks for its home folder where it is told to and not in passwd.
func buildBtcd(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("build btcd: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", abs, "github.com/btcsuite/btcd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	words, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("btcd is not beside this program and not in PATH, and there is no Go to build it with")
	}
	if err != nil {
		return fmt.Errorf("build btcd: %w: %.300q", err, words)
	}
	return nil
}
