package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status [ID…]",
		Short: "show where each pending transaction stands",
		Long: `status lists the journal, oldest first: a table, or JSON with --json. It works
beside a command that is running.

States: fetched, prepared, exported, signed, broadcast, completed; refused (by
the relay or the signer; see retry), rejected (see reject), failed (something
that a person must look at).`,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				list, err := r.Status(ctx, a.only(), trimmed(args)...)
				if err != nil {
					return err
				}
				for i := range list {
					list[i].Reason = cli.Printable(list[i].Reason)
				}
				if a.json {
					return a.JSON(list)
				}
				return a.table(list)
			})
		},
	}
}

func (a *app) table(list []online.Status) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCHAIN\tNETWORK\tSTATE\tUPDATED\tTXID\tWHY")
	for _, s := range list {
		txid := s.TxID
		if txid == "" {
			txid = "-"
		}
		why := strings.ReplaceAll(strings.TrimSpace(string(s.Code)+" "+s.Reason), "\n", " ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Chain, s.Network, s.State, s.Updated, txid, why)
	}
	return w.Flush()
}
