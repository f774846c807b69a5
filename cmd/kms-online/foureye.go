package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/approval"
	"coldkms/online/tatum"
)

// noService is the --external-url that takes the approval service away.
const noService = "none"

// fourEye makes the client of the approval service that the command line
// names, nil where it names none.
func (a *app) fourEye() (*approval.Client, error) {
	if a.externalURL == "" || a.externalURL == noService {
		if !strings.EqualFold(a.externalMethod, http.MethodGet) {
			return nil, cli.Fail(cli.Usage, errors.New("--externalUrlMethod without --externalUrl"), "")
		}
		return nil, nil
	}
	c, err := a.approvalClient(a.externalURL, a.externalMethod)
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "such as: --externalUrl https://approvals.example.com/check --externalUrlMethod POST")
	}
	return c, nil
}

func (a *app) approvalClient(url, method string) (*approval.Client, error) {
	return approval.New(approval.Config{URL: url, Method: method, Now: a.now, Sleep: tatum.Sleep, Secrets: &a.secrets})
}

// useService lets the relay ask the approval service of its state. One that the
// command line names becomes that: later commands ask it without being told.
func (a *app) useService(ctx context.Context, r *online.Relay) error {
	url, method, err := r.Service(ctx)
	if err != nil {
		return err
	}
	unsaid, err := r.ServiceUnsaid(ctx)
	if err != nil {
		return err
	}
	changed := false
	switch wanted := strings.ToUpper(a.externalMethod); {
	case a.externalURL == noService && url == "" && !unsaid:
		return nil
	case a.externalURL == noService:
		a.say("from now on this relay asks no approval service; what it refused stays refused (kms-online unveto lifts that)")
		return errors.Join(r.SetService(ctx, "", ""), a.sayVetoes(ctx, r))
	case a.externalURL != "" && (unsaid || a.externalURL != url || wanted != method):
		url, method = a.externalURL, wanted
		a.say("from now on this relay asks this approval service before export and before broadcast, also where --externalUrl is not given (--externalUrl none ends that)")
		if err := r.SetService(ctx, url, method); err != nil {
			return err
		}
		changed = true
	case url == "":
		return nil
	}
	if r.FourEye, err = a.approvalClient(url, method); err != nil {
		return fmt.Errorf("the approval service of this relay's state: %w", err)
	}
	if changed {
		return a.sayVetoes(ctx, r)
	}
	return nil
}

// sayVetoes says that what an earlier service refused stays refused.
func (a *app) sayVetoes(ctx context.Context, r *online.Relay) error {
	n, err := r.VetoesBut(ctx)
	if err == nil && n > 0 {
		a.say("another approval service said no to %d items, and that stands whatever this one says: only the yes of the one that said no lifts it, or kms-online unveto", n)
	}
	return err
}

func (a *app) unveto() *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:     "unveto ID --why TEXT",
		Example: "  kms-online unveto 6501e4a1d2f3b4c5d6e7f809 --why 'approved by phone, C. Meier'",
		Short:   "lift the approval service's no to a pending transaction",
		Long: `unveto lifts the approval service's no to one pending transaction, in your name
and with your reason on record: "report" shows both as liftedVeto. The service is not asked about it again, and its
approvers' statements do not travel with it: where the signer's policy demands
those, it still refuses.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.TrimSpace(why) == "" {
				return cli.Fail(cli.Usage, errors.New("unveto needs a reason"), "such as: --why 'approved by phone, C. Meier'")
			}
			return a.relay(onDisk, func(ctx context.Context, r *online.Relay) error {
				state, err := r.Unveto(ctx, args[0], person()+": "+strings.TrimSpace(why))
				if err != nil {
					return err
				}
				return a.JSON(stateReply{args[0], state})
			})
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "the reason, for the journal")
	return cmd
}
