//go:build linux && !amd64

package harden_test

func tryInt80() {}
