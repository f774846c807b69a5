package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/shared/chain"
)

// confirmationsHelp describes --confirmations.
const confirmationsHelp = "confirmations until which what was sent is watched, for all chains or some, such as 6 or BTC=6,LTC=12 (default BTC=6,LTC=12,DOGE=40,BCH=10)"

func (a *app) watch() *cobra.Command {
	var confirmations []string
	cmd := &cobra.Command{
		Use:   "watch [ID…]",
		Short: "look how deep in the chain what was sent is",
		Long: `watch looks how deep in the chain every transaction is that was sent, also after
it was completed, until it has as many confirmations as are demanded. With ids it
looks at those, however deep they were. What the network dropped is sent again, the
same bytes. What was declared dead and is there after all goes on by itself. What a
person must know of is an alarm: kms-online alarms.

A look costs 3 to 14 credits a transaction. A daemon does the same by itself.

Exit status: 3 if an item has a problem or goes on though it was failed (healed), or while an item
that was asked for (with no ids: any item, or the relay as a whole) has an open alarm.`,
		Example: "  kms-online watch\n  kms-online watch --confirmations BTC=3,LTC=6",
		RunE: func(_ *cobra.Command, args []string) error {
			depths, none, err := a.depthsOf(confirmations)
			if err == nil && none {
				err = cli.Fail(cli.Usage, errors.New("--confirmations 0 leaves nothing to watch"), "such as: kms-online watch --confirmations 6; 0 is for a daemon that is not to watch")
			}
			if err != nil {
				return err
			}
			o := online.WatchOptions{Network: a.only(), IDs: trimmed(args)}
			return a.relay(withTatum, func(ctx context.Context, r *online.Relay) error {
				if err := known(ctx, r, o.IDs); err != nil {
					return err
				}
				r.Depths = depths
				got, err := r.Watch(ctx, o)
				if err != nil && len(got.Confirmed)+len(got.Healed) == 0 {
					return err
				}
				clean(got.Problems)
				if perr := a.JSON(got); perr != nil || err != nil {
					return first(err, perr)
				}
				alarm, err := r.HasAlarm(ctx, o)
				if err != nil {
					return err
				}
				return part(alarm || len(got.Problems)+len(got.Healed) > 0)
			})
		},
	}
	cmd.Flags().StringSliceVar(&confirmations, "confirmations", nil, confirmationsHelp)
	return cmd
}

// depthsOf reads --confirmations. none says that 0 was asked for: nothing is
// watched.
func (a *app) depthsOf(words []string) (depths online.Depths, none bool, err error) {
	depths = online.DefaultDepths(a.families)
	for _, word := range trimmed(words) {
		name, number, one := strings.Cut(word, "=")
		if !one {
			name, number = "", word
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > maxConfirmations || n == 0 && (one || len(words) > 1) {
			return nil, false, cli.Fail(cli.Usage, fmt.Errorf("--confirmations %.40q is no number from 1 to %d", word, maxConfirmations), "such as: --confirmations 6, or --confirmations BTC=6,LTC=12")
		}
		if !one {
			if len(words) > 1 {
				return nil, false, cli.Fail(cli.Usage, errors.New("--confirmations has a number for all chains and something else"), "such as: --confirmations 6, or --confirmations BTC=6,LTC=12")
			}
			for id := range depths {
				depths[id] = n
			}
			return depths, n == 0, nil
		}
		id, err := chain.ParseID(name)
		if err != nil {
			return nil, false, cli.Fail(cli.Usage, err, "")
		}
		depths[id] = n
	}
	return depths, false, nil
}

// maxConfirmations is more than anybody waits for.
const maxConfirmations = 100_000
