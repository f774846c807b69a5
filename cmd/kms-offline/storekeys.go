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

func (a *app) storeManagedWallet() *cobra.Command {
	withPassphrase := false
	cmd := &cobra.Command{
		Use:   "storemanagedwallet CHAIN",
		Short: "store a mnemonic that is typed at the prompt",
		Long: `storemanagedwallet asks for a mnemonic on the terminal, and nowhere else, and
stores it. Its words and checksum are checked. A mnemonic whose checksum is wrong,
which Tatum KMS would have taken, is stored only after a second question.

--passphrase asks twice for the BIP 39 passphrase of these words and stores it
with them. Tatum KMS knows none: its wallets are stored without.`,
		Example: "  kms-offline --path wallet.kms --testnet storemanagedwallet BTC",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runStoreManaged(args[0], withPassphrase)
		},
	}
	cmd.Flags().BoolVar(&withPassphrase, "passphrase", false, "ask for the words' BIP 39 passphrase, stored with them")
	return cmd
}

func (a *app) runStoreManaged(chainName string, withPassphrase bool) error {
	c, err := chainArg(chainName)
	if err != nil {
		return err
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "mnemonics and private keys are typed on a terminal only")
	}
	defer tty.close()
	words, err := askMnemonic(tty)
	if err != nil {
		return err
	}
	defer clear(words)
	var passphrase []byte
	if withPassphrase {
		if passphrase, err = askPassphrase(tty); err != nil {
			return err
		}
		defer clear(passphrase)
	}
	coin, err := a.coin(c)
	if err != nil {
		return err
	}
	return a.storeNew(func(id string) (wallet.Entry, error) {
		return wallet.FromMnemonic(id, coin, words, passphrase, a.now())
	}, nil)
}

// askMnemonic asks for words and checks them.
func askMnemonic(tty *terminal) ([]byte, error) {
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
	coin, err := a.coin(c)
	if err != nil {
		return err
	}
	key, compressed, err := hd.DecodeWIF(wif, coin)
	if err != nil {
		return cli.Fail(cli.Failed, err, fmt.Sprintf("a private key of %s on %s in wallet import format is asked for; nothing was stored", c, a.network()))
	}
	defer clear(key)
	return a.storeNew(func(id string) (wallet.Entry, error) {
		return wallet.FromKey(id, coin, key, compressed, a.now())
	}, nil)
}
