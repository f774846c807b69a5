package main

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/interop"
	"coldkms/shared/chain"
	"coldkms/shared/psbt"
)

// judging is what review, approve and sign are told about a batch.
type judging struct {
	chain   string
	only    chain.ID // what chain names
	without []string // pending ids that are taken out
}

func (r *judging) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.chain, "chain", "", "of a PSBT whose keys the wallet has for several chains: which it is for")
	cmd.Flags().StringArrayVar(&r.without, "without", nil, "take the item with this pending id out: it is not signed and counts towards no limit (once for each)")
}

// words are the flags as they are typed.
func (r *judging) words() string {
	words := ""
	if r.chain != "" {
		words += " --chain " + r.chain
	}
	for _, id := range r.without {
		words += " --without " + id
	}
	return words
}

// again says with which flags a batch is the same one.
func (r *judging) again() string {
	if words := r.words(); words != "" {
		return ", with" + words
	}
	return ""
}

// refusal is bundleError, with the review that is missing as it is typed.
func (r *judging) refusal(err error) error {
	if errors.Is(err, offline.ErrNotReviewed) {
		return cli.Fail(cli.Refused, err, "review it first: kms-offline review FILE"+cli.Printable(r.words()))
	}
	return bundleError(err)
}

// check reads the flags' values. An id means one batch.
func (r *judging) check(args []string) (err error) {
	if len(r.without) > 0 && len(args) > 1 {
		return cli.Fail(cli.Usage, errors.New("--without is for one IN"), "review and sign this batch by itself")
	}
	if r.chain != "" {
		r.only, err = chainArg(r.chain)
	}
	return err
}

// judge judges a request, or a PSBT as if it were one.
func (a *app) judge(session *openSession, file []byte, how judging) (*offline.Judged, error) {
	if session.noRules != nil {
		return nil, policyError(session.noRules)
	}
	if err := a.timely(session.Ledger); err != nil {
		return nil, stop(err)
	}
	judge := session.Judge
	if psbt.Is(file) {
		judge = func(file []byte) (*offline.Judged, error) { return interop.JudgePSBT(session.Session, file, how.only) }
	}
	judging := a.busy("judging what is asked")
	j, err := judge(file)
	judging()
	if err != nil {
		return nil, bundleError(err)
	}
	if err := session.TakeOut(j, how.without...); err != nil {
		return nil, cli.Fail(cli.Usage, err, "--without takes the pending ids that review shows")
	}
	return j, nil
}

// writePSBT writes the signed PSBT, whole or not at all. Nothing is written
// where it was refused: there is no relay that would learn why.
func (a *app) writePSBT(judged *offline.Judged, done offline.Signatures, dir string) (string, error) {
	signed, err := judged.Answer(done)
	if err != nil || signed == nil {
		return "", err
	}
	path := filepath.Join(dir, done.Outcomes[0].ID+"-signed.psbt")
	if err = a.folder(dir); err == nil {
		err = a.carry(path, signed)
	}
	return path, notCarried(err, "PSBT")
}
