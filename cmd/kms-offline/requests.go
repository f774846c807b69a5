package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/interop"
	"coldkms/offline/ledger"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/psbt"
)

// requestEnding is how request files are called.
const requestEnding = ".kmsreq"

// each reads one IN after the other, whole and once, and hands it on: all
// that follows works on these bytes, whatever becomes of the stick. What is
// wrong with one of several is said and does not stop the others; the error
// at the end has the exit code for all.
func (a *app) each(paths []string, do func(file []byte) error) error {
	var first error
	good := 0
	for _, path := range paths {
		file, err := a.read(path, bundle.MaxFile)
		if err == nil {
			err = do(file)
		}
		err = a.named(err, path)
		var stopped stopError
		switch {
		case err == nil:
			good++
		case len(paths) == 1:
			return oneLine(err)
		case errors.As(err, &stopped):
			return oneLine(fmt.Errorf("%s: %w", path, err))
		default:
			a.complain(path, err)
			if first == nil {
				first = err
			}
		}
	}
	switch {
	case first == nil:
		return nil
	case good > 0:
		return cli.Silent(cli.Part)
	}
	return cli.Silent(exitCode(first))
}

// fileCommand is a command of a hint about the file that is worked on.
var fileCommand = regexp.MustCompile(`(kms-offline (?:approve|review|sign|ledger accept) )FILE\b( --out DIR\b)?`)

// named has the commands in an error's hint name the file that the error is about,
// and the folder for the result, as they were given.
func (a *app) named(err error, path string) error {
	var known *cli.Error
	if !errors.As(err, &known) || !fileCommand.MatchString(known.Hint) {
		return err
	}
	hint := fileCommand.ReplaceAllStringFunc(known.Hint, func(command string) string {
		m := fileCommand.FindStringSubmatch(command)
		if m[2] != "" && a.out != "" {
			m[2] = " --out " + word(a.out)
		}
		return m[1] + word(path) + m[2]
	})
	return cli.Fail(known.Code, err, hint)
}

// complain says what is wrong with one of several files.
func (a *app) complain(path string, err error) {
	fmt.Fprintf(a.Err, "kms-offline: %s: %s\n", inLine(path), inLine(err.Error()))
	var known *cli.Error
	if errors.As(err, &known) && known.Hint != "" {
		fmt.Fprintln(a.Err, cli.Printable(a.typed(known.Hint)))
	}
}

func exitCode(err error) int {
	var known *cli.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return cli.Failed
}

// stopError stops the others too: it is about more than one file.
type stopError struct{ error }

func (e stopError) Unwrap() error { return e.error }

func stop(err error) error {
	if err == nil {
		return nil
	}
	return stopError{err}
}

// inLine makes a text fit for one line: a file's name may have a line feed,
// and what follows would look like a line of this program.
func inLine(s string) string { return strings.ReplaceAll(cli.Printable(s), "\n", `\u000a`) }

// word is a file's name as it is typed in a command, fit for a hint: quoted for
// the shell, no flag, and escaped as in inLine.
func word(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return inLine(cli.Quoted(path))
}

// oneLine does so with an error that may name a file.
func oneLine(err error) error {
	if err == nil || !strings.Contains(err.Error(), "\n") {
		return err
	}
	return lineError{err}
}

type lineError struct{ error }

func (e lineError) Error() string { return inLine(e.error.Error()) }
func (e lineError) Unwrap() error { return e.error }

// requestPaths returns the files that IN... stand for: a folder stands for the
// requests in it.
func (a *app) requestPaths(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := a.fs.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, oneLine(cli.Fail(cli.Failed, fmt.Errorf("there is no file or folder %s", arg),
				"is the stick in, and mounted?"))
		}
		if err != nil {
			return nil, oneLine(fromStick(err))
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		entries, err := a.fs.ReadDir(arg)
		if err != nil {
			return nil, oneLine(fromStick(err))
		}
		var found []string
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), requestEnding) && !strings.HasPrefix(e.Name(), ".") {
				found = append(found, filepath.Join(arg, e.Name()))
			}
		}
		if len(found) == 0 {
			err := fmt.Errorf("no *%s in %s", requestEnding, arg)
			return nil, oneLine(cli.Fail(cli.Failed, err,
				"name the folder that the relay exported to; pictures of QR symbols are read with --qr"))
		}
		sort.Strings(found)
		paths = append(paths, found...)
	}
	return paths, nil
}

// bundleError adds an exit code and a hint to a session's error.
func bundleError(err error) error {
	switch {
	case errors.Is(err, bundle.ErrWallet):
		return cli.Fail(cli.BadBundle, err,
			"only *.kmsreq, *.kmsres, *.kmswatch, *.kmsid and *.kmsapproval cross; a wallet that was on a stick is as safe as its password")
	case errors.Is(err, bundle.ErrKind):
		return cli.Fail(cli.BadBundle, err, "the signer reads requests (*.kmsreq) that kms-online export wrote")
	case errors.Is(err, bundle.ErrInvalid):
		return cli.Fail(cli.BadBundle, err, "export it again on the relay: kms-online export --out DIR")
	case errors.Is(err, psbt.ErrInvalid):
		return cli.Fail(cli.BadBundle, err, "have it written again by the program that made it: "+
			"version 0 (BIP 174) and version 2 (BIP 370) are read, in binary, base64 or hex")
	case errors.Is(err, interop.ErrWhichChain):
		return cli.Fail(cli.Usage, err, "say which it is for, such as: --chain BTC")
	case errors.Is(err, offline.ErrOtherRelay):
		return cli.Fail(cli.BadBundle, err,
			"if it is yours: kms-offline pair FILE.kmsid, and compare the words on both screens")
	case errors.Is(err, offline.ErrOtherSigner):
		return cli.Fail(cli.BadBundle, err,
			"take it to that signer, or name its wallet with --path; "+
				"for this signer export with a relay of its own: kms-online --state DIR init, then pair the two")
	case errors.Is(err, offline.ErrNotReviewed):
		return cli.Fail(cli.Refused, err, "review it first: kms-offline review FILE")
	case errors.Is(err, offline.ErrRolledBack):
		return cli.Fail(cli.Refused, err,
			"put the newest copy of the ledger and its mark back beside the wallet. If there is none: kms-offline ledger accept FILE, and read docs/OPERATIONS.md first")
	}
	return ledgerError(err)
}

func ledgerError(err error) error {
	switch {
	case errors.Is(err, offline.ErrUnsettled):
		return cli.Fail(cli.Refused, err,
			"nothing is signed, and the wallet is not written, until a person settles it: put the newest files back, or read docs/OPERATIONS.md and type kms-offline ledger settle")
	case errors.Is(err, ledger.ErrVersion):
		return cli.Fail(cli.Refused, err,
			"nothing is signed before a person has upgraded it: kms-offline ledger upgrade")
	case errors.Is(err, durable.ErrLocked):
		return cli.Fail(cli.Locked, err, "wait until the other kms-offline has ended")
	case errors.Is(err, durable.ErrReplaced):
		return cli.Fail(cli.Refused, err,
			"nothing was recorded: find out who moved the ledger, and look at both with kms-offline ledger verify")
	case errors.Is(err, durable.ErrInsecure):
		return cli.Fail(cli.Refused, err, "nothing is signed: whoever may write there may have changed it")
	case errors.Is(err, ledger.ErrDamaged), errors.Is(err, ledger.ErrRollback):
		return cli.Fail(cli.Refused, err,
			"nothing is signed without the ledger: put the newest copy back; docs/OPERATIONS.md has the drill")
	}
	return err
}
