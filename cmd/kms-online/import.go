package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	interoppsbt "coldkms/shared/interop/psbt"
	"coldkms/shared/transport/file"
)

func (a *app) imports() *cobra.Command {
	var byQR bool
	cmd := &cobra.Command{
		Use:   "import FILE…|DIR | import --qr [SOURCE]",
		Short: "take signed results, and verify them",
		Long: `import takes results (*.kmsres), or all that are in a folder. Signatures are put
into the transactions of this relay's own journal and every script is run;
nothing else is taken from a result. The same result may be imported any number
of times.

It also takes what another signer made of a PSBT that "export --psbt" wrote:
the signed or finalised PSBT (*.psbt), or the finished transaction (*.txn, or
any file, binary or hex). Of a folder those that are not signed, or not of this
relay, are passed over. The first valid signature of a transaction counts;
other bytes for it are refused.`,
		Example: `  kms-online import /media/usb
  kms-online import --qr`,
		RunE: func(_ *cobra.Command, args []string) error {
			if byQR {
				path, err := a.scanTo(args)
				if err != nil {
					return err
				}
				args = []string{path}
			}
			if len(args) == 0 {
				return cli.Fail(cli.Usage, errors.New("nothing to import is named"), "such as: kms-online import /media/usb, or kms-online import --qr")
			}
			var files []online.Incoming
			var folders []string
			for _, arg := range args {
				found, folder, err := a.incoming(arg)
				if err != nil {
					return err
				}
				if files = append(files, found...); folder {
					folders = append(folders, arg)
				}
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				err := a.importAll(ctx, r, files)
				return first(err, a.tidyAll(ctx, r, folders))
			})
		},
	}
	cmd.Flags().BoolVar(&byQR, "qr", false, qrHelp)
	return cmd
}

// incoming lists what may be imported at a path, and reports whether that is a
// folder.
func (a *app) incoming(path string) (files []online.Incoming, folder bool, err error) {
	const written = "the signer writes results with: kms-offline sign FILE.kmsreq --out DIR"
	files, err = online.Files(a.fs, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, cli.Fail(cli.Failed, err, "mount the stick that it is on, or look at its name (ls); "+written)
	}
	if err != nil {
		return nil, false, explain(err)
	}
	if len(files) == 0 {
		a.say("no *.kmsres, *.psbt or *.txn in %s; %s", path, written)
	}
	return files, len(files) == 0 || files[0].Listed, nil
}

// tidyAll tidies folders whose results were imported.
func (a *app) tidyAll(ctx context.Context, r *online.Relay, folders []string) error {
	if len(folders) == 0 {
		return nil
	}
	notes, err := r.Recall(ctx) // what is void by now
	for _, note := range notes {
		a.say("%s", note)
	}
	for _, dir := range folders {
		a.tidy(ctx, r, dir)
	}
	return err
}

// vanished returns the error for a listed file that is not there any more: its stick
// is gone, or it is a link to nothing. It returns nil if something else has moved it.
func (a *app) vanished(in online.Incoming, err error) error {
	dir := filepath.Dir(in.Path)
	entries, dirErr := a.fs.ReadDir(dir)
	if dirErr = errors.Join(dirErr, in.On.Holds(a.fs, dir)); dirErr != nil {
		return fmt.Errorf("%w: %w", file.ErrGone, errors.Join(err, dirErr))
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(in.Path) {
			return fmt.Errorf("a link to a file that is not there: remove it: %w", err)
		}
	}
	a.say("%s: something else has moved it meanwhile, such as the daemon: it is left out", in.Path)
	return nil
}

// importAll takes every file. One that is bad does not stop the others; the
// first error decides the exit code.
func (a *app) importAll(ctx context.Context, r *online.Relay, files []online.Incoming) error {
	report := online.Imported{Problems: []online.Problem{}}
	var failed error
	good := 0
	importer := r.Importer(&report, &interoppsbt.Format{})
	gone := make(map[string]bool) // folders of sticks that were pulled out
	for _, in := range files {
		if gone[filepath.Dir(in.Path)] {
			continue
		}
		r.Lost = func(digest bundle.Digest) [][]byte { return online.LostIn(a.fs, filepath.Dir(in.Path), digest) }
		data, err := a.readFile(in.Path)
		switch {
		case errors.Is(err, durable.ErrTooLarge):
			err = fmt.Errorf("%w: %w", bundle.ErrInvalid, err)
		case errors.Is(err, fs.ErrNotExist) && in.Listed:
			if err = a.vanished(in, err); err == nil {
				continue
			}
		case err != nil:
			err = file.Reading(err)
		}
		if err == nil {
			err = importer.File(ctx, in.Path, data, in.Listed)
		}
		if err == nil {
			good++
			continue
		}
		gone[filepath.Dir(in.Path)] = errors.Is(err, file.ErrGone)
		err = fmt.Errorf("%s: %w", in.Path, err)
		if failed != nil {
			a.say("%v", err)
			continue
		}
		failed = err
	}
	for _, note := range report.Notes {
		a.say("warning: %s", note)
	}
	if failed != nil && good == 0 {
		return failed
	}
	if report.Imported > 0 {
		a.say("next: kms-online broadcast")
	}
	clean(report.Problems)
	if err := a.JSON(report); err != nil || failed != nil {
		return first(failed, err)
	}
	open, err := a.sayAlarms(ctx, r)
	if err != nil {
		return err
	}
	return part(report.Refused > 0 || len(report.Problems) > 0 || open > 0)
}
