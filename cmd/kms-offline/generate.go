package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

type walletReply struct {
	Mnemonic string `json:"mnemonic"`
	XPub     string `json:"xpub"`
}

type managedReply struct {
	SignatureID string `json:"signatureId"`
	XPub        string `json:"xpub,omitempty"`
}

func (a *app) generateWallet() *cobra.Command {
	words := hd.Words
	cmd := &cobra.Command{
		Use:   "generatewallet CHAIN",
		Short: "show a new wallet (mnemonic and xpub); stores nothing",
		Long: `generatewallet prints a new mnemonic and its extended public key at Tatum's path.
Nothing is stored: what you do not write down is gone.`,
		Example: "  kms-offline --testnet generatewallet BTC",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.newMnemonic(args[0], "none", words)
			if err != nil {
				return err
			}
			return a.JSON(walletReply{string(e.Words), e.XPub})
		},
	}
	cmd.Flags().IntVar(&words, "words", words, "number of words: 12, 15, 18, 21 or 24")
	return cmd
}

func (a *app) newMnemonic(chainName, id string, words int) (wallet.Entry, error) {
	c, err := chainArg(chainName)
	if err != nil {
		return wallet.Entry{}, err
	}
	mnemonic, err := hd.NewMnemonic(hd.NewSource(a.random), words)
	if errors.Is(err, hd.ErrWordCount) {
		return wallet.Entry{}, cli.Fail(cli.Usage, err, "")
	}
	if err != nil {
		return wallet.Entry{}, err
	}
	defer clear(mnemonic)
	return wallet.FromMnemonic(id, c, a.network(), mnemonic, nil, a.now())
}

func (a *app) generateManagedWallet() *cobra.Command {
	words, show := hd.Words, false
	cmd := &cobra.Command{
		Use:   "generatemanagedwallet CHAIN",
		Short: "make a new wallet and store it",
		Long: `generatemanagedwallet makes a mnemonic, stores it in the wallet file, and prints
its signature id and extended public key. The first use makes the wallet file and
asks for its password twice.

--show-mnemonic shows the words once, on the terminal only, for the paper backup.
Without it "getmanagedwallet ID" shows them later.`,
		Example: "  kms-offline --path wallet.kms --testnet generatemanagedwallet BTC --show-mnemonic",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runGenerateManaged(args[0], words, show)
		},
	}
	cmd.Flags().IntVar(&words, "words", words, "number of words: 12, 15, 18, 21 or 24")
	cmd.Flags().BoolVar(&show, "show-mnemonic", false, "show the words on the terminal, for the paper backup")
	return cmd
}

func (a *app) runGenerateManaged(chainName string, words int, show bool) error {
	if _, err := chainArg(chainName); err != nil {
		return err
	}
	var tty *terminal
	if show {
		var err error
		if tty, err = openTerminal(); err != nil {
			return cli.Fail(cli.Usage, err, "--show-mnemonic shows the words on a terminal only")
		}
		defer tty.close()
	}
	return a.storeNew(func(id string) (wallet.Entry, error) {
		return a.newMnemonic(chainName, id, words)
	}, func(e wallet.Entry) {
		if tty != nil {
			tty.print(fmt.Sprintf("\nWrite these words down, in this order, on paper:\n\n  %s\n\n", e.Words))
		}
	})
}

// storeNew makes an entry, stores it durably, and only then shows and prints it.
func (a *app) storeNew(make func(id string) (wallet.Entry, error), show func(wallet.Entry)) error {
	w, err := a.openOrCreate()
	if err != nil {
		return err
	}
	defer w.Close()
	id, err := w.NewID()
	if err != nil {
		return err
	}
	e, err := make(id)
	if err != nil {
		return err
	}
	if err := w.Add(e); err != nil {
		return err
	}
	if err := w.Save(); err != nil {
		return err
	}
	if show != nil {
		show(e)
	}
	return a.JSON(managedReply{SignatureID: id, XPub: e.XPub})
}

func (a *app) storeManagedWallet() *cobra.Command {
	return &cobra.Command{
		Use:   "storemanagedwallet CHAIN",
		Short: "store a mnemonic that is typed at the prompt",
		Long: `storemanagedwallet asks for a mnemonic on the terminal, and nowhere else, and
stores it. Its words and checksum are checked. A mnemonic whose checksum is wrong,
which Tatum KMS would have taken, is stored only after a second question.`,
		Example: "  kms-offline --path wallet.kms --testnet storemanagedwallet BTC",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := chainArg(args[0])
			if err != nil {
				return err
			}
			words, err := a.askMnemonic()
			if err != nil {
				return err
			}
			defer clear(words)
			return a.storeNew(func(id string) (wallet.Entry, error) {
				return wallet.FromMnemonic(id, c, a.network(), words, nil, a.now())
			}, nil)
		},
	}
}

// askMnemonic asks for words and checks them.
func (a *app) askMnemonic() ([]byte, error) {
	tty, err := openTerminal()
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "mnemonics and private keys are typed on a terminal only")
	}
	defer tty.close()
	typed, err := tty.secret("Enter mnemonic to store:")
	if err != nil {
		return nil, err
	}
	defer clear(typed)
	words := hd.Tidy(typed)
	wrong := hd.CheckMnemonic(words)
	if wrong == nil {
		return words, nil
	}
	if len(words) > 0 && errors.Is(wrong, hd.ErrChecksum) {
		yes, err := tty.confirm(fmt.Sprintf("%v: one of the words is probably another. Store it all the same?", wrong))
		if err != nil {
			return nil, err
		}
		if yes {
			return words, nil
		}
	}
	clear(words)
	return nil, cli.Fail(cli.Failed, wrong, "nothing was stored")
}

func (a *app) storeManagedPrivateKey() *cobra.Command {
	return &cobra.Command{
		Use:   "storemanagedprivatekey CHAIN",
		Short: "store a private key that is typed at the prompt",
		Long: `storemanagedprivatekey asks for a private key in wallet import format (WIF) on the
terminal, and nowhere else, and stores it. The key must be of CHAIN and of the
network chosen by --testnet.`,
		Example: "  kms-offline --path wallet.kms --testnet storemanagedprivatekey BTC",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := chainArg(args[0])
			if err != nil {
				return err
			}
			return a.runStoreKey(c)
		},
	}
}

func (a *app) runStoreKey(c chain.ID) error {
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "mnemonics and private keys are typed on a terminal only")
	}
	wif, err := tty.secret("Enter private key to store:")
	tty.close()
	if err != nil {
		return err
	}
	defer clear(wif)
	key, compressed, err := hd.DecodeWIF(wif, c, a.network())
	if err != nil {
		return cli.Fail(cli.Failed, err, fmt.Sprintf("a private key of %s on %s in wallet import format is asked for; nothing was stored", c, a.network()))
	}
	defer clear(key)
	return a.storeNew(func(id string) (wallet.Entry, error) {
		return wallet.FromKey(id, c, a.network(), key, compressed, a.now())
	}, nil)
}
