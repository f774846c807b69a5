package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/offline/wallet/tatumkms"
)

func (a *app) importWallet() *cobra.Command {
	var passwordFile string
	var reuse []string
	cmd := &cobra.Command{
		Use:   "importwallet WALLET.DAT",
		Short: "take over a wallet of Tatum KMS",
		Long: `importwallet reads a wallet.dat of Tatum KMS with its password and takes its
entries over under the same signature ids, with one durable write. Each extended
public key is derived again and compared; an entry that does not hold is listed
and left out. Entries of chains that are not signed for yet are kept. The old file
is not touched.

An entry whose signature id was that of a key which is not in this wallet any more
is left out: groups of a policy and the indices in the ledger would be taken for
this key's. Where it is the same key, say so: --reuse ID.

Exit status: 0 all taken over, 3 some left out, 1 none is sound and nothing was
written, 12 wrong password of wallet.dat.`,
		Example: `  kms-offline --path wallet.kms importwallet wallet.dat
  kms-offline --path wallet.kms --password-file new importwallet wallet.dat --wallet-password-file old`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runImport(args[0], passwordFile, reuse) },
	}
	cmd.Flags().StringVar(&passwordFile, "wallet-password-file", "", "read wallet.dat's own password from this file")
	cmd.Flags().StringArrayVar(&reuse, "reuse", nil,
		"import this signature id although a key under it was removed (once for each)")
	return cmd
}

type importReply struct {
	Imported int          `json:"imported"` // entries taken over, those kept for later included
	Kept     int          `json:"kept"`     // of them: of chains that are not signed for yet
	Known    int          `json:"known"`    // were in the wallet already, just the same
	Warnings []importNote `json:"warnings"`
	Refused  []importNote `json:"refused"`
}

type importNote struct {
	SignatureID string `json:"signatureId"`
	Reason      string `json:"reason"`
}

func (a *app) runImport(path, passwordFile string, reuse []string) error {
	old, err := a.readTatum(path, passwordFile)
	if err != nil {
		return err
	}
	reply := importReply{Warnings: notes(old.Warnings), Refused: notes(old.Refused)}
	if len(old.Entries) == 0 {
		if err := a.JSON(reply); err != nil {
			return err
		}
		return cli.Fail(cli.Failed, errors.New("no entry of the file is sound: nothing was written"), fmt.Sprintf("keep %s: what it holds is in no wallet of this program", path))
	}
	w, err := a.openOrCreate()
	if err != nil {
		return err
	}
	defer w.Close()
	gone, err := a.keysGone(w)
	if err != nil {
		return err
	}
	var fresh []wallet.Entry
	twins := make(map[string]string) // id in small letters → id
	for _, e := range w.Entries() {
		twins[strings.ToLower(e.ID)] = e.ID
	}
	for _, e := range old.Entries {
		have, there := w.Entry(e.ID)
		at, was := gone(e.ID)
		switch {
		case !there && was && !slices.Contains(reuse, e.ID):
			reply.Refused = append(reply.Refused, importNote{e.ID, fmt.Sprintf(
				"a key under this signature id left the wallet on %s (ledger line %d): if it is the same key, "+
					"say so with --reuse %s", at.Day(), at.Line, e.ID)})
		case !there && twins[strings.ToLower(e.ID)] != "":
			reply.Refused = append(reply.Refused, importNote{e.ID, "there is " + twins[strings.ToLower(e.ID)] +
				" already: ids that differ in nothing but case are taken for one another"})
		case !there:
			fresh = append(fresh, e)
			twins[strings.ToLower(e.ID)] = e.ID
			if e.Kind == wallet.Foreign {
				reply.Kept++
			}
		case have.SameSecret(e):
			reply.Known++
		default:
			reply.Refused = append(reply.Refused, importNote{e.ID, "this wallet has another secret under this signature id"})
		}
	}
	if err := w.Add(fresh...); err != nil {
		return err
	}
	if len(fresh) > 0 {
		if err := a.save(w, ledger.KeyLines(ledger.ActImport, idsOf(fresh))...); err != nil {
			return err
		}
	}
	reply.Imported = len(fresh)
	reply.Warnings = append(reply.Warnings, a.warnOfSharing(w, fresh...)...)
	if err := a.JSON(reply); err != nil {
		return err
	}
	a.adviseAfterImport(reply, path)
	if len(reply.Refused) > 0 {
		return cli.Silent(cli.Part)
	}
	return nil
}

// keysGone returns what the ledger of a wallet says about keys that left it. A
// new wallet has no ledger yet.
func (a *app) keysGone(w *opened) (func(id string) (ledger.At, bool), error) {
	if w.fresh {
		return func(string) (ledger.At, bool) { return ledger.At{}, false }, nil
	}
	book, err := a.bookOf(w)
	if err != nil {
		return nil, err
	}
	return book.KeyGone, nil
}

// adviseAfterImport says what to do with the old file. While it holds
// anything that is only there, the advice is to keep it.
func (a *app) adviseAfterImport(reply importReply, path string) {
	out := printable{a.Err}
	fmt.Fprintf(out, "%s. Tell the relay of them: kms-offline watch --out FILE.\n",
		counted(reply.Imported, "entry taken over", "entries taken over"))
	if len(reply.Refused) == 0 {
		fmt.Fprintf(out, `Once a payment has gone through, destroy %s and every copy of it:
its encryption (one round of MD5, no authentication) does not hold against guessing.
`, path)
		return
	}
	fmt.Fprintf(out, "Keep %s: %s not taken over, and what it holds is only there:\n", path, counted(len(reply.Refused), "entry was", "entries were"))
	for _, n := range reply.Refused {
		fmt.Fprintf(out, "  %s: %s\n", n.SignatureID, n.Reason)
	}
}

// readTatum reads the old file before anything is asked or made for the new
// wallet.
func (a *app) readTatum(path, passwordFile string) (tatumkms.Import, error) {
	file, err := a.read(path, tatumkms.MaxSize)
	if err != nil {
		return tatumkms.Import{}, err
	}
	password, err := a.tatumPassword(passwordFile)
	if err != nil {
		return tatumkms.Import{}, err
	}
	defer clear(password)
	im, err := tatumkms.Open(families().Derivation, file, password, a.now())
	switch {
	case errors.Is(err, tatumkms.ErrWrongPassword):
		return im, cli.Fail(cli.WrongPassword, err, "it is the password that Tatum KMS asks for; nothing was written")
	case err != nil:
		return im, cli.Fail(cli.Failed, err, "nothing was written")
	}
	return im, nil
}

func (a *app) tatumPassword(file string) ([]byte, error) {
	if file != "" {
		return a.passwordFrom(file)
	}
	tty, err := openTerminal()
	if err != nil {
		return nil, cli.Fail(cli.Usage, err, "give wallet.dat's password with --wallet-password-file")
	}
	defer tty.close()
	return tty.secret("Enter password of the Tatum wallet (wallet.dat):")
}

func notes(list []tatumkms.Note) []importNote {
	out := make([]importNote, len(list))
	for i, n := range list {
		out[i] = importNote{n.ID, n.Text}
	}
	return out
}
