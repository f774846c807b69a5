package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// entry finds a signature id or says that it is not there.
func entry(w *opened, id string) (wallet.Entry, error) {
	e, ok := w.Entry(id)
	if !ok {
		return wallet.Entry{}, cli.Fail(cli.Failed, fmt.Errorf("%w: %s", wallet.ErrNoEntry, id), "kms-offline report lists what is in it")
	}
	return e, nil
}

// withEntry opens the wallet for what is done with one of its entries.
func (a *app) withEntry(id string, do func(*opened, wallet.Entry) error) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	e, err := entry(w, id)
	if err != nil {
		return err
	}
	return do(w, e)
}

// withKey does it with one key: ID and, for a mnemonic, INDEX.
func (a *app) withKey(args []string, do func(w *opened, e wallet.Entry, index int64) error) error {
	return a.withEntry(args[0], func(w *opened, e wallet.Entry) error {
		index, err := indexArg(e, args)
		if err != nil {
			return err
		}
		return do(w, e, index)
	})
}

// indexArg reads the optional INDEX argument. A mnemonic needs one.
func indexArg(e wallet.Entry, args []string) (int64, error) {
	if len(args) < 2 {
		if e.Kind == wallet.Mnemonic {
			return 0, cli.Fail(cli.Usage, errors.New("this signature id is a mnemonic: a derivation index is needed"), "for example: "+e.ID+" 0")
		}
		return chain.NoIndex, nil
	}
	index, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil || index < 0 || index > chain.MaxIndex {
		// It is not repeated: who mistakes the order may have typed a key there.
		return 0, cli.Fail(cli.Usage, errors.New("INDEX is not a derivation index"), fmt.Sprintf("it is a number from 0 to %d", chain.MaxIndex))
	}
	return index, nil
}

// secrets is how a command that shows secrets is agreed to.
type secrets struct{ yes bool }

func (s *secrets) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.yes, "yes-show-secrets", false, "do not ask; needed where there is no terminal")
}

// maySee asks before a secret is shown, and records that it is.
func (a *app) maySee(w *opened, s secrets, what, id string) error {
	if err := askToSee(s, what); err != nil {
		return err
	}
	return a.recordAct(w, ledger.ActShow, id)
}

// askToSee asks, unless a flag has the answer. The wallet's password is not
// that answer: a script has it to sign, and a mistyped command in it would
// leave every key in a log.
func askToSee(s secrets, what string) error {
	if s.yes {
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, fmt.Errorf("%w: %s may not be shown unasked", err, what), "nothing was shown; in a script, say so: --yes-show-secrets")
	}
	defer tty.close()
	yes, err := tty.confirm(fmt.Sprintf("This shows %s in clear text. Go on?", what))
	if err != nil {
		return err
	}
	if !yes {
		return cli.Fail(cli.Declined, errors.New("declined: nothing was shown"), "")
	}
	return nil
}

func (a *app) getPrivateKey() *cobra.Command {
	var s secrets
	cmd := &cobra.Command{
		Use:     "getprivatekey ID [INDEX]",
		Short:   "show a private key; asks first",
		Long:    "getprivatekey prints the private key of a mnemonic at a derivation index, or of a stored key, in wallet import format.\n\n" + asksFirst,
		Example: "  kms-offline --path wallet.kms getprivatekey 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69 0",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withKey(args, func(w *opened, e wallet.Entry, index int64) error { return a.showKey(w, s, e, index) })
		},
	}
	s.flags(cmd)
	return cmd
}

// asksFirst is what the help of each command that shows secrets says.
const asksFirst = `It asks on the terminal first, and the ledger records it. Without a terminal nothing
is shown, unless --yes-show-secrets says so.`

func (a *app) showKey(w *opened, s secrets, e wallet.Entry, index int64) error {
	key, err := w.Private(e.ID, index)
	if err != nil {
		return err
	}
	defer key.Wipe()
	if err := a.maySee(w, s, "a private key", e.ID); err != nil {
		return err
	}
	coin, err := families().Derivation(e.Coin)
	if err != nil {
		return err
	}
	wif, err := hd.EncodeWIF(key.Bytes, e.Kind == wallet.Mnemonic || e.Compressed, coin)
	if err != nil {
		return err
	}
	defer clear(wif)
	return a.JSON(struct {
		PrivateKey string `json:"privateKey"`
	}{string(wif)})
}

type addressReply struct {
	Address string `json:"address"`
	Legacy  string `json:"legacy,omitempty"` // P2PKH of the same key, which can be spent as well
}

func (a *app) getAddress() *cobra.Command {
	return &cobra.Command{
		Use:   "getaddress ID [INDEX]",
		Short: "print the address of a key",
		Long: `getaddress prints the address that Tatum uses for a key: for BTC the P2WPKH form
(bc1q..., tb1q...), with the legacy P2PKH form of the same key beside it, which
can be spent as well; for LTC and DOGE the P2PKH form, for BCH its cash address.`,
		Example: "  kms-offline --path wallet.kms getaddress 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69 0",
		Args:    cobra.RangeArgs(1, 2),
		RunE:    func(_ *cobra.Command, args []string) error { return a.withKey(args, a.showAddress) },
	}
}

func (a *app) showAddress(w *opened, e wallet.Entry, index int64) error {
	reply, err := keyAddress(w, e, index)
	if err != nil {
		return err
	}
	return a.JSON(reply)
}

// keyAddress returns the address that Tatum uses for a key.
func keyAddress(w *opened, e wallet.Entry, index int64) (reply addressReply, err error) {
	public, err := w.Public(e.ID, index)
	if err != nil {
		return reply, err
	}
	p, err := utxo.ParamsOf(e.Coin)
	if err != nil {
		return reply, err
	}
	if reply.Address, reply.Legacy = p.KeyAddress(public); reply.Legacy == reply.Address {
		reply.Legacy = "" // one form only
	}
	return reply, nil
}

// plain is an entry as Tatum KMS shows it, with its secret.
func plain(e wallet.Entry) (json.RawMessage, error) {
	var v any
	switch e.Kind {
	case wallet.Mnemonic:
		v = struct {
			Mnemonic   string   `json:"mnemonic"`
			Passphrase string   `json:"passphrase,omitempty"`
			XPub       string   `json:"xpub"`
			Chain      chain.ID `json:"chain"`
			Testnet    bool     `json:"testnet"`
		}{string(e.Words), string(e.Passphrase), e.XPub, e.Chain, e.Network == chain.Testnet}
	case wallet.PrivateKey:
		coin, err := families().Derivation(e.Coin)
		if err != nil {
			return nil, err
		}
		wif, err := hd.EncodeWIF(e.Key, e.Compressed, coin)
		if err != nil {
			return nil, err
		}
		defer clear(wif)
		v = struct {
			PrivateKey string   `json:"privateKey"`
			Chain      chain.ID `json:"chain"`
			Testnet    bool     `json:"testnet"`
		}{string(wif), e.Chain, e.Network == chain.Testnet}
	default:
		return json.RawMessage(e.JSON), nil
	}
	return json.Marshal(v)
}

func (a *app) getManagedWallet() *cobra.Command {
	var s secrets
	cmd := &cobra.Command{
		Use:     "getmanagedwallet ID",
		Short:   "show one entry with its secret; asks first",
		Long:    "getmanagedwallet prints one entry of the wallet as Tatum KMS does: mnemonic and xpub, or private key, with chain and network.\n\n" + asksFirst,
		Example: "  kms-offline --path wallet.kms getmanagedwallet 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withEntry(args[0], func(w *opened, e wallet.Entry) error {
				if err := a.maySee(w, s, "the secret of "+e.ID, e.ID); err != nil {
					return err
				}
				v, err := plain(e)
				if err != nil {
					return err
				}
				return a.JSON(v)
			})
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) export() *cobra.Command {
	var s secrets
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "show the whole wallet with its secrets; asks first",
		Long:    "export prints every entry of the wallet as Tatum KMS does, secrets included. Prefer watch, which has none, wherever you can.\n\n" + asksFirst,
		Example: "  kms-offline --path wallet.kms export",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w, err := a.open()
			if err != nil {
				return err
			}
			defer w.Close()
			if err := a.maySee(w, s, "every secret of the wallet", ""); err != nil {
				return err
			}
			all := make(map[string]json.RawMessage, w.Len())
			for _, e := range w.Entries() {
				v, err := plain(e)
				if err != nil {
					return err
				}
				all[e.ID] = v
			}
			return a.JSON(all)
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) removeWallet() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "removewallet ID",
		Short: "take an entry out of the wallet; asks first",
		Long: `removewallet takes an entry and its secret out of the wallet. What it could sign
for cannot be signed any more, unless you have the secret elsewhere. The
generation before (FILE.prev) still has it until the next change.

It asks on the terminal first. Without a terminal nothing is removed, unless --yes
says so.`,
		Example: `  kms-offline --path wallet.kms removewallet 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withEntry(args[0], func(w *opened, e wallet.Entry) error {
				if err := askToRemove(e, yes); err != nil {
					return err
				}
				return a.remove(w, e)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask; needed where there is no terminal")
	return cmd
}

// askToRemove asks, unless a flag has the answer.
func askToRemove(e wallet.Entry, yes bool) error {
	return agreeToRemoval(fmt.Sprintf("This removes %s (%s) and its secret: without another copy nothing of it can be spent any more.", e.ID, placeOf(e)), e.ID, yes)
}

// agreeToRemoval says what is about to be removed and asks, unless a flag has the
// answer.
func agreeToRemoval(text, what string, yes bool) error {
	if yes {
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, fmt.Errorf("%w: %s is not removed unasked", err, what), "nothing was removed; in a script, say so: --yes")
	}
	defer tty.close()
	sure, err := tty.confirm(cli.Printable(text) + " Go on?")
	if err != nil {
		return err
	}
	if !sure {
		return cli.Fail(cli.Declined, errors.New("declined: nothing was removed"), "")
	}
	return nil
}

func (a *app) remove(w *opened, e wallet.Entry) error {
	if err := w.Remove(e.ID); err != nil {
		return err
	}
	if err := a.save(w, ledger.Line{Act: ledger.ActRemove, ID: e.ID}); err != nil {
		return err
	}
	return a.JSON(struct {
		SignatureID string `json:"signatureId"`
		Removed     bool   `json:"removed"`
	}{e.ID, true})
}
