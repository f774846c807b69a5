// Command kms-sandbox is a local stand-in for Tatum's API in front of a real
// Bitcoin node in regression test mode, and chains of its own for LTC, DOGE
// and BCH: the whole loop of a key management
// system, with no account and no coins. docs/SANDBOX.md tells what it answers
// and what differs from Tatum.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/kms-sandbox/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}))
}

func run(ctx context.Context, args []string, s cli.Streams) int {
	root := rootCommand(s)
	root.SetContext(ctx)
	return cli.Run(root, args, s)
}

func rootCommand(s cli.Streams) *cobra.Command {
	root := serveCommand(s)
	root.Use = "kms-sandbox"
	root.Long = "A local stand-in for Tatum's API in front of a Bitcoin node in regression test mode,\nand of chains of its own for LTC, DOGE and BCH.\n" + root.Long +
		"\n\n" + cli.ExitStatus(cli.Done, cli.Failed, cli.Usage, cli.Locked, cli.Network)
	root.AddCommand(serveCommand(s), faucetCommand(s), mineCommand(s), payCommand(s), pendingCommand(s), statusCommand(s))
	root.PersistentFlags().String("api-key", sandbox.DefaultAPIKey, "key that requests carry as x-api-key; client commands prefer TATUM_API_KEY to the default")
	return root
}
