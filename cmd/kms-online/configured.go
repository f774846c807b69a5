package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// configured are the flags that a configuration file may have. None is a secret,
// and none is what the journal remembers.
func configured() []string {
	return []string{"state", "dir", "testnet", "json", "api-url", "api-key-file", "env-file", "budget", "rate",
		"export.out", "export.max", "setup.stick",
		"daemon.drop", "daemon.chain", "daemon.confirmations", "daemon.period", "daemon.every", "daemon.max",
		"daemon.watch-every", "daemon.late-after", "daemon.listen", "daemon.log-json"}
}

// configChecks are what values of a configuration file have to be beyond the type of
// their flag. Every command asks them, so that a wrong line is found before a daemon is
// started anew with it.
func (a *app) configChecks() map[string]func([]string) error {
	return map[string]func([]string) error{
		"budget":               eachBudget,
		"rate":                 atLeast(0),
		"export.max":           atLeast(0),
		"daemon.max":           atLeast(0),
		"daemon.period":        atLeast(1),
		"daemon.listen":        listens,
		"daemon.chain":         eachChain,
		"daemon.confirmations": func(values []string) error { _, _, err := a.depthsOf(values); return err },
	}
}

func eachBudget(values []string) error {
	var errs []error
	for _, v := range values {
		_, err := tatum.ParseBudget(v)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func eachChain(values []string) error {
	var errs []error
	for _, v := range trimmed(values) {
		_, err := chain.ParseID(v)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func atLeast(least int64) func([]string) error {
	return func(values []string) error {
		n, err := strconv.ParseInt(values[0], 0, 64) // the flag has taken it
		if err != nil || n < least {
			return fmt.Errorf("%.60q is less than %d", values[0], least)
		}
		return nil
	}
}

func listens(values []string) error {
	if values[0] == "" {
		return nil
	}
	_, _, err := net.SplitHostPort(values[0])
	return err
}
