package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/pending"
)

// entryReport is one entry without any part of its secret.
type entryReport struct {
	Chain      chain.ID `json:"chain"`
	Testnet    bool     `json:"testnet"`
	Network    string   `json:"network"`
	Kind       string   `json:"kind"`
	XPub       string   `json:"xpub,omitempty"`
	Address    string   `json:"address,omitempty"`
	Passphrase bool     `json:"passphrase,omitempty"` // there is one
	Created    string   `json:"created"`
	Warnings   []string `json:"warnings,omitempty"`
}

type reportReply struct {
	Wallets  entryReports `json:"wallets"`
	Warnings []string     `json:"warnings"`
}

// entryReports is a JSON object by signature id, as Tatum KMS prints it, in
// the order of the wallet.
type entryReports []wallet.Entry

// MarshalJSON implements json.Marshaler.
func (list entryReports) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		id, err := json.Marshal(e.ID)
		if err != nil {
			return nil, err
		}
		one, err := json.Marshal(reportOf(e))
		if err != nil {
			return nil, err
		}
		b.Write(id)
		b.WriteByte(':')
		b.Write(one)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func reportOf(e wallet.Entry) entryReport {
	r := entryReport{
		Chain: e.Chain, Testnet: e.Network == chain.Testnet, Network: e.Network.String(), Kind: e.Kind.String(),
		XPub: e.XPub, Passphrase: len(e.Passphrase) > 0, Created: time.Unix(e.Created, 0).UTC().Format(time.RFC3339),
	}
	switch e.Kind {
	case wallet.Mnemonic:
		if hd.CheckMnemonic(e.Words) != nil {
			r.Warnings = append(r.Warnings, "its words are not a valid BIP 39 mnemonic: other wallets may refuse them")
		}
	case wallet.PrivateKey:
		if p, err := utxo.ParamsOf(e.Coin); err == nil {
			r.Address, _ = p.KeyAddress(e.Public)
		}
	default:
		r.Warnings = append(r.Warnings, notYet(e.Chain).Error())
	}
	if !pending.ValidSignatureID(e.ID) {
		r.Warnings = append(r.Warnings, "Tatum cannot ask for this signature id")
	}
	return r
}

func (a *app) report() *cobra.Command {
	var chains []string
	cmd := &cobra.Command{
		Use:   "report [ID...]",
		Short: "list the wallet's entries without any secret",
		Long: `report lists signature ids with chain, network, kind, public key or address, and
what there is to be warned of. It shows no part of a secret.

Without ids it lists the entries of mainnet, or of testnet with --testnet, and says
how many there are of the other; --chain narrows it to some chains, those that are
not signed for yet included. Entries that are named by id are listed whatever their
network.

Exit status: 0 done, 1 none of the ids is in the wallet, 3 some are not.`,
		Example: `  kms-offline --path wallet.kms --testnet report --chain BTC,LTC
  kms-offline --path wallet.kms report 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69`,
		RunE: func(_ *cobra.Command, ids []string) error {
			list, err := chainList(chains)
			if err != nil {
				return err
			}
			if len(list) > 0 && len(ids) > 0 {
				return cli.Fail(cli.Usage, errors.New("--chain and signature ids do not go together"), "name either")
			}
			return a.runReport(ids, list)
		},
	}
	cmd.Flags().StringSliceVar(&chains, "chain", nil, "only these chains, such as BTC,LTC (default all)")
	return cmd
}

func (a *app) runReport(ids []string, chains []chain.ID) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	a.warnUnsettled(w)
	reply := reportReply{Wallets: entryReports{}, Warnings: []string{}}
	if len(ids) == 0 {
		a.list(w, chains, &reply)
		return a.JSON(reply)
	}
	missing := 0
	for _, id := range ids {
		e, there := w.Entry(id)
		switch {
		case !there:
			missing++
			reply.Warnings = append(reply.Warnings, fmt.Sprintf("No wallet found for signatureId: %s", cli.Printable(id)))
		case !slices.ContainsFunc(reply.Wallets, func(o wallet.Entry) bool { return o.ID == id }):
			reply.Wallets = append(reply.Wallets, e)
		}
	}
	if err := a.JSON(reply); err != nil || missing == 0 {
		return err
	}
	code := cli.Part
	if missing == len(ids) {
		code = cli.Failed
	}
	return cli.Fail(code, fmt.Errorf("%d of %s not in this wallet", missing, counted(len(ids), "signature id is", "signature ids are")), "")
}

// list takes the entries of the network and chains that were chosen, and says
// what it leaves out.
func (a *app) list(w *opened, chains []chain.ID, reply *reportReply) {
	for _, c := range chains {
		if !isBuilt(c) {
			reply.Warnings = append(reply.Warnings, notYet(c).Error())
		}
	}
	others := 0
	for _, e := range w.Entries() {
		switch {
		case len(chains) > 0 && !slices.Contains(chains, e.Chain):
		case e.Network != a.network():
			others++
		default:
			reply.Wallets = append(reply.Wallets, e)
		}
	}
	if others > 0 {
		hint := "with --testnet"
		if a.testnet {
			hint = "without --testnet"
		}
		reply.Warnings = append(reply.Warnings, fmt.Sprintf("%s of the other network: report %s lists them", counted(others, "entry is", "entries are"), hint))
	}
}
