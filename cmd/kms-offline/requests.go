package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/shared/bundle"
	"coldkms/shared/psbt"
)

// requestEnding is how request files are called.
const requestEnding = ".kmsreq"

// readRequests reads each IN whole, once: all that follows works on these
// bytes, whatever becomes of the stick. A folder stands for the requests in
// it.
func (a *app) readRequests(args []string) ([][]byte, error) {
	paths, err := a.requestPaths(args)
	if err != nil {
		return nil, err
	}
	files := make([][]byte, len(paths))
	for i, path := range paths {
		if files[i], err = a.read(path, bundle.MaxFile); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (a *app) requestPaths(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := a.fs.Stat(arg)
		if err != nil {
			return nil, cli.Fail(cli.Failed, err, "")
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		entries, err := a.fs.ReadDir(arg)
		if err != nil {
			return nil, cli.Fail(cli.Failed, err, "")
		}
		var found []string
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), requestEnding) && !strings.HasPrefix(e.Name(), ".") {
				found = append(found, filepath.Join(arg, e.Name()))
			}
		}
		if len(found) == 0 {
			return nil, cli.Fail(cli.Failed, fmt.Errorf("no *%s in %s", requestEnding, arg), "")
		}
		sort.Strings(found)
		paths = append(paths, found...)
	}
	return paths, nil
}

// bundleError gives a session's error its exit code and words on what to do.
func bundleError(err error) error {
	switch {
	case errors.Is(err, bundle.ErrKind):
		return cli.Fail(cli.BadBundle, err, "the signer reads requests (*.kmsreq) that kms-online export wrote")
	case errors.Is(err, bundle.ErrInvalid):
		return cli.Fail(cli.BadBundle, err, "export it again on the relay: kms-online export --out DIR")
	case errors.Is(err, psbt.ErrInvalid):
		return cli.Fail(cli.BadBundle, err, "have it written again by the program that made it, as PSBT of version 0")
	case errors.Is(err, offline.ErrWhichChain):
		return cli.Fail(cli.Usage, err, "say which it is for, such as: --chain BTC")
	case errors.Is(err, offline.ErrOtherRelay):
		return cli.Fail(cli.BadBundle, err, "if it is yours: kms-offline pair FILE.kmsid, and compare the words on both screens")
	case errors.Is(err, offline.ErrOtherSigner):
		return cli.Fail(cli.BadBundle, err, "it was exported for another signer: use that one's wallet, or pair the relay with this one")
	case errors.Is(err, offline.ErrNotReviewed):
		return cli.Fail(cli.Refused, err, "review it first: kms-offline review FILE")
	case errors.Is(err, offline.ErrRolledBack):
		return cli.Fail(cli.Refused, err, "put the newest copy of the ledger and its mark back beside the wallet. If there is none: kms-offline ledger accept FILE, and read docs/OPERATIONS.md first")
	}
	return ledgerError(err)
}

func ledgerError(err error) error {
	switch {
	case errors.Is(err, ledger.ErrDamaged), errors.Is(err, ledger.ErrRollback):
		return cli.Fail(cli.Refused, err, "nothing is signed without the ledger: put the newest copy back; docs/OPERATIONS.md has the drill")
	}
	return err
}
