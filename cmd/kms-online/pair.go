package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

// pairReply is what pair prints.
type pairReply struct {
	Fingerprint string `json:"fingerprint"` // the signer's
}

func (a *app) pair() *cobra.Command {
	var byQR bool
	cmd := &cobra.Command{
		Use:   "pair WATCHFILE | pair --qr [SOURCE]",
		Short: "accept a signer's watch file, the first or a newer one",
		Long: `pair accepts the watch file that kms-offline watch wrote: which signature ids
to fetch for, and by whose key results must be signed. A newer file of the same
signer takes the place of the older one. Another signer is refused: results of
the first may still be on their way, so it gets a state directory of its own.`,
		Args: cobra.MaximumNArgs(1),
		Example: `  kms-online pair /media/usb/signer.kmswatch
  kms-online pair --qr`,
		RunE: func(_ *cobra.Command, args []string) error {
			if byQR {
				path, err := a.scanTo(args)
				if err != nil {
					return err
				}
				args = []string{path}
			}
			if len(args) == 0 {
				return cli.Fail(cli.Usage, errors.New("WATCHFILE is missing"), "it is what kms-offline watch --out FILE wrote; or read it with --qr")
			}
			file, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				signer, err := r.Pair(ctx, file)
				if err != nil {
					return err
				}
				a.compare("the signer's", signer)
				return a.JSON(pairReply{signer.Fingerprint()})
			})
		},
	}
	cmd.Flags().BoolVar(&byQR, "qr", false, qrHelp)
	return cmd
}
