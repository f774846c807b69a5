package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
)

func (a *app) review() *cobra.Command {
	var how judging
	var summary string
	var byQR bool
	cmd := &cobra.Command{
		Use:   "review IN... | review --qr [SOURCE]",
		Short: "show what each transaction does; signs nothing",
		Long: `review proves and judges every transaction of a request and shows it. It prints
the batch digest, and the ledger remembers that this batch was reviewed, so that
"sign --approve DIGEST" can sign exactly it later.

IN is a request file, a folder of them, or a PSBT (BIP 174) that spends from
keys of this wallet.

With several IN each is judged by itself; one that is no valid request does not
stop the others.

Exit status: 0 all can be signed, 3 some are refused, or some IN are no valid
request, 20 all are refused, 22 the file is no valid request for this wallet.`,
		Example: `  kms-offline review /media/usb/coldkms-20261123-101500-3items-1a2b3c4d.kmsreq
  kms-offline --json review request.kmsreq`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runReview(args, byQR, how, summary) },
	}
	cmd.Flags().BoolVar(&byQR, "qr", false, qrHelp)
	how.flags(cmd)
	summaryFlag(cmd, &summary)
	return cmd
}

func (a *app) runReview(args []string, byQR bool, how judging, summary string) error {
	err := how.check(args)
	if err == nil {
		err = a.checkSummary(summary)
	}
	if err != nil {
		return err
	}
	paths, err := a.inputs(args, byQR)
	if err != nil {
		return err
	}
	session, err := a.openSession()
	if err != nil {
		return err
	}
	defer session.Close()
	var judged []*offline.Judged
	batches := a.newSummary(session, summary)
	err = a.each(paths, func(file []byte) error {
		j, err := a.judge(session, file, how)
		if err != nil {
			return err
		}
		if err := a.tellUnfinished(session, j); err != nil {
			return err
		}
		if err := session.RecordReview(j); err != nil {
			return stop(ledgerError(err))
		}
		judged = append(judged, j)
		batches.add(session, finished{judged: j})
		return nil
	})
	if len(judged) == 0 {
		return err
	}
	defer a.tellLedger(session)
	if err := errors.Join(a.showReviews(judged, len(paths)), a.writeSummary(batches)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return codeOf(count(judged))
}

// tellLedger says how far the ledger is, if it has grown: a person notes it.
func (a *app) tellLedger(session *openSession) {
	if now := session.Book(); now.Lines > session.length {
		fmt.Fprintf(a.Err, "the ledger has %d lines now, head words: %s\n", now.Lines, now.Words)
	}
}

func (a *app) showReviews(judged []*offline.Judged, asked int) error {
	if !a.json {
		for _, j := range judged {
			if err := j.Batch.Text(printable{a.Out}); err != nil {
				return err
			}
		}
		return nil
	}
	out := bufio.NewWriterSize(a.Out, 64<<10)
	err := writeReviews(printable{out}, judged, asked)
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// writeReviews writes what printOneOrAll would print of the batches.
func writeReviews(out io.Writer, judged []*offline.Judged, asked int) error {
	if asked == 1 && len(judged) == 1 {
		err := judged[0].Batch.WriteJSON(out, "")
		_, end := io.WriteString(out, "\n")
		return errors.Join(err, end)
	}
	separator := "[\n  "
	for _, j := range judged {
		if _, err := io.WriteString(out, separator); err != nil {
			return err
		}
		if err := j.Batch.WriteJSON(out, "  "); err != nil {
			return err
		}
		separator = ",\n  "
	}
	_, err := io.WriteString(out, "\n]\n")
	return err
}

// printOneOrAll prints the value of one request as it is, and those of several
// as an array: as many as were asked for, or fewer where some failed.
func printOneOrAll[T any](s cli.Streams, values []T, asked int) error {
	if asked == 1 && len(values) == 1 {
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
