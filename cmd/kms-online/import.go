package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
)

func (a *app) imports() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE…|DIR",
		Short: "take signed results, and verify them",
		Long: `import takes results (*.kmsres), or all that are in a folder. Signatures are put
into the transactions of this relay's own journal and every script is run;
nothing else is taken from a result. The same result may be imported any number
of times.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var files []string
			for _, arg := range args {
				found, err := online.ResultFiles(a.fs, arg)
				if err != nil {
					return err
				}
				if len(found) == 0 {
					a.say("no *.kmsres in %s", arg)
				}
				files = append(files, found...)
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				return a.importAll(ctx, r, files)
			})
		},
	}
}

// importAll takes every file. One that is bad does not stop the others; the
// first error decides the exit code.
func (a *app) importAll(ctx context.Context, r *online.Relay, files []string) error {
	report := online.Imported{Problems: []online.Problem{}}
	var failed error
	good := 0
	for _, path := range files {
		file, err := durable.ReadFile(a.fs, path, bundle.MaxFile)
		if errors.Is(err, durable.ErrTooLarge) {
			err = fmt.Errorf("%w: %w", bundle.ErrInvalid, err)
		}
		if err == nil {
			err = r.Import(ctx, file, &report)
		}
		if err == nil {
			good++
			continue
		}
		err = fmt.Errorf("%s: %w", path, err)
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
	return part(report.Refused > 0 || len(report.Problems) > 0)
}
