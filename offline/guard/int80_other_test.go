//go:build linux && !amd64

package guard_test

func tryInt80() {}
