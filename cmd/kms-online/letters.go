package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

// letterReply is an event that was given up.
type letterReply struct {
	ID     string `json:"id"` // pending id, or "alarm" and its number
	Event  string `json:"event"`
	Tries  int    `json:"tries"`
	Last   string `json:"retried"` // the earliest time of the next delivery, had it not been given up; RFC 3339
	Reason string `json:"reason"`
}

// resentReply counts the events that are delivered again.
type resentReply struct {
	Resent int64 `json:"resent"`
}

func (a *app) letters() *cobra.Command {
	var resend bool
	cmd := &cobra.Command{
		Use:     "letters",
		Example: "  kms-online letters\n  kms-online letters --resend",
		Short:   "show the events that nobody heard and that were given up",
		Long: `letters lists the events that the daemon gave up: those that the receiver refused
ten times (HTTP 4xx), and those that did not reach anybody a hundred times, within
some days. With --resend the daemon tells all of them again.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			what := looking
			if resend {
				what = onDisk
			}
			return a.relay(what, func(ctx context.Context, r *online.Relay) error {
				if resend {
					n, err := r.Resend(ctx)
					if err != nil {
						return err
					}
					return a.JSON(resentReply{n})
				}
				return a.showLetters(ctx, r)
			})
		},
	}
	cmd.Flags().BoolVar(&resend, "resend", false, "have the daemon tell them again")
	return cmd
}

func (a *app) showLetters(ctx context.Context, r *online.Relay) error {
	dead, err := r.DeadLetters(ctx)
	if err != nil {
		return err
	}
	list := make([]letterReply, len(dead))
	for i, l := range dead {
		list[i] = letterReply{l.ID, l.Event, l.Tries, l.Retry.UTC().Format(time.RFC3339), cli.Printable(l.Reason)}
	}
	if a.json {
		return a.JSON(list)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tEVENT\tTRIES\tWHY")
	for _, l := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", l.ID, l.Event, l.Tries, l.Reason)
	}
	return w.Flush()
}
