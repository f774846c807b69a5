//go:build !linux

package harden

// takePages is not built for this system.
func takePages(int) (chunk []byte, locked bool) { return nil, false }
