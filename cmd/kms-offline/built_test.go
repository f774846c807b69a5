//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// builtEnv names the folder into which the tests build the program.
const builtEnv = "COLDKMS_OFFLINE_BIN"

// TestMain removes what the tests have built.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "coldkms-offline-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv(builtEnv, dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var (
	cheapBuild = sync.OnceValues(func() (string, error) { return buildProgram("cheap", "-tags", "coldkms_cheap_kdf") })
	realBuild  = sync.OnceValues(func() (string, error) { return buildProgram("real") })
)

// buildProgram builds the program into a folder of its own.
func buildProgram(name string, flags ...string) (string, error) {
	path := filepath.Join(os.Getenv(builtEnv), name, "kms-offline")
	build := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), ".")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// cheapProgram is the program with cheap passwords, built once for all tests.
func cheapProgram(t *testing.T) string { return programOf(t, cheapBuild) }

// realProgram is the program as people have it, built once for all tests.
func realProgram(t *testing.T) string { return programOf(t, realBuild) }

func programOf(t *testing.T, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
