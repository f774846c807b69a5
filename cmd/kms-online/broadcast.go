package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
)

func (a *app) broadcast() *cobra.Command {
	return &cobra.Command{
		Use:   "broadcast [ID…]",
		Short: "send what is signed, and mark it as complete at Tatum",
		Long: `broadcast sends every signed transaction, or those named, and marks them as
complete. Before anything is sent, Tatum and the chain are asked for it: what
is there is not sent again, and after a lost reply only the txid decides.`,
		Example: `  kms-online broadcast
  kms-online broadcast 6a1f0e9d3c5b7a8899001122`,
		RunE: func(_ *cobra.Command, args []string) error {
			o := online.BroadcastOptions{Network: a.only(), IDs: trimmed(args)}
			return a.relay(withTatum, func(ctx context.Context, r *online.Relay) error {
				if err := known(ctx, r, o.IDs); err != nil {
					return err
				}
				got, err := r.Broadcast(ctx, o)
				if err != nil && len(got.Broadcast)+len(got.Completed)+len(got.Ended) == 0 {
					return err
				}
				clean(got.Problems)
				if perr := a.JSON(got); perr != nil || err != nil {
					return first(partly(err), perr)
				}
				return part(len(got.Problems) > 0)
			})
		},
	}
}

// partly is the end of a command that has done a part of its work, where Tatum failed
// for the rest.
func partly(err error) error {
	var told *cli.Error
	if err = explain(err); errors.As(err, &told) && !errors.Is(err, journal.ErrAway) &&
		(told.Code == cli.Network || tatum.IsAuth(err)) {
		return cli.Fail(cli.Part, told.Err, told.Hint)
	}
	return err
}
