package main

import (
	"errors"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
)

// policyError gives a policy's error its exit code and words on what to do.
func policyError(err error) error {
	if errors.Is(err, offline.ErrPolicy) {
		return cli.Fail(cli.Refused, err, "nothing is signed without it: set it again with kms-offline policy set FILE")
	}
	return err
}

// isOffline says whether no network interface is up, as far as that can be told.
func (a *app) isOffline() bool {
	if a.online == nil {
		return false
	}
	up, known := a.online()
	return known && len(up) == 0
}
