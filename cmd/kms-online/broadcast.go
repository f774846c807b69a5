package main

import (
	"context"

	"github.com/spf13/cobra"

	"coldkms/online"
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
				if err != nil && len(got.Broadcast)+len(got.Completed) == 0 {
					return err
				}
				clean(got.Problems)
				if perr := a.JSON(got); perr != nil || err != nil {
					return first(err, perr)
				}
				return part(len(got.Problems) > 0)
			})
		},
	}
}
