//go:build linux

package main

import "slices"

// processAttacks are about the terminal, the process and the file formats.
func processAttacks() []attack {
	return slices.Concat(typedAheadAttacks(), guardAttacks(), fileAttacks(), stickAttacks())
}
