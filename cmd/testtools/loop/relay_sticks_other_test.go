//go:build unix && !linux

package loop

import "testing"

func realSticks(t *testing.T) { t.Skip("the images are mounted on Linux only") }

func fullAndProtected(t *testing.T) { realSticks(t) }

func pulledOut(t *testing.T) { realSticks(t) }
