//go:build unix && !linux

package loop

import "testing"

func diskFull(t *testing.T) { t.Skip("a small disk is mounted on Linux only") }

func readyOnFullDisk(t *testing.T) { t.Skip("a small disk is mounted on Linux only") }

func fullAfterItIsDone(t *testing.T) { t.Skip("a small disk is mounted on Linux only") }
