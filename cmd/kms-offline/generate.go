package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
)

type walletReply struct {
	Mnemonic string `json:"mnemonic"`
	XPub     string `json:"xpub"`
}

type managedReply struct {
	SignatureID string `json:"signatureId"`
	XPub        string `json:"xpub,omitempty"`

	Warnings []importNote `json:"warnings,omitempty"` // about keys that another coin or network has too
}

const diceHelp = `--dice asks on the terminal for thrown dice and mixes them with the system's
randomness, then shows a transcript there, from which the words can be computed
again on another machine (docs/ENTROPY.md). It is as secret as the words.`

func (a *app) generateWallet() *cobra.Command {
	r := recipe{words: hd.Words}
	cmd := &cobra.Command{
		Use:   "generatewallet CHAIN",
		Short: "show a new wallet (mnemonic and xpub); stores nothing",
		Long: `generatewallet prints a new mnemonic and its extended public key at Tatum's path.
Nothing is stored: what you do not write down is gone.

` + diceHelp + `

Exit status: 0 done, 1 failed, 2 usage, 21 doubtful dice were not used.`,
		Example: "  kms-offline --testnet generatewallet BTC",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runGenerate(args[0], r) },
	}
	r.flags(cmd)
	return cmd
}

// flags are those that all commands that make words have.
func (r *recipe) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&r.words, "words", r.words, "number of words: 12, 15, 18, 21 or 24")
	cmd.Flags().BoolVar(&r.dice, "dice", false, "mix in thrown dice, asked for on the terminal")
}

func (a *app) runGenerate(chainName string, r recipe) error {
	c, err := chainArg(chainName)
	if err != nil {
		return err
	}
	tty, err := r.terminal()
	if err != nil {
		return err
	}
	defer tty.close()
	made, err := a.makeWords(tty, r)
	if err != nil {
		return err
	}
	defer made.wipe()
	coin, err := a.coin(c)
	if err != nil {
		return err
	}
	e, err := wallet.FromMnemonic("none", coin, made.mnemonic, made.passphrase, a.now())
	if err != nil {
		return err
	}
	if r.dice {
		tty.print(transcript(made.mixed))
	}
	return a.JSON(walletReply{string(e.Words), e.XPub})
}

func (a *app) generateManagedWallet() *cobra.Command {
	r := recipe{words: hd.Words}
	cmd := &cobra.Command{
		Use:   "generatemanagedwallet CHAIN",
		Short: "make a new wallet and store it",
		Long: `generatemanagedwallet makes a mnemonic, stores it in the wallet file, and prints
its signature id and extended public key. The first use makes the wallet file and
asks for its password twice.

--show-mnemonic shows the words once, on the terminal only, for the paper backup.
Without it "getmanagedwallet ID" shows them later.

` + diceHelp + `

--passphrase asks twice for a BIP 39 passphrase, which is stored with the words.
Words without it give other keys: keep it with the paper backup, or apart.

Exit status: 0 done, 1 failed, 2 usage, 21 doubtful dice were not used.`,
		Example: `  kms-offline --path wallet.kms --testnet generatemanagedwallet BTC --show-mnemonic
  kms-offline --path wallet.kms generatemanagedwallet LTC --dice --words 12`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runGenerateManaged(args[0], r) },
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&r.passphrase, "passphrase", false, "ask for a BIP 39 passphrase, stored with the words")
	cmd.Flags().BoolVar(&r.show, "show-mnemonic", false, "show the words on the terminal, for the paper backup")
	return cmd
}

func (a *app) runGenerateManaged(chainName string, r recipe) error {
	c, err := chainArg(chainName)
	if err != nil {
		return err
	}
	tty, err := r.terminal()
	if err != nil {
		return err
	}
	defer tty.close()
	made, err := a.makeWords(tty, r)
	if err != nil {
		return err
	}
	defer made.wipe()
	coin, err := a.coin(c)
	if err != nil {
		return err
	}
	return a.storeNew(func(id string) (wallet.Entry, error) {
		return wallet.FromMnemonic(id, coin, made.mnemonic, made.passphrase, a.now())
	}, func(e wallet.Entry) { r.reveal(tty, made, e) })
}

// reveal shows on the terminal what the recipe says of new words.
func (r recipe) reveal(tty *terminal, made newWords, e wallet.Entry) {
	if r.dice {
		tty.print(transcript(made.mixed))
	}
	if r.show {
		tty.print(paperBackup(e))
	}
}

// paperBackup is what --show-mnemonic shows.
func paperBackup(e wallet.Entry) string {
	text := fmt.Sprintf("\nWrite these words down, in this order, on paper:\n\n  %s\n\n", e.Words)
	if len(e.Passphrase) > 0 {
		text += "They give these keys only together with the passphrase that you typed.\n\n"
	}
	return text
}

// storeNew makes an entry, stores it durably, and only then shows and prints it.
func (a *app) storeNew(make func(id string) (wallet.Entry, error), show func(wallet.Entry)) error {
	w, err := a.openOrCreate()
	if err != nil {
		return err
	}
	defer w.Close()
	e, err := a.storeIn(w, make)
	if err != nil {
		return err
	}
	if show != nil {
		show(e)
	}
	return a.JSON(managedReply{SignatureID: e.ID, XPub: e.XPub, Warnings: a.warnOfSharing(w, e)})
}

// storeIn makes an entry under a new id and stores it durably.
func (a *app) storeIn(w *opened, make func(id string) (wallet.Entry, error)) (wallet.Entry, error) {
	id, err := w.NewID()
	if err != nil {
		return wallet.Entry{}, err
	}
	e, err := make(id)
	if err != nil {
		return e, err
	}
	if err := w.Add(e); err != nil {
		return e, err
	}
	return e, a.save(w, ledger.Line{Act: ledger.ActAdd, ID: id})
}
