package main

import (
	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/review"
)

func (a *app) review() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "review IN...",
		Short: "show what each transaction does; signs nothing",
		Long: `review proves and judges every transaction of a request and shows it. It prints
the batch digest, and the ledger remembers that this batch was reviewed, so that
"sign --approve DIGEST" can sign exactly it later.

IN is a request file, a folder of them, or a PSBT (BIP 174) that spends from
keys of this wallet.

Exit status: 0 all can be signed, 3 some are refused, 20 all are refused,
22 the file is no valid request for this wallet.`,
		Example: `  kms-offline review /media/usb/coldkms-20261123-101500-3items-1a2b3c4d.kmsreq
  kms-offline --json review request.kmsreq`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runReview(args, name) },
	}
	psbtFlags(cmd, &name)
	return cmd
}

func (a *app) runReview(args []string, name string) error {
	only, err := psbtChain(name)
	if err != nil {
		return err
	}
	files, err := a.readRequests(args)
	if err != nil {
		return err
	}
	session, err := a.openSession()
	if err != nil {
		return err
	}
	defer session.Close()
	var judged []*offline.Judged
	for _, file := range files {
		j, err := a.judge(session, file, only)
		if err != nil {
			return err
		}
		if err := session.RecordReview(j); err != nil {
			return ledgerError(err)
		}
		judged = append(judged, j)
	}
	if err := a.showReviews(judged); err != nil {
		return err
	}
	return codeOf(count(judged))
}

func (a *app) showReviews(judged []*offline.Judged) error {
	if !a.json {
		for _, j := range judged {
			if err := j.Batch.Text(printable{a.Out}); err != nil {
				return err
			}
		}
		return nil
	}
	docs := make([]review.BatchJSON, len(judged))
	for i, j := range judged {
		docs[i] = j.Batch.JSON()
	}
	return printOneOrAll(a.Streams, docs)
}

// printOneOrAll prints the value of one request as it is and those of several
// as an array.
func printOneOrAll[T any](s cli.Streams, values []T) error {
	if len(values) == 1 {
		return s.JSON(values[0])
	}
	return s.JSON(values)
}

func count(judged []*offline.Judged) (ok, refused int) {
	for _, j := range judged {
		o, r := j.Batch.Count()
		ok, refused = ok+o, refused+r
	}
	return ok, refused
}

// codeOf turns counts into the exit code: some refused, or all.
func codeOf(ok, refused int) error {
	switch {
	case refused == 0:
		return nil
	case ok == 0:
		return cli.Silent(cli.Refused)
	}
	return cli.Silent(cli.Part)
}
