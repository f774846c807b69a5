package main

import (
	"errors"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
)

func (a *app) unpair() *cobra.Command {
	return &cobra.Command{
		Use:   "unpair FINGERPRINT",
		Short: "accept no more requests of a relay",
		Long: `unpair takes a relay out of the wallet. Its requests are refused from then on,
until it is paired again. checkconfig lists the relays and their fingerprints.`,
		Example: "  kms-offline --path wallet.kms unpair 5612d70246a43adb8dbc93",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runUnpair(args[0]) },
	}
}

func (a *app) runUnpair(fingerprint string) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	relay, err := pairedRelay(w, fingerprint)
	if err != nil {
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
