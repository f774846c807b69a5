package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/daemon"
)

// checkReply is what checkconfig prints. No part of the key is in it.
type checkReply struct {
	State  string `json:"state"`
	APIURL string `json:"apiUrl"`
	APIKey string `json:"apiKey"` // "set" or "missing"
	online.Check
	Keys          []keyCheck    `json:"keys"`
	Confirmations online.Depths `json:"confirmations"` // until which what was sent is watched, unless --confirmations says otherwise
	Budgets       []string      `json:"budgets,omitempty"`
	Rate          int           `json:"rate,omitempty"` // calls a second
	Settings      []cli.Setting `json:"settings"`       // flags that a configuration file may have
}

// keyCheck is how an API key is.
type keyCheck struct {
	Name    string `json:"name"` // as in the file, "default" for the only one
	Network string `json:"network"`
	Tatum   string `json:"tatum"` // "ok", or what is wrong with it
}

// checkKeys asks Tatum with each API key, but for the first one: first is how that
// one is.
func checkKeys(ctx context.Context, keys []daemon.Key, first string) (list []keyCheck, bad int) {
	list = []keyCheck{}
	for i, k := range keys {
		c := keyCheck{Name: k.Name, Network: k.Network.String(), Tatum: "ok"}
		if c.Name == "" {
			c.Name = "default"
		}
		if i == 0 {
			c.Tatum = first
		} else if err := k.Client.Ping(ctx); err != nil {
			c.Tatum = cli.Printable(err.Error())
		}
		if c.Tatum != "ok" {
			bad++
		}
		list = append(list, c)
	}
	return list, bad
}

func (a *app) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "checkconfig",
		Short: "look at everything that the relay needs",
		Long: `checkconfig shows as JSON what the relay would work with: its identity and the
paired signer, the journal, each API key by its name and whether Tatum accepts it,
the approval service, open alarms, budgets, and the confirmations until which what
was sent is watched. No part of a secret is shown.

Exit status: 1 the relay is not ready, 30 Tatum cannot be used with each key.`,
		Example: "  kms-online checkconfig --api-key-file /etc/kms-online/api-keys",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			reply := checkReply{State: dir, APIURL: settings.url, APIKey: "set", Settings: a.config.Settings(cmd)}
			if len(keys) == 0 {
				reply.APIKey = "missing"
			}
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				var healthy, reachable bool
				reply.Check, healthy, reachable = r.Check(ctx)
				reply.Tatum = cli.Printable(reply.Tatum)
				var bad int
				reply.Keys, bad = checkKeys(ctx, keys, reply.Tatum)
				reply.Confirmations, reply.Budgets, reply.Rate = online.DefaultDepths(a.families), a.budgets, a.rate
				if err := a.JSON(reply); err != nil {
					return err
				}
				switch {
				case !healthy:
					return errors.New("this relay is not ready: see above")
				case !reachable && len(keys) < 2:
					return cli.Fail(cli.Network, fmt.Errorf("no use of Tatum: %s", reply.Tatum), "")
				case bad > 0:
					return cli.Fail(cli.Network, fmt.Errorf("no use of Tatum with %d of %d API keys: see above", bad, len(keys)), "the keys are named as in --api-key-file: mend or take out those that are not ok")
				}
				return nil
			})
		},
	}
}
