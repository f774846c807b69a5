//go:build !linux

// Package sticks makes real file systems in images for tests, on Linux.
package sticks
