package main

import (
	"slices"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
)

// complete sets how a shell completes the command lines of this program. What is
// in the wallet needs its password, and is not completed.
func (a *app) complete(root *cobra.Command) {
	coins := make([]cobra.Completion, 0, len(built()))
	for _, id := range built() {
		coins = append(coins, string(id))
	}
	slices.Sort(coins)
	coin, requests, anyFile := cli.First(coins...), cli.Files("kmsreq", "psbt"), cli.Files()
	cli.Complete(root, map[string]cobra.CompletionFunc{
		"approve":                        requests,
		"review":                         requests,
		"sign":                           requests,
		"ledger accept":                  cli.Files("kmsreq"),
		"compare":                        cli.Files("kmsres"),
		"pair":                           cli.Files("kmsid"),
		"restore":                        cli.Files("kms"),
		"importwallet":                   cli.Files("dat"),
		"policy set":                     cli.Files("json"),
		"policy check":                   cli.Files("json"),
		"policy payees import":           cli.Files("csv"),
		"backup":                         anyFile,
		"scan":                           anyFile,
		"show":                           anyFile,
		"generatewallet":                 coin,
		"generatemanagedwallet":          coin,
		"generatemanagedprivatekeybatch": coin,
		"storemanagedwallet":             coin,
		"storemanagedprivatekey":         coin,
	}, map[string]cobra.CompletionFunc{
		"chain": cobra.FixedCompletions(coins, cobra.ShellCompDirectiveNoFileComp),
		"stick": cli.Folders,
		"raw":   cli.Folders,
	})
}
