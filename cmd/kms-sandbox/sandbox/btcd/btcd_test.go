package btcd_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"coldkms/cmd/kms-sandbox/sandbox/btcd"
	"coldkms/cmd/testtools/sandboxtest"
)

const miner = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func start(t *testing.T, dir string) *btcd.Node {
	t.Helper()
	n, err := btcd.Start(context.Background(), sandboxtest.Btcd(t), dir, miner)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A node that outlived its parent is asked to stop by the next one. The chain
// is a new one then: btcd removes that of a regression test when it starts.
func TestOrphan(t *testing.T) {
	dir := t.TempDir()
	orphan := start(t, dir)
	if err := orphan.Mine(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	n := start(t, dir)
	<-orphan.Ended()
	tip, err := n.Tip(context.Background())
	if err != nil || tip.Height != 0 {
		t.Errorf("height %d, want 0: %v", tip.Height, err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// The password is in a file for the user alone.
func TestConfMode(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "btcd.conf")
	if err := os.WriteFile(conf, nil, 0o644); err != nil { // left by something else
		t.Fatal(err)
	}
	n := start(t, dir)
	if info, err := os.Stat(conf); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if n, err := btcd.Start(ctx, sandboxtest.Btcd(t), t.TempDir(), miner); err == nil {
		t.Error("started all the same")
		n.Kill()
	}
}
