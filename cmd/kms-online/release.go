package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

// releaseReply is what release prints.
type releaseReply struct {
	Waiting  []online.Status `json:"waiting,omitempty"`  // without a release nothing of this is sent
	List     string          `json:"list,omitempty"`     // the name of Waiting, for --list
	Released []string        `json:"released,omitempty"` // pending ids
}

func (a *app) release() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "release [ID… | --list NAME]",
		Short: "list what a restored journal does not send by itself, and have it sent",
		Long: `release lists what waits for your word after a restore. A restored journal does not
know what you decided after the backup was made: a payment that it has as wanted may
have been rejected since, and paid in another way, and what Tatum lists may be old. So
nothing that was there before the restore, or has a pending id that was made less than a
day after it, is sent before you have released it. Compare the list with what you know,
reject what is not to be paid, and then type the command that is named, which releases
exactly the items that were listed, or release items by their ids. Items that are
withheld are not listed: see status, retry and reject.

Exit status: 3 while something waits.`,
		Example: `  kms-online release
  kms-online release --list 3f2a91c07be4d815
  kms-online release 6501e4a1d2f3b4c5d6e7f809`,
		RunE: func(_ *cobra.Command, args []string) error {
			ids := trimmed(args)
			if name != "" && len(ids) > 0 {
				return cli.Fail(cli.Usage, errors.New("release takes ids or --list, not both"),
					"kms-online release lists what waits")
			}
			if name == "" && len(ids) == 0 {
				return a.relay(looking, a.showUnreleased)
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) (err error) {
				if name != "" {
					ids, err = r.ReleaseAll(ctx, person(), a.only(), name)
				} else {
					err = r.Release(ctx, person(), a.only(), ids...)
				}
				if err != nil {
					return err
				}
				a.say("%d released; next: kms-online export --out DIR for what is not signed yet, "+
					"kms-online broadcast for what is", len(ids))
				return a.JSON(releaseReply{Released: ids})
			})
		},
	}
	cmd.Flags().StringVar(&name, "list", "", "release the items of this list, as release names it")
	return cmd
}

func (a *app) showUnreleased(ctx context.Context, r *online.Relay) error {
	list, name, err := r.Unreleased(ctx, a.only())
	if err != nil {
		return err
	}
	cleanItems(list)
	if len(list) == 0 {
		a.say("nothing waits for a release")
	} else {
		a.say("%d payments wait for a release. To have exactly these sent, once you know "+
			"that none was given up and paid otherwise: kms-online release --list %s", len(list), name)
	}
	if a.json {
		err = a.JSON(releaseReply{Waiting: list, List: name})
	} else {
		err = a.table(list)
	}
	return errors.Join(err, part(len(list) > 0))
}
