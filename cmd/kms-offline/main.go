// Kms-offline is the signer: an encrypted wallet without a network. It proves
// what each transaction does, shows it, asks, and signs.
package main

import (
	"crypto/rand"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/harden"
	"coldkms/offline/hd"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

func main() {
	endQuietly(os.Stderr)
	os.Exit(contained(os.Stderr, func() int { return run(os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr}) }))
}

func run(args []string, streams cli.Streams) int {
	saveMemory()
	report, err := harden.Harden()
	if err != nil {
		fmt.Fprintf(streams.Err, "kms-offline: %v\n", err)
		return cli.Failed
	}
	for _, c := range report.Checks {
		if c.Warning {
			fmt.Fprintf(streams.Err, "WARNING: not so: %s: %s\n", c.Name, c.Detail)
		}
	}
	a := &app{Streams: streams, fs: durable.OS{}, random: hd.NewSource(rand.Reader), now: steady(time.Now), wall: time.Now, sleep: time.Sleep, guard: report,
		online: func() ([]string, bool) { return harden.NetworkUp(os.DirFS(harden.SysNet)) }}
	return cli.Run(a.root(), args, streams)
}

// saveMemory has the collector run when the heap has grown by a quarter, not by
// all of it, and more often near a soft limit: a batch of 25,000 is to be signed on
// the smallest of machines.
func saveMemory() {
	debug.SetGCPercent(25)
	debug.SetMemoryLimit(120 << 20)
}

// liftLimit lifts the memory limit for a request that takes more in any case: above
// the limit the collector would never rest, and take more time than all that is
// computed.
func liftLimit(of bundle.Load) {
	const most = 120_000 // what is judged and signed within the limit, or near it
	if of.Items+of.Inputs+of.Outputs > most {
		debug.SetMemoryLimit(math.MaxInt64)
	}
}

// families are those that this version signs for.
func families() sign.Families {
	return sign.Families{
		utxo.Signer{Chains: built()},
	}
}

// coin returns what keys of a chain need, on the network of --testnet.
func (a *app) coin(id chain.ID) (hd.Coin, error) {
	return families().Derivation(chain.Coin{Chain: id, Network: a.network()})
}

// built are the chains that this version signs for.
func built() []chain.ID { return []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kms-offline",
		Short: "the air-gapped signer: an encrypted wallet, no network",
		Long: `kms-offline keeps keys on a machine without a network. It reads requests that
kms-online exported, proves what each transaction does, shows it, asks, signs
what a person agreed to, and writes the result for the way back.

` + cli.ExitStatus(cli.Done, cli.Failed, cli.Usage, cli.Part, cli.NoWallet, cli.Locked,
			cli.WrongPassword, cli.Refused, cli.Declined, cli.BadBundle),
		Example: `  kms-offline --path wallet.kms --testnet generatemanagedwallet BTC
  kms-offline --path wallet.kms watch --out signer.kmswatch
  kms-offline --path wallet.kms sign request.kmsreq --out /media/usb`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.path, "path", "", "wallet file (default ~/.coldkms/wallet.kms)")
	cli.Place(root, "path")
	a.typed = func(hint string) string { return cli.Typed(root, hint) }
	flags.BoolVar(&a.testnet, "testnet", false, "use testnet; review and sign then refuse items of mainnet")
	flags.StringVar(&a.passwordFile, "password-file", "", "read the wallet's password from this file (may be /dev/fd/N)")
	flags.BoolVar(&a.weakPassword, "weak-password", false,
		"take a new password that is easy to guess without asking, also for keys of mainnet")
	flags.BoolVar(&a.json, "json", false, "one JSON value on stdout, also where a text for people is the default")
	a.config = cli.Config{FS: a.fs, Default: configFile, Getenv: os.Getenv, Flags: configured()}
	a.config.Configure(root)
	cli.Group(root, "Set up", a.setup(), a.generateManagedWallet(), a.generateBatch(), a.storeManagedWallet(),
		a.storeManagedPrivateKey(), a.importWallet(), a.watch(), a.pair(), a.unpair(), a.checkConfig(), a.selftest())
	cli.Group(root, "Sign", a.review(), a.sign(), a.approve(), a.compare(), a.scan(), a.show())
	cli.Group(root, "Rules", a.policy(), a.operator())
	cli.Group(root, "Look", a.report(), a.ledger(), a.getAddress(), a.verifyAddress())
	cli.Group(root, "Keep safe", a.backup(), a.restore(), a.changePassword(), a.removeWallet())
	cli.Group(root, "Show secrets", a.generateWallet(), a.getManagedWallet(), a.getPrivateKey(), a.export())
	a.complete(root)
	advised(root)
	return root
}

// configured are the flags that a configuration file may have. What answers a
// question, or opens the wallet, is none of them.
func configured() []string {
	return []string{"path", "testnet", "json", "sign.out", "sign.plain", "sign.session", "scan.out", "setup.stick"}
}

// configFile is the configuration file where --config names none.
func configFile() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".coldkms", "kms-offline.toml"), err
}
