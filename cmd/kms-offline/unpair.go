package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
)

func (a *app) unpair() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "unpair FINGERPRINT",
		Short: "accept no more requests of a relay",
		Long: `unpair takes a relay out of the wallet. Its requests are refused from then on,
until it is paired again. checkconfig lists the relays and their fingerprints. It
asks on the terminal. Without a terminal no relay is unpaired, unless --yes says so.`,
		Example: "  kms-offline --path wallet.kms unpair 5612d70246a43adb8dbc93",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.namePaired()
			}
			return a.runUnpair(args[0], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask; needed where there is no terminal")
	return cmd
}

// namePaired is the error of unpair without a relay: it names those that are paired.
func (a *app) namePaired() error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	if len(w.Relays()) == 0 {
		return cli.Fail(cli.Usage, errors.New("no relay is paired"), "")
	}
	list := ""
	for _, r := range w.Relays() {
		list += fmt.Sprintf("\nkms-offline unpair %s (%s)", r.Key.Fingerprint(), r.Key.Words())
	}
	return cli.Fail(cli.Usage, errors.New("FINGERPRINT is missing: which relay?"), "paired are:"+list)
}

func (a *app) runUnpair(fingerprint string, yes bool) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	relay, err := pairedRelay(w, fingerprint)
	if err != nil {
		return err
	}
	if err := a.unsettled(w); err != nil {
		return err
	}
	text := fmt.Sprintf("Requests of relay %s (%s) are refused from here on; %s left.", fingerprint, relay.Key.Words(), counted(len(w.Relays())-1, "relay is", "relays are"))
	if err := agreeToRemoval(text, "relay "+fingerprint, yes); err != nil {
		return err
	}
	w.Unpair(relay.Key)
	if err := a.save(w, ledger.Line{Act: ledger.ActUnpair, Relay: fingerprint}); err != nil {
		return err
	}
	return a.JSON(struct {
		Fingerprint string `json:"fingerprint"`
		Unpaired    bool   `json:"unpaired"`
	}{fingerprint, true})
}

func pairedRelay(w *opened, fingerprint string) (wallet.Relay, error) {
	for _, relay := range w.Relays() {
		if relay.Key.Fingerprint() == fingerprint {
			return relay, nil
		}
	}
	// It is not repeated: who mistakes the command may have typed a key.
	return wallet.Relay{}, cli.Fail(cli.Failed, errNoRelay, "kms-offline checkconfig lists them")
}

var errNoRelay = errors.New("no relay with this fingerprint is paired")
