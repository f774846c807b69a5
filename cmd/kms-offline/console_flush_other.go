//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package main

import "errors"

// dropTyped fails here, so no answer counts: review, then sign with
// --approve DIGEST.
func dropTyped(int) error {
	return errors.New("not available on this system")
}
