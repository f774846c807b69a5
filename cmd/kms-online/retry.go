package main

import (
	"context"

	"github.com/spf13/cobra"

	"coldkms/online"
	"coldkms/online/journal"
)

func (a *app) retry() *cobra.Command {
	var content string
	c := &cobra.Command{
		Use:     "retry ID [--content CONTENT]",
		Example: "  kms-online retry 6501e4a1d2f3b4c5d6e7f809\n  kms-online retry 6501e4a1d2f3b4c5d6e7f809 --content none",
		Short:   "let a refused, failed or withheld item start again",
		Long: `retry lets a refused item be prepared anew at the next fetch, and a failed one,
whose signed bytes are in the journal, be broadcast again as it is. An item whose
rejection was not carried out goes on. One that is signed and held, because Tatum
changed or dropped it, is sent all the same: your decision, which is on record and
closes its alarms. It is about what you have read: where Tatum has something else in
its place, --content names that, as the item's reason does (status ID), and a retry is
refused when Tatum has changed it since. One that was disarmed or rejected is only
held again: broadcast looks what Tatum has by now, and a second retry has it sent.
A no of the approval service stands; unveto lifts that.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				state, err := r.Retry(ctx, args[0], content)
				if err != nil {
					return err
				}
				next := "fetch"
				switch state {
				case journal.Signed:
					next = "broadcast"
				case journal.Prepared, journal.Exported:
					next = "export --out DIR"
				}
				list, err := r.Status(ctx, 0, args[0])
				if err != nil {
					return err
				}
				if s := list[0]; s.Withheld != "" && state != journal.Signed && state != journal.Fetched {
					next = "fetch (it goes on once Tatum lists it, and it is known not to be paid)"
				}
				a.say("next: kms-online %s", next)
				return a.JSON(stateReply{args[0], state})
			})
		},
	}
	c.Flags().StringVar(&content, "content", "",
		"what Tatum has in its place, as the item's reason names it: a digest, none or same")
	return c
}
