//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package main

import "errors"

// dropTyped cannot tell here what was typed before a question was asked, so
// no answer counts: review, then sign with --approve DIGEST.
func dropTyped(int) error {
	return errors.New("this system cannot forget what was typed before a question")
}
