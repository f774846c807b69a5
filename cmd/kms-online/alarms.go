package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

func (a *app) alarms() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "alarms",
		Short: "list what a person must look at",
		Long: `alarms lists the open alarms, oldest first: a table, or JSON with --json. An
alarm is raised for what only a person can judge, such as another txid at Tatum
than ours. It stays open until somebody deals with it, with acknowledge, or with
retry or reject of its item, whatever becomes of the item meanwhile. One whose
cause is gone says so, and stays open all the same.

Exit status: 3 while an alarm is open.`,
		Example: "  kms-online alarms\n  kms-online alarms --all --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				list, err := r.Alarms(ctx, all)
				if err != nil {
					return err
				}
				if err := a.showAlarms(list); err != nil {
					return err
				}
				open := 0
				for _, x := range list {
					if x.Open() {
						open++
					}
				}
				return part(open > 0)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that somebody has dealt with")
	return cmd
}

func (a *app) showAlarms(list []online.Alarm) error {
	for i := range list {
		list[i].Reason, list[i].Why = cli.Printable(list[i].Reason), cli.Printable(list[i].Why)
	}
	if a.json {
		return a.JSON(list)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ALARM\tITEM\tCODE\tRAISED\tSTATE\tREASON")
	for _, x := range list {
		item := x.Item
		if item == "" {
			item = "-"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", x.ID, item, x.Code, x.Raised, stateOf(x), strings.ReplaceAll(a.typed(x.Reason), "\n", " "))
	}
	return w.Flush()
}

// stateOf describes an alarm: that it is open, or who closed it and why.
func stateOf(x online.Alarm) string {
	switch {
	case !x.Open() && x.Why != "":
		return cli.Printable("closed by " + x.By + ", " + x.Why)
	case !x.Open():
		return cli.Printable("closed by " + x.By)
	case x.Healed != "":
		return "open, cause gone"
	}
	return "open"
}

// acknowledgeReply is what acknowledge prints.
type acknowledgeReply struct {
	Acknowledged []int64 `json:"acknowledged"`
	Before       []int64 `json:"closedBefore,omitempty"` // closed already; who did it, and why, is kept
	Open         int     `json:"open"`                   // alarms that are left
}

func (a *app) acknowledge() *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "acknowledge ALARM… --why TEXT",
		Short: "close alarms that a person has dealt with",
		Long: `acknowledge closes alarms by their numbers, as "alarms" lists them. Who did it,
when, and why stay in the journal. It changes no item. One that is closed already
stays as it is.

Exit status: 3 where one was closed already.`,
		Example: `  kms-online acknowledge 3 4 --why 'second KMS stopped, key moved'`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.TrimSpace(why) == "" {
				return cli.Fail(cli.Usage, errors.New("acknowledge needs a reason"), "such as: --why 'second KMS stopped, key moved'")
			}
			var ids []int64
			for _, arg := range args {
				id, err := strconv.ParseInt(arg, 10, 64)
				if err != nil || id < 1 {
					return cli.Fail(cli.Usage, fmt.Errorf("%.40q is not the number of an alarm", arg), "kms-online alarms lists them")
				}
				ids = append(ids, id)
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				before, err := r.Acknowledge(ctx, ids, person(), why)
				if err != nil {
					return err
				}
				reply := a.acknowledged(ids, before)
				notices, err := r.Notices(ctx)
				if err != nil {
					return err
				}
				for _, n := range notices.Alarms {
					reply.Open += n
				}
				if err := a.JSON(reply); err != nil {
					return err
				}
				return part(len(before) > 0)
			})
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "what was found and done, for the journal")
	return cmd
}

// acknowledged tells people which of the alarms were closed before, and returns the
// reply.
func (a *app) acknowledged(ids []int64, before []online.Alarm) acknowledgeReply {
	reply := acknowledgeReply{Acknowledged: []int64{}}
	for _, x := range before {
		a.say("alarm %d was closed already, at %s by %s (%s): that stays, and your reason is not kept",
			x.ID, x.Acknowledged, x.By, cmp.Or(x.Why, "no reason given"))
		reply.Before = append(reply.Before, x.ID)
	}
	for _, id := range ids {
		if !slices.Contains(reply.Before, id) {
			reply.Acknowledged = append(reply.Acknowledged, id)
		}
	}
	return reply
}

// person is who runs this program, as the system knows them.
func person() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// sayAlarms shows open alarms on stderr, the oldest ones in full.
func (a *app) sayAlarms(ctx context.Context, r *online.Relay) (open int, err error) {
	list, err := r.Alarms(ctx, false)
	if err != nil {
		return 0, err
	}
	for _, x := range list[:min(len(list), maxSaidAlarms)] {
		a.say("alarm %d: %s: %s", x.ID, strings.TrimSpace(x.Item+" "+string(x.Code)), x.Reason)
	}
	if len(list) > 0 {
		a.say("%d open alarms; see: kms-online alarms", len(list))
	}
	return len(list), nil
}

// maxSaidAlarms is how many alarms status shows in full.
const maxSaidAlarms = 10
