package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

func (a *app) payees() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "payees list | add NAME COIN ADDRESS | remove ADDRESS|NAME... | import FILE.csv",
		Short: "whom the policy knows: names, limits, how often they are paid",
		Long: `payees shows and changes the list of known destinations of the policy in force (its
field allow), without a file of the whole policy. What changes is shown line by line before
it is set, as with policy set. A CSV file names its columns in the first line: name, address,
coin, and if you like network, limit (of a batch, in units of the coin) and everyDays.
All addresses of one name are one payee.`,
		Example: `  kms-offline --path wallet.kms policy payees import staff.csv
  kms-offline --path wallet.kms policy payees add "Jane Doe" BTC bc1q… --limit 0.25 --every-days 30
  kms-offline --path wallet.kms policy payees remove "Jane Doe"
  kms-offline --path wallet.kms policy payees list`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		subcommand("list", "the known payees", "--path wallet.kms policy payees list", cobra.NoArgs,
			func([]string) error { return a.listPayees() }),
		a.addPayee(),
		subcommand("remove ADDRESS|NAME...", "take payees off the list",
			`--path wallet.kms policy payees remove "Jane Doe"`, cobra.MinimumNArgs(1),
			func(args []string) error { return a.changePayees(nil, args...) }),
		subcommand("import FILE.csv", "add those of a file, or change them; removes nobody",
			"--path wallet.kms policy payees import staff.csv", cobra.ExactArgs(1),
			func(args []string) error { return a.importPayees(args[0]) }),
	)
	return cmd
}

func (a *app) addPayee() *cobra.Command {
	var limit, network string
	var every int64
	cmd := &cobra.Command{
		Use:   "add NAME COIN ADDRESS",
		Short: "put a payee on the list, or change it",
		Example: `  kms-offline --path wallet.kms policy payees add "Jane Doe" BTC bc1q… --limit 0.25
  kms-offline --path wallet.kms policy payees add ACME LTC ltc1q… --every-days 30`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := policy.Payee{Name: args[0], Chain: args[1], Network: network, Address: args[2]}
			coin, ok := families().Coin(chain.Coin{Chain: chain.ID(p.Chain), Network: chain.NetworkNamed(network)})
			if !ok {
				err := fmt.Errorf("%.20q %.20q is not a coin and network that this program signs for", p.Chain, network)
				return cli.Fail(cli.Usage, err, "")
			}
			if limit != "" {
				sum, err := coin.Asset().Parse(limit)
				if err != nil {
					return cli.Fail(cli.Usage, fmt.Errorf("--limit %.40q: %w", limit, err),
						"write it in units of the coin, such as 0.25")
				}
				p.Limit = &sum
			}
			if cmd.Flags().Changed("every-days") {
				p.EveryDays = &every
			}
			return a.changePayees([]policy.Payee{p})
		},
	}
	cmd.Flags().StringVar(&limit, "limit", "", "what a batch may pay it at most, in units of the coin")
	cmd.Flags().StringVar(&network, "network", "mainnet", "mainnet or testnet")
	cmd.Flags().Int64Var(&every, "every-days", 0, "how often it is paid, in days")
	return cmd
}

func (a *app) importPayees(path string) error {
	raw, err := a.read(path, policy.MaxSize+1)
	if err != nil {
		return err
	}
	if len(raw) > policy.MaxSize {
		return cli.Fail(cli.Failed, fmt.Errorf("%s: it has more than %d bytes", path, policy.MaxSize),
			"import it in parts")
	}
	list, err := policy.ReadPayees(families(), bytes.NewReader(raw))
	if err != nil {
		return cli.Fail(cli.Failed, fmt.Errorf("%s: %w", path, err),
			"nothing was changed; kms-offline policy payees --help names the columns")
	}
	if len(list) == 0 {
		return cli.Fail(cli.Failed, fmt.Errorf("%s: it lists nobody", path), "nothing was changed")
	}
	return a.changePayees(list)
}

// changePayees sets the policy in force with other payees.
func (a *app) changePayees(add []policy.Payee, remove ...string) error {
	return a.changePolicy(func(before policy.Policy) (policy.Policy, error) {
		after, err := before.WithPayees(add, remove...)
		if errors.Is(err, policy.ErrNone) {
			return policy.Policy{}, cli.Fail(cli.Refused, err, "set one first: kms-offline policy set FILE")
		}
		if err != nil {
			return policy.Policy{}, cli.Fail(cli.Failed, err,
				"nothing was changed; kms-offline policy payees list shows who is known")
		}
		return after, nil
	})
}

func (a *app) listPayees() error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	p, err := a.policyInForce(w)
	if err != nil {
		return policyError(err)
	}
	list := p.Payees()
	if a.json {
		return a.JSON(struct {
			Payees []policy.Payee `json:"payees"`
		}{list})
	}
	lines := make([]string, len(list))
	for i, payee := range list {
		lines[i] = payee.String()
	}
	tell(a.Out, append(lines, chain.Count(len(list), "payee")))
	return nil
}
