package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
)

// clientCommand makes a command that is one call, whose reply it prints.
func clientCommand(s cli.Streams, cmd *cobra.Command, call func(c client, args []string) (json.RawMessage, error)) *cobra.Command {
	addClientFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := clientOf(cmd)
		if err != nil {
			return err
		}
		reply, err := call(c, args)
		if err != nil {
			return err
		}
		return s.JSON(reply)
	}
	return cmd
}

func faucetCommand(s cli.Streams) *cobra.Command {
	var unmined bool
	cmd := &cobra.Command{
		Use: "faucet ADDRESS AMOUNT", Args: cobra.ExactArgs(2),
		Short:   "pay test coins to an address, amount in coins, and mine a block",
		Example: "  kms-sandbox faucet bcrt1q… 0.5",
	}
	cmd.Flags().BoolVar(&unmined, "unmined", false, "leave the payment in the mempool")
	return clientCommand(s, cmd, func(c client, args []string) (json.RawMessage, error) {
		body := map[string]any{"address": args[0], "amount": args[1], "chain": c.chain, "mine": !unmined}
		return c.call(cmd.Context(), http.MethodPost, "/sandbox/faucet", body)
	})
}

func mineCommand(s cli.Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "mine [BLOCKS]", Args: cobra.MaximumNArgs(1), Short: "mine one block, or more",
		Example: "  kms-sandbox mine 6"}
	return clientCommand(s, cmd, func(c client, args []string) (json.RawMessage, error) {
		blocks := 1
		if len(args) > 0 {
			var err error
			if blocks, err = strconv.Atoi(args[0]); err != nil {
				return nil, cli.Fail(cli.Usage, fmt.Errorf("%.20q is not a number of blocks", args[0]), "")
			}
		}
		return c.call(cmd.Context(), http.MethodPost, "/sandbox/mine", map[string]any{"blocks": blocks, "chain": c.chain})
	})
}

func statusCommand(s cli.Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "status", Args: cobra.NoArgs, Short: "height, what is pending, what the faucet has",
		Example: "  kms-sandbox status"}
	return clientCommand(s, cmd, func(c client, _ []string) (json.RawMessage, error) {
		return c.call(cmd.Context(), http.MethodGet, "/sandbox/status", nil)
	})
}

func pendingCommand(s cli.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use: "pending [ID]", Args: cobra.MaximumNArgs(1),
		Short:   "what waits to be signed, or one pending transaction, with its txId once done",
		Example: "  kms-sandbox pending",
	}
	return clientCommand(s, cmd, func(c client, args []string) (json.RawMessage, error) {
		if len(args) == 1 {
			return c.call(cmd.Context(), http.MethodGet, "/v3/kms/"+url.PathEscape(args[0]), nil)
		}
		return c.call(cmd.Context(), http.MethodGet, "/v3/kms/pending/"+string(c.chain), nil)
	})
}

// payment is what pay asks for.
type payment struct {
	from, signatureID, fee, change string
	index                          int64
	to                             []string
}

func payCommand(s cli.Streams) *cobra.Command {
	p := payment{index: -1}
	cmd := &cobra.Command{
		Use: "pay", Args: cobra.NoArgs,
		Short:   "ask for a transaction, as the production environment would",
		Example: "  kms-sandbox pay --from bcrt1q… --signature-id ID --to bcrt1q…=0.25",
		Long: `Asks for a transaction that spends everything unspent of an address, and
prints the id of what is now pending. Without --fee and --change, what is not
paid out is the fee. The same by hand:

  curl -H "x-api-key: $TATUM_API_KEY" $TATUM_API_URL/v3/bitcoin/transaction \
    -d '{"fromAddress":[{"address":"…","signatureId":"…"}],"to":[{"address":"…","value":0.005}]}'`,
	}
	cmd.Flags().StringVar(&p.from, "from", "", "`address` to spend from")
	cmd.Flags().StringVar(&p.signatureID, "signature-id", "", "`id` of its key in the key management system")
	cmd.Flags().Int64Var(&p.index, "index", -1, "derivation index, if the id is a mnemonic's")
	cmd.Flags().StringArrayVar(&p.to, "to", nil, "`ADDRESS=AMOUNT` to pay, in coins; may be repeated")
	cmd.Flags().StringVar(&p.fee, "fee", "", "fee in coins; needs --change")
	cmd.Flags().StringVar(&p.change, "change", "", "`address` for the rest; needs --fee")
	for _, name := range []string{"from", "signature-id", "to"} {
		_ = cmd.MarkFlagRequired(name) // fails for names that are no flags
	}
	cmd.MarkFlagsRequiredTogether("fee", "change")
	return clientCommand(s, cmd, func(c client, _ []string) (json.RawMessage, error) {
		body, err := p.body()
		if err != nil {
			return nil, err
		}
		return c.call(cmd.Context(), http.MethodPost, "/v3/"+c.path+"/transaction", body)
	})
}

func (p payment) body() (map[string]any, error) {
	from := map[string]any{"address": p.from, "signatureId": p.signatureID}
	if p.index >= 0 {
		from["index"] = p.index
	}
	var to []map[string]any
	for _, text := range p.to {
		address, amount, found := strings.Cut(text, "=")
		if !found || !json.Valid([]byte(amount)) {
			return nil, cli.Fail(cli.Usage, fmt.Errorf("--to %.80q is not of the form ADDRESS=AMOUNT", text), "")
		}
		to = append(to, map[string]any{"address": address, "value": json.RawMessage(amount)})
	}
	body := map[string]any{"fromAddress": []any{from}, "to": to}
	if p.fee != "" {
		body["fee"], body["changeAddress"] = p.fee, p.change
	}
	return body, nil
}
