package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/shared/chain"
)

func (a *app) fetch() *cobra.Command {
	var chains, ids []string
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "get what waits to be signed, and what proves it",
		Long: `fetch asks Tatum for pending transactions of the paired signer's keys, journals
them, and gets the previous transactions that prove what each input is worth.
An item with a problem is listed and holds up no other; one that could not be
proven now is left alone for a while, longer after each try in vain, and tried
again at the next fetch after that: until when, each fetch says (exit status 3);
--transaction-ids tries it at once. What in Tatum's list is no pending
transaction is counted, and left out; of a list that is cut, or has more than a
million elements or 256 MB, what came whole before is journaled (and the exit
status is 30). Where all that waits, or every key of the signer, is of the other
network, fetch says so, and the exit status is 3.`,
		Args: cobra.NoArgs,
		Example: `  kms-online fetch
  kms-online fetch --testnet --env-file tatum.env`,
		RunE: func(*cobra.Command, []string) error {
			o := online.FetchOptions{Network: chain.NetworkOf(a.testnet), IDs: trimmed(ids), Later: true}
			for _, name := range trimmed(chains) {
				id, err := chain.ParseID(name)
				if err != nil {
					return cli.Fail(cli.Usage, err, "")
				}
				o.Chains = append(o.Chains, id)
			}
			return a.relay(withTatum, func(ctx context.Context, r *online.Relay) error {
				got, err := a.fetchWithEach(ctx, r, o)
				if err != nil && got.Fetched+got.Prepared+len(got.Problems) == 0 {
					return err
				}
				for _, note := range got.Notes {
					a.say("%s", note)
				}
				elsewhere := got.NoKeys
				if err == nil && got.Listed+len(got.Notes) == 0 {
					elsewhere = a.sayElsewhere(ctx, r, o.Network)
				}
				clean(got.Problems)
				if perr := a.JSON(got); perr != nil || err != nil {
					return first(err, perr)
				}
				return part(elsewhere || len(got.Problems) > 0)
			})
		},
	}
	cmd.Flags().StringSliceVar(&chains, "chain", nil, "only these chains, such as BTC,LTC (default all that the signer has keys of)")
	cmd.Flags().StringSliceVar(&ids, "transaction-ids", nil, "only these pending transactions (also --transactionIds)")
	return cmd
}

// fetchWithEach fetches with each API key of the network that was asked for;
// an only key is of that network. One that Tatum does not accept is named, and
// the others are used all the same.
func (a *app) fetchWithEach(ctx context.Context, r *online.Relay, o online.FetchOptions) (online.Fetched, error) {
	keys, err := a.keys(nil)
	if err != nil {
		return online.Fetched{}, err
	}
	all := online.Fetched{Problems: []online.Problem{}}
	used := false
	var failed error
	for _, k := range keys {
		if k.Network != o.Network {
			continue
		}
		mine, err := r.As(k.Name)
		if err != nil {
			return all, err
		}
		used = true
		got, err := mine.Fetch(ctx, o)
		all.Fetched, all.Prepared, all.Listed = all.Fetched+got.Fetched, all.Prepared+got.Prepared, all.Listed+got.Listed
		all.Problems, all.Notes = append(all.Problems, got.Problems...), append(all.Notes, got.Notes...)
		if err != nil && (k.Name != "" || len(keys) > 1) {
			err = fmt.Errorf("API key %s: %w", cmp.Or(k.Name, "default"), err)
		}
		all.NoKeys = all.NoKeys || got.NoKeys
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	if !used {
		return all, cli.Fail(cli.Usage, fmt.Errorf("no API key in the file is of %s", o.Network), fmt.Sprintf("for the other network: kms-online fetch --testnet=%t", o.Network != chain.Testnet))
	}
	return all, failed
}

// sayElsewhere tells people if all that Tatum lists is of the other network, and
// reports whether it is. With a file of keys the network of each is known.
func (a *app) sayElsewhere(ctx context.Context, r *online.Relay, n chain.Network) bool {
	if a.keyFile != "" {
		return false
	}
	note, err := r.Elsewhere(ctx, n)
	if err != nil {
		a.say("Tatum lists nothing of %s; it was not seen whether it lists something of the other network: %v", n, err)
	}
	if note != "" {
		a.say("%s", note)
	}
	return note != ""
}

func trimmed(list []string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// first returns the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
