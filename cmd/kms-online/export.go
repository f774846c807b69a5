package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

func (a *app) export() *cobra.Command {
	var o online.ExportOptions
	cmd := &cobra.Command{
		Use:   "export --out DIR [ID…]",
		Short: "write one request for all that is prepared",
		Long: `export puts everything that is prepared, or the items named, into one request
for the signer and writes it into a folder such as a USB stick. Where nothing
is prepared, a request that still waits for its result is written again, the
same file: after a lost stick just run it again.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if o.Dir == "" || o.Max < 0 {
				return cli.Fail(cli.Usage, errors.New("export needs a folder"), "such as: kms-online export --out /media/usb")
			}
			o.IDs, o.Network = trimmed(args), a.only()
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				if err := known(ctx, r, o.IDs); err != nil {
					return err
				}
				got, err := r.Export(ctx, o)
				if err != nil {
					return err
				}
				for _, note := range got.Notes {
					a.say("%s", note)
				}
				if got.Request != nil {
					a.say("next, on the signer: kms-offline sign %s --out DIR", *got.Request)
				}
				clean(got.Problems)
				if err := a.JSON(got); err != nil {
					return err
				}
				return part(len(got.Problems) > 0)
			})
		},
	}
	cmd.Flags().StringVar(&o.Dir, "out", "", "folder to write to")
	cmd.Flags().IntVar(&o.Max, "max", 0, "at most so many items, oldest first")
	cmd.Flags().BoolVar(&o.Again, "again", false, "also everything that was exported and has no result yet, in one new request")
	return cmd
}

// known refuses ids that are not in the journal.
func known(ctx context.Context, r *online.Relay, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := r.Status(ctx, 0, ids...)
	return err
}
