package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/review"
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
	shown := a.newReviews(len(paths))
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
		batches.add(session, finished{judged: j})
		return stop(shown.add(j.Batch))
	})
	if shown.n == 0 {
		return err
	}
	defer a.tellLedger(session)
	if err := errors.Join(shown.end(), a.writeSummary(batches)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return codeOf(shown.ok, shown.refused)
}

// tellLedger says how far the ledger is, if it has grown: a person notes it.
func (a *app) tellLedger(session *openSession) {
	if now := session.Book(); now.Lines > session.length {
		fmt.Fprintf(a.Err, "the ledger has %d lines now, head words: %s\n", now.Lines, now.Words)
	}
}

// reviews prints batches one by one, each once it is judged: all of a folder of
// large requests at once would take much room. As JSON it is what printOneOrAll
// would print of them.
type reviews struct {
	out         *bufio.Writer
	json, array bool
	n           int
	ok, refused int // items
}

func (a *app) newReviews(asked int) *reviews {
	return &reviews{out: bufio.NewWriterSize(a.Out, 64<<10), json: a.json, array: asked > 1}
}

func (r *reviews) add(b review.Batch) error {
	ok, refused := b.Count()
	r.n, r.ok, r.refused = r.n+1, r.ok+ok, r.refused+refused
	err := r.write(b)
	if err = errors.Join(err, r.out.Flush()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (r *reviews) write(b review.Batch) error {
	if !r.json {
		return b.Text(printable{r.out})
	}
	before, prefix := "", ""
	switch {
	case r.array && r.n == 1:
		before, prefix = "[\n  ", "  "
	case r.array:
		before, prefix = ",\n  ", "  "
	}
	_, err := r.out.WriteString(before)
	return errors.Join(err, b.WriteJSON(printable{r.out}, prefix))
}

// end is for after the last batch.
func (r *reviews) end() error {
	if !r.json {
		return nil
	}
	after := "\n"
	if r.array {
		after = "\n]\n"
	}
	_, err := r.out.WriteString(after)
	if err = errors.Join(err, r.out.Flush()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// printOneOrAll prints the value of one request as it is, and those of several
// as an array: as many as were asked for, or fewer where some failed.
func printOneOrAll[T any](s cli.Streams, values []T, asked int) error {
	if asked == 1 && len(values) == 1 {
		return s.JSON(values[0])
	}
	return s.JSON(values)
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
