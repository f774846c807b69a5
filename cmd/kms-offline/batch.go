package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

type keyReply struct {
	SignatureID string `json:"signatureId"`
	Address     string `json:"address"`
}

func (a *app) generateBatch() *cobra.Command {
	return &cobra.Command{
		Use:   "generatemanagedprivatekeybatch CHAIN COUNT",
		Short: "make many private keys at once and store them",
		Long: fmt.Sprintf(`generatemanagedprivatekeybatch makes up to %d private keys, stores them with one
durable write, and then prints a line {"signatureId","address"} for each (with
--json one JSON array). The address is the one that "getaddress ID" prints.

Each key is drawn straight from the system's randomness. (Tatum KMS makes a
mnemonic a key, keeps the key of its child 1 and throws the words away.) There
are no words to write down: back the wallet file up before you hand addresses
out.

Exit status: 0 all stored, 1 nothing stored, 2 usage.`, wallet.MaxBatch),
		Example: "  kms-offline --path wallet.kms --testnet generatemanagedprivatekeybatch BTC 1000 >keys.jsonl",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := chainArg(args[0])
			if err != nil {
				return err
			}
			count, err := strconv.Atoi(args[1])
			if err != nil || count < 1 || count > wallet.MaxBatch {
				return cli.Fail(cli.Usage, fmt.Errorf("%.40q is not a number of keys", args[1]), fmt.Sprintf("it is a number from 1 to %d", wallet.MaxBatch))
			}
			return a.runBatch(c, count)
		},
	}
}

func (a *app) runBatch(c chain.ID, count int) error {
	p, err := utxo.ParamsOf(chain.Coin{Chain: c, Network: a.network()})
	if err != nil {
		return err
	}
	w, err := a.openOrCreate()
	if err != nil {
		return err
	}
	defer w.Close()
	line := a.progress()
	entries, err := w.NewKeys(chain.Coin{Chain: c, Network: a.network()}, count, a.now(), func(done int) { line.show("made %d of %d keys", done, count) })
	if err == nil {
		line.show("writing %d keys", count)
		err = a.save(w, ledger.KeyLines(ledger.ActAdd, idsOf(entries))...)
	}
	line.end()
	if err != nil {
		return keyError(err)
	}
	keys := make([]keyReply, len(entries))
	for i, e := range entries {
		keys[i].SignatureID = e.ID
		keys[i].Address, _ = p.KeyAddress(e.Public)
	}
	if err := a.printKeys(keys); err != nil {
		return cli.Fail(cli.Failed, err, fmt.Sprintf("all %d keys are stored all the same: kms-offline report lists them", count))
	}
	return nil
}

// printKeys prints a line a key, or one array with --json.
func (a *app) printKeys(keys []keyReply) error {
	if a.json {
		return a.JSON(keys)
	}
	out := bufio.NewWriter(a.Out)
	enc := json.NewEncoder(out)
	for _, k := range keys {
		if err := enc.Encode(k); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
