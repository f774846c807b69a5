package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

// checkReply is what checkconfig prints. No part of the key is in it.
type checkReply struct {
	State  string `json:"state"`
	APIURL string `json:"apiUrl"`
	APIKey string `json:"apiKey"` // "set" or "missing"
	online.Check
}

func (a *app) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "checkconfig",
		Short: "look at everything that the relay needs",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.dir()
			if err != nil {
				return err
			}
			settings, err := a.settings()
			if err != nil {
				return err
			}
			keys, err := a.keys(nil)
			if err != nil {
				return explain(err)
			}
			reply := checkReply{State: dir, APIURL: settings.url, APIKey: "set"}
			if len(keys) == 0 {
				reply.APIKey = "missing"
			}
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				var healthy, reachable bool
				reply.Check, healthy, reachable = r.Check(ctx)
				reply.Tatum = cli.Printable(reply.Tatum)
				if err := a.JSON(reply); err != nil {
					return err
				}
				switch {
				case !healthy:
					return errors.New("this relay is not ready: see above")
				case !reachable:
					return cli.Fail(cli.Network, fmt.Errorf("no use of Tatum: %s", reply.Tatum), "")
				}
				return nil
			})
		},
	}
}
