//go:build !linux

package btcd

import "os/exec"

// dieWithParent does nothing here: see stopOrphan.
func dieWithParent(*exec.Cmd) {}
