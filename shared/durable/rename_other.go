//go:build unix && !linux && !darwin

package durable

func renameNew(from, to string) error { return linkNew(from, to) }
