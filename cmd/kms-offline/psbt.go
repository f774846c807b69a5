package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/psbt"
)

// psbtFlags adds what only a PSBT needs.
func psbtFlags(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "chain", "", "of a PSBT whose keys the wallet has for several chains: which it is for")
}

// psbtChain reads --chain of review and sign.
func psbtChain(name string) (chain.ID, error) {
	if name == "" {
		return "", nil
	}
	return chainArg(name)
}

// judge judges a request, or a PSBT as if it were one.
func (a *app) judge(session *openSession, file []byte, only chain.ID) (*offline.Judged, error) {
	if session.noRules != nil {
		return nil, policyError(session.noRules)
	}
	judge := session.Judge
	if psbt.Is(file) {
		judge = func(file []byte) (*offline.Judged, error) { return session.JudgePSBT(file, only) }
	}
	j, err := judge(file)
	if err != nil {
		return nil, bundleError(err)
	}
	return j, nil
}

// writePSBT writes the signed PSBT, whole or not at all. Nothing is written
// where it was refused: there is no relay that would learn why.
func (a *app) writePSBT(judged *offline.Judged, done offline.Signatures, dir string) (string, error) {
	signed, err := judged.SignedPSBT(done)
	if err != nil || signed == nil {
		return "", err
	}
	if err := a.folder(dir); err != nil {
		return "", err
	}
	path := filepath.Join(dir, done.Outcomes[0].ID+"-signed.psbt")
	if err := durable.Create(a.fs, path, signed, durable.PermFile, nil); err != nil {
		return "", cli.Fail(cli.Failed, err, "the ledger has the signatures on record: sign the same PSBT again into another folder, the bytes will be the same")
	}
	return path, nil
}
