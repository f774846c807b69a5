package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// stateReply says where an item stands now.
type stateReply struct {
	ID    string        `json:"id"`
	State journal.State `json:"state"`
}

func (a *app) reject() *cobra.Command {
	var why online.Rejection
	cmd := &cobra.Command{
		Use:     "reject ID --why TEXT",
		Example: "  kms-online reject 6501e4a1d2f3b4c5d6e7f809 --why 'wrong amount'",
		Short:   "drop a pending transaction, here and at Tatum",
		Long: `reject drops a pending transaction at Tatum; a withdrawal is cancelled and what
it took from the virtual account given back. What is signed is not dropped: a
copy of a signed transaction stays valid wherever it is. Only one that is held
(refused by the approval service, changed or dropped at Tatum) is disarmed: it
becomes failed and is not sent from here, though whoever has a copy of the result
can. It is watched all the same: paid-but-rejected is the alarm if it turns up.

What was handed to the network is not disarmed before evidence shows that it
cannot confirm: nothing is dropped at Tatum, and nothing given back.

Where Tatum does not know it under the API key of this relay, nothing is
rejected: the key may be another one than that which fetched it. It goes neither
to the signer nor to the network until reject works, or retry. If you have seen
at Tatum that it is gone, say --gone.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.TrimSpace(why.Why) == "" {
				return cli.Fail(cli.Usage, errors.New("reject needs a reason"), "such as: --why 'wrong amount'")
			}
			return a.relay(withTatum, func(ctx context.Context, r *online.Relay) error {
				exported, err := r.Reject(ctx, args[0], why)
				if err != nil {
					a.sayWished(context.WithoutCancel(ctx), r, args[0])
					return err
				}
				list, err := r.Status(ctx, 0, args[0])
				if err != nil {
					return err
				}
				if exported && list[0].TxID != "" {
					a.say("warning: %s is signed (%s): that transaction stays valid wherever a copy of the result "+
						"is; destroy the request and the result. It is not sent from here, and is watched: "+
						"paid-but-rejected is the alarm if it turns up", args[0], list[0].TxID)
				} else if exported {
					a.say("warning: %s was exported: if the signer has signed it already, that transaction stays "+
						"valid wherever a copy of the result is; destroy the request and its result. What else "+
						"that request holds, and is not signed, goes into a new one: kms-online export", args[0])
				}
				if list[0].Reason != why.Why { // what is known of it, as status shows it
					a.say("%s: %s", args[0], list[0].Reason)
				}
				return a.JSON(stateReply{args[0], list[0].State})
			})
		},
	}
	cmd.Flags().StringVar(&why.Why, "why", "", "the reason, for the journal")
	cmd.Flags().BoolVar(&why.Gone, "gone", false, "you have seen that Tatum does not have it any more")
	return cmd
}

// sayWished tells people if an item that could not be rejected is kept back for that
// wish.
func (a *app) sayWished(ctx context.Context, r *online.Relay, id string) {
	list, err := r.Status(ctx, 0, id)
	if err != nil || len(list) == 0 || list[0].State == journal.Rejected || list[0].State == journal.Failed {
		return
	}
	for _, code := range append([]chain.Code{list[0].Withheld}, list[0].Beside...) {
		if code == journal.Unwanted || code == journal.Dropping {
			a.say("%s is not rejected, and is withheld from now on (%s): it goes neither to the signer nor to the "+
				"network. Type reject again, or take the wish back: kms-online retry %s", id, code, id)
			return
		}
	}
}
