// Kms-online is the relay: it has the API key and the network and no keys of
// coins. It fetches what Tatum wants signed, carries it to kms-offline and
// back in files, broadcasts the result and marks it as complete.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coldkms/cmd/internal/cli"
	"coldkms/online/prepare"
	"coldkms/online/prepare/utxo"
	"coldkms/shared/durable"
)

// softMemory is from how many bytes on the collector works harder: what a full
// request needs is had all the same, and given back soon.
const softMemory = 256 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	os.Exit(run(os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}, os.Getenv))
}

func run(args []string, streams cli.Streams, getenv func(string) string) int {
	a := &app{Streams: streams, fs: durable.OS{}, now: time.Now, getenv: getenv}
	a.families = prepare.Families{utxo.New()}
	root := a.root()
	a.typed = func(text string) string { return cli.Typed(root, text) }
	return cli.Run(root, args, streams)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kms-online",
		Short: "the relay: network and API key, no keys of coins",
		Long: `kms-online fetches pending transactions from Tatum, adds the previous
transactions that prove them, and exports requests for kms-offline. It imports
the signed results, checks every script, broadcasts and marks as complete.

Every command may be interrupted, or the machine switched off, at any moment:
run it again. What left once leaves again as the same bytes or not at all.

The API key comes from TATUM_API_KEY, --env-file or --api-key (which other
users of this machine may see in the list of processes).

` + cli.ExitStatus(cli.Done, cli.Failed, cli.Usage, cli.Part, cli.Locked, cli.Declined, cli.BadBundle,
			cli.Network),
		Example: `  kms-online init
  kms-online pair signer.kmswatch
  kms-online fetch --testnet
  kms-online export --out /media/usb
  kms-online import /media/usb
  kms-online broadcast`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.apiKey, "api-key", "", "Tatum API key (or TATUM_API_KEY)")
	flags.StringVar(&a.apiURL, "api-url", "", "Tatum's address (or TATUM_API_URL; default https://api.tatum.io)")
	flags.StringVar(&a.envFile, "env-file", "", "read TATUM_API_KEY and TATUM_API_URL from this file, where the environment has none")
	flags.StringVar(&a.keyFile, "api-key-file", "", "read several API keys from this file (mode 0600), one line each: NAME mainnet|testnet KEY; the journal remembers names")
	flags.StringArrayVar(&a.budgets, "budget", nil, "use at most so many of Tatum's credits with a key, such as 5000/hour or 50000/day (again for more)")
	flags.IntVar(&a.rate, "rate", 0, "make at most so many calls a second with a key (0: no limit; Tatum's free plan allows 5)")
	flags.StringVar(&a.state, "state", "", "state directory (default coldkms/relay in the user's configuration folder), or postgres://user@host/database for a journal that relays share")
	flags.StringVar(&a.local, "dir", "", "directory of the identity, where --state is a postgres:// address (same default)")
	flags.StringVar(&a.externalURL, "external-url", "", "approval service that is asked before export and before broadcast, remembered for later commands (none: no more); the pending id is put behind it")
	flags.StringVar(&a.externalMethod, "external-url-method", "GET", "GET asks about the id alone, as KMS does; POST about the whole item, and brings home what approvers sign")
	flags.BoolVar(&a.testnet, "testnet", false, "fetch from testnet; the other commands are then limited to it")
	flags.BoolVar(&a.json, "json", false, "one JSON value on stdout, also where a table for people is the default")
	for _, flag := range []string{"api-key-file", "api-url", "dir", "env-file", "state", "testnet"} {
		cli.Place(root, flag)
	}
	a.config = cli.Config{FS: a.fs, Default: configFile, Getenv: a.getenv, Flags: configured(),
		Env: map[string]string{"api-url": "TATUM_API_URL"}, Check: a.configChecks()}
	a.config.Configure(root)
	root.SetGlobalNormalizationFunc(asKMS)
	cli.Group(root, "Set up", a.setup(), a.initialise(), a.pair(), a.checkConfig())
	cli.Group(root, "Carry payments", a.fetch(), a.export(), a.imports(), a.broadcast(), a.watch(), a.daemon(), a.show())
	cli.Group(root, "Look", a.status(), a.report(), a.alarms(), a.letters())
	cli.Group(root, "Decide", a.acknowledge(), a.reject(), a.retry(), a.unveto(), a.release())
	cli.Group(root, "Keep safe", a.backup(), a.restore())
	a.complete(root)
	return root
}

// configFile is the configuration file where --config names none.
func configFile() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "coldkms", "kms-online.toml"), err
}

// asKMS lets the flags of Tatum KMS be written as they are there.
func asKMS(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "apiKey":
		name = "api-key"
	case "apiUrl":
		name = "api-url"
	case "externalUrl":
		name = "external-url"
	case "externalUrlMethod":
		name = "external-url-method"
	case "apiKeyFile":
		name = "api-key-file"
	case "runOnce":
		name = "run-once"
	case "envFile":
		name = "env-file"
	case "transactionIds":
		name = "transaction-ids"
	}
	return pflag.NormalizedName(name)
}
