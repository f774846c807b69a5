package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
	"coldkms/shared/pending"
)

func (a *app) watch() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "watch --out FILE",
		Short: "write the public half of the wallet for the relay",
		Long: `watch writes signature ids, chains, networks and public keys, signed by this
signer: what the relay needs to ask Tatum for the right transactions, and to know
its signer. No secret is in it. Write it again after new keys; an older watch file
of this signer at the same place is replaced, and keys that only the older one has
are named: the relay will ask for nothing of theirs. While the ledger has keys that the wallet
lacks, nothing is written.`,
		Example: "  kms-offline --path wallet.kms watch --out /media/usb/signer.kmswatch",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.runWatch(out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write (required)")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func (a *app) runWatch(out string) error {
	if err := a.writable(filepath.Dir(out)); err != nil { // before a password is asked for
		return err
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	reply, err := a.writeWatch(w, out, func(identity.Public) error {
		return cli.Fail(cli.Failed, fmt.Errorf("%s is of another signer and is left as it is", out),
			"choose another name, or another wallet with --path")
	})
	if err != nil {
		return err
	}
	return a.JSON(reply)
}

// watchReply is what watch prints.
type watchReply struct {
	Watch       string   `json:"watch"`
	Fingerprint string   `json:"fingerprint"`
	Gone        []string `json:"gone"` // keys that only the file before had
}

// writeWatch writes the wallet's watch file, and shows the signer's fingerprint. A file
// of another signer is replaced only where another returns nil for it.
func (a *app) writeWatch(
	w *opened, out string, another func(identity.Public) error,
) (watchReply, error) {
	if err := a.unsettled(w); err != nil {
		return watchReply{}, err
	}
	sealed, leftOut, err := sealWatch(w, a.now().Unix())
	if err != nil {
		return watchReply{}, err
	}
	for _, id := range leftOut {
		fmt.Fprintf(a.Err, "left out: %q is not an id that Tatum could ask for\n", id)
	}
	gone, err := a.replaceWatch(out, sealed, another)
	if err != nil {
		return watchReply{}, err
	}
	a.tellFingerprint("this signer", sealed.Signer)
	path, err := filepath.Abs(out)
	return watchReply{path, sealed.Signer.Fingerprint(), gone}, err
}

// sealWatch makes the wallet's watch file. It leaves out ids that Tatum could not
// ask for. The same wallet and time make the same file.
func sealWatch(w *opened, created int64) (sealed bundle.SealedWatch, leftOut []string, err error) {
	id, err := w.Identity()
	if err != nil {
		return sealed, nil, err
	}
	watch := bundle.Watch{Created: created}
	for _, e := range w.Entries() {
		switch {
		case !e.Signable():
		case !pending.ValidSignatureID(e.ID):
			leftOut = append(leftOut, e.ID)
		default:
			watch.Entries = append(watch.Entries, bundle.WatchEntry{
				SignatureID: e.ID, Coin: e.Coin, XPub: e.XPub, PubKey: e.Public,
			})
		}
	}
	sealed, err = bundle.SealWatch(watch, id)
	return sealed, leftOut, err
}

// replaceWatch writes over an earlier watch file, and over nothing else. It
// returns the keys that only the earlier one has.
func (a *app) replaceWatch(
	path string, watch bundle.SealedWatch, another func(identity.Public) error,
) (gone []string, err error) {
	gone = []string{}
	err = durable.Create(a.fs, path, watch.File, durable.PermFile, nil)
	if !errors.Is(err, durable.ErrExists) {
		return gone, err
	}
	old, readErr := durable.ReadFile(a.fs, path, bundle.MaxFile)
	if readErr != nil {
		return gone, readErr
	}
	before, notWatch := bundle.OpenWatch(old)
	if notWatch != nil {
		return gone, cli.Fail(cli.Failed, err, "it is no watch file and is left as it is: choose another name")
	}
	if before.Signer != watch.Signer {
		if err := another(before.Signer); err != nil {
			return gone, err
		}
	}
	has := make(map[string]struct{}, len(watch.Entries))
	for _, e := range watch.Entries {
		has[e.SignatureID] = struct{}{}
	}
	for _, e := range before.Entries {
		if _, stays := has[e.SignatureID]; !stays {
			gone = append(gone, e.SignatureID)
			fmt.Fprintf(a.Err, "WARNING: key %s (%s %s) was in the watch file before, and is not in this wallet: the relay will ask for nothing of it\n", cli.Printable(e.SignatureID), e.Chain, e.Network)
		}
	}
	return gone, durable.Replace(a.fs, path, watch.File, durable.PermFile, nil)
}

func (a *app) tellFingerprint(who string, key identity.Public) {
	fmt.Fprintf(a.Err, "fingerprint of %s, to be compared on both screens:\n  %s\n  %s\n", who, key.Words(), key.Fingerprint())
}

func (a *app) pair() *cobra.Command {
	var byQR bool
	cmd := &cobra.Command{
		Use:   "pair FILE | pair --qr [SOURCE]",
		Short: "accept requests of a relay",
		Long: `pair reads the public identity file that "kms-online init" wrote and accepts that
relay's requests from now on. Compare the fingerprint with the relay's screen
before you go on; without --password-file it is asked.`,
		Example: "  kms-offline --path wallet.kms pair /media/usb/relay.kmsid",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			paths, err := a.inputs(args, byQR)
			if err != nil {
				return err
			}
			return a.runPair(paths[0])
		},
	}
	cmd.Flags().BoolVar(&byQR, "qr", false, qrHelp)
	return cmd
}

func (a *app) runPair(file string) error {
	relay, err := a.readRelay(file)
	if err != nil {
		return err
	}
	w, err := a.openOrCreate()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := a.pairWith(w, relay); err != nil {
		return err
	}
	return a.JSON(struct {
		Fingerprint string `json:"fingerprint"`
	}{relay.Fingerprint()})
}

// readRelay reads the public identity of a relay.
func (a *app) readRelay(file string) (identity.Public, error) {
	b, err := a.read(file, bundle.MaxFile)
	if err != nil {
		return identity.Public{}, err
	}
	if _, err := bundle.OpenWatch(b); err == nil {
		return identity.Public{}, oneLine(cli.Fail(cli.BadBundle, fmt.Errorf("%s is the watch file of a signer", file),
			"it goes to the relay; pair takes the relay's own file, "+cli.RelayFile+", which kms-online init names"))
	}
	relay, err := identity.ParseFile(b)
	return relay, cli.Fail(cli.BadBundle, err, "it is the *.kmsid that kms-online init names")
}

// pairWith asks whether a relay is the right one, and accepts it.
func (a *app) pairWith(w *opened, relay identity.Public) error {
	a.tellFingerprint("the relay", relay)
	if err := a.agreeToRelay(); err != nil {
		return err
	}
	if err := w.Pair(wallet.Relay{Key: relay, Added: a.now().Unix()}); err != nil {
		return err
	}
	return a.save(w, ledger.Line{Act: ledger.ActPair, Relay: relay.Fingerprint()})
}

// agreeToRelay asks whether the words are those of the relay's screen. With
// --password-file nothing is asked.
func (a *app) agreeToRelay() error {
	if a.passwordFile != "" {
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "give the password with --password-file")
	}
	defer tty.close()
	yes, err := tty.confirm("Does the relay's screen show the same words?")
	if err != nil {
		return err
	}
	if !yes {
		return cli.Fail(cli.Declined, errors.New("declined: the relay was not paired"), "")
	}
	return nil
}

func (a *app) changePassword() *cobra.Command {
	var newFile string
	cmd := &cobra.Command{
		Use:   "changepassword",
		Short: "encrypt the wallet with a new password",
		Long: `changepassword asks for the old password and twice for the new one, and writes the
wallet anew. The generation before, which the old password opens, is deleted.
Copies of the wallet elsewhere still open with the old password.`,
		Example: "  kms-offline --path wallet.kms changepassword",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w, err := a.open()
			if err != nil {
				return err
			}
			defer w.Close()
			password, err := a.newPassword(newFile)
			if err != nil {
				return err
			}
			defer clear(password)
			if err := a.checkStrength("the new password", password, networkOf(w.Wallet)); err != nil {
				return err
			}
			if err := a.record(w, ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActPassword}); err != nil {
				return err
			}
			if err := w.ChangePassword(password); err != nil {
				return err
			}
			a.tellKept(w.Path())
			return a.JSON(struct {
				Changed bool `json:"changed"`
			}{true})
		},
	}
	cmd.Flags().StringVar(&newFile, "new-password-file", "", "read the new password from this file")
	return cmd
}

func (a *app) newPassword(file string) ([]byte, error) {
	if file != "" {
		return a.passwordFrom(file)
	}
	if a.passwordFile != "" {
		return nil, cli.Fail(cli.Usage, errors.New("--password-file has the old password"), "give the new one with --new-password-file")
	}
	return a.password("Enter the new password:", true)
}
