package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/cmd/internal/qrcli"
	"coldkms/offline/sign/utxo"
	"coldkms/offline/wallet"
	"coldkms/shared/capture/camera"
	"coldkms/shared/chain"
	family "coldkms/shared/chain/utxo"
	"coldkms/shared/parallel"
)

// maxIndices bounds how many derivation indices of each mnemonic are searched.
const maxIndices = 1_000_000

func (a *app) verifyAddress() *cobra.Command {
	var indices int64
	var name string
	var byQR bool
	cmd := &cobra.Command{
		Use:   "verify-address ADDRESS [ID [INDEX]] | verify-address --qr [SOURCE]",
		Short: "prove that an address belongs to this wallet",
		Long: `verify-address derives the wallet's own addresses again and says whether ADDRESS
is one of them: what a screen on the relay shows as ours is ours only if the
signer says so.

Without ID all entries of the address's coin and network are searched, of a
mnemonic the derivation indices below --indices. With ID, or ID and INDEX, only
that entry or key. With --qr the address is read from a QR symbol.

Exit status: 0 it is own, 1 it is not among what was searched, 2 no address.`,
		Example: `  kms-offline --path wallet.kms verify-address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx
  kms-offline --path wallet.kms verify-address --chain BCH bitcoincash:qp... 8c3ba0f0-4b41-4ec9-b66c-1f2d3c4b5a69 7`,
		Args: cobra.MaximumNArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			if indices < 1 || indices > maxIndices {
				return cli.Fail(cli.Usage, fmt.Errorf("--indices is 1 to %d", maxIndices), "")
			}
			args, err := a.addressArgs(args, byQR)
			if err != nil {
				return err
			}
			return a.runVerifyAddress(args, name, indices)
		},
	}
	cmd.Flags().Int64Var(&indices, "indices", 1000, "search these many derivation indices of each mnemonic")
	cmd.Flags().BoolVar(&byQR, "qr", false, "read the address from a QR symbol: of a camera (the default), a folder, a picture, a GIF, or - for a stream")
	cmd.Flags().StringVar(&name, "chain", "", "BTC, LTC, DOGE or BCH, where the form of the address does not tell")
	return cmd
}

// addressArgs puts the address that a symbol holds in the place of its source.
func (a *app) addressArgs(args []string, byQR bool) ([]string, error) {
	if !byQR {
		if len(args) == 0 {
			return nil, cli.Fail(cli.Usage, errors.New("ADDRESS is missing"), "name it, or read it with --qr")
		}
		return append([]string{addressOf(args[0])}, args[1:]...), nil
	}
	source := camera.Default
	if len(args) > 0 {
		source, args = args[0], args[1:]
	}
	text, err := qrcli.ScanText(context.Background(), source, os.Stdin)
	if err != nil {
		return nil, err
	}
	return append([]string{addressOf(text)}, args...), nil
}

type ownReply struct {
	Address     string   `json:"address"`
	Own         bool     `json:"own"`
	Chain       chain.ID `json:"chain,omitempty"`
	Network     string   `json:"network,omitempty"`
	SignatureID string   `json:"signatureId,omitempty"`
	Index       *int64   `json:"index,omitempty"`
	Searched    int64    `json:"searched"` // keys
}

// reading is what an address says on one chain and network.
type reading struct {
	chain   chain.ID
	network chain.Network
	script  []byte
}

// readings returns every chain and network that an address is good for: the
// forms of some coins cannot be told apart.
func readings(address string, only chain.ID) []reading {
	var list []reading
	for _, c := range built() {
		for _, n := range []chain.Network{chain.Mainnet, chain.Testnet} {
			p, err := family.ParamsOf(chain.Coin{Chain: c, Network: n})
			if err != nil || (only != "" && c != only) {
				continue
			}
			if script, err := p.ScriptOf(address); err == nil {
				list = append(list, reading{c, n, script})
			}
		}
	}
	return list
}

func (a *app) runVerifyAddress(args []string, name string, indices int64) error {
	var only chain.ID
	if name != "" {
		var err error
		if only, err = chainArg(name); err != nil {
			return err
		}
	}
	read := readings(args[0], only)
	if len(read) == 0 {
		return cli.Fail(cli.Usage, fmt.Errorf("%q is no address of a coin that this signer knows", args[0]), "copy it whole; --chain says which coin's it is")
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	a.warnUnsettled(w)
	s := search{wallet: w, indices: indices}
	reply, err := s.run(args, read)
	if err != nil {
		return err
	}
	if err := a.JSON(reply); err != nil {
		return err
	}
	if !reply.Own {
		return cli.Fail(cli.Failed, fmt.Errorf("not own: none of the %d keys that were searched has this address", reply.Searched),
			"do not pay to it as to one of yours; --indices searches further")
	}
	return nil
}

type search struct {
	wallet  *opened
	indices int64
}

func (s search) run(args []string, read []reading) (ownReply, error) {
	entries := s.wallet.Entries()
	from, to := int64(0), s.indices
	if len(args) > 1 {
		e, err := entry(s.wallet, args[1])
		if err != nil {
			return ownReply{}, err
		}
		entries = []wallet.Entry{e}
		if len(args) > 2 {
			if from, err = indexArg(e, args[1:]); err != nil {
				return ownReply{}, err
			}
			to = from + 1
		}
	}
	found := make([]*ownReply, len(entries))
	var searched atomic.Int64
	var failed atomic.Pointer[error]
	parallel.Each(len(entries), func(i int) {
		own, err := s.entry(entries[i], read, from, to, &searched)
		if err != nil {
			failed.Store(&err)
		}
		found[i] = own
	})
	reply := ownReply{Address: args[0]}
	for _, own := range found {
		if own != nil {
			reply = *own
			reply.Address = args[0]
			break
		}
	}
	reply.Searched = searched.Load()
	if err := failed.Load(); err != nil && !reply.Own {
		return reply, *err
	}
	return reply, nil
}

// entry looks for the address among the keys of one entry.
func (s search) entry(e wallet.Entry, read []reading, from, to int64, searched *atomic.Int64) (*ownReply, error) {
	if e.Kind == wallet.PrivateKey {
		from, to = chain.NoIndex, chain.NoIndex+1
	}
	for _, r := range read {
		if e.Chain != r.chain || e.Network != r.network || !e.Signable() {
			continue
		}
		for index := from; index < to; index++ {
			searched.Add(1)
			key := chain.Key{SignatureID: e.ID, Index: index}
			owners, err := utxo.Signer{Chains: built()}.Owners(chain.Coin{Chain: r.chain, Network: r.network}, [][]byte{r.script}, []chain.Key{key}, s.wallet)
			if err != nil {
				return nil, err
			}
			if len(owners) > 0 {
				own := &ownReply{Own: true, Chain: e.Chain, Network: e.Network.String(), SignatureID: e.ID}
				if index != chain.NoIndex {
					own.Index = &index
				}
				return own, nil
			}
		}
	}
	return nil, nil
}
