package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
)

func (a *app) report() *cobra.Command {
	var from, to string
	var asCSV bool
	var books booksFlags
	cmd := &cobra.Command{
		Use:   "report [ID…]",
		Short: "who signed what, and when, with hashes: for an audit",
		Long: `report prints, of every pending transaction or of those named, what the journal
and the imported results have on record: when it was fetched and with which API
key (by name), the SHA-256 of what Tatum asked for, the digest of the request,
each answer with the signer's fingerprint, whose approvals counted, the policy's
hash and the head of the signer's ledger, the SHA-256 of the signed transaction,
its txid, and where it stands; what it pays, as Tatum asks for it (pays), and in fees,
as what it spends proves (fee); approval
services whose no stands (vetoes), and who lifted one and why (liftedVeto); when its bytes
were first handed to the network (handed), and the last trouble with that. It
works beside a daemon.

With --csv there is one line an answer; a text that a spreadsheet would take for
a formula has a ' in front.

With --sum day or --sum payee it prints for the books what was broadcast or
completed: payments and amounts by day (UTC, on which they were first handed to
the network) or by payee, without what comes back, as a table, or with --csv, --json
or --html (a page to print). Then --from and --to are of that day. Fees are not in
it. What cannot be read is not counted, and named on stderr.

Exit status: 3 with --sum, where something could not be counted.`,
		Example: `  kms-online report --from 2026-11-01 --to 2026-12-01 --csv > november.csv
  kms-online report --sum day --from 2026-11-01 --to 2026-12-01
  kms-online report --sum payee --html > payees.html`,
		RunE: func(_ *cobra.Command, args []string) error {
			o := online.ReportOptions{Network: a.only(), IDs: trimmed(args)}
			for text, field := range map[*string]*time.Time{&from: &o.From, &to: &o.To} {
				var err error
				if *text == "" {
					continue
				}
				if *field, err = time.Parse(time.DateOnly, *text); err != nil {
					return cli.Fail(cli.Usage, fmt.Errorf("%.40q is not a day", *text), "such as: --from 2026-11-01 (UTC)")
				}
			}
			if err := books.check(asCSV); err != nil {
				return err
			}
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				if err := known(ctx, r, o.IDs); err != nil {
					return err
				}
				if err := a.sayRestored(ctx, r); err != nil {
					return err
				}
				if books.sum != "" {
					books.csv = asCSV
					return a.books(ctx, r, o, books)
				}
				if asCSV {
					return a.reportCSV(ctx, r, o)
				}
				list := []online.Audited{}
				err := r.Report(ctx, o, func(x online.Audited) error {
					list = append(list, x)
					return nil
				})
				if err != nil {
					return err
				}
				return a.JSON(list)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first fetched on or after this day (UTC), such as 2026-11-01")
	cmd.Flags().StringVar(&to, "to", "", "first fetched before this day")
	cmd.Flags().StringVar(&books.sum, "sum", "", "what was paid, summed up by day or by payee")
	cmd.Flags().BoolVar(&books.html, "html", false, "with --sum: a page to print")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "lines for a spreadsheet")
	return cmd
}

// reportCSV has one line for each answer to each item, and one for an item
// without any.
func (a *app) reportCSV(ctx context.Context, r *online.Relay, o online.ReportOptions) error {
	w := csv.NewWriter(a.Out)
	err := w.Write([]string{"id", "chain", "network", "key", "withdrawal", "state", "txid", "confirmations", "code", "reason", "fetched", "since", "asked_sha256", "request", "signed_sha256",
		"result", "imported", "signer", "operators", "outcome", "outcome_code", "outcome_reason", "policy_sha256", "ledger_head", "ledger_length", "pays", "vetoes", "lifted_veto", "handed", "trouble", "restored", "fee"})
	if err != nil {
		return err
	}
	err = r.Report(ctx, o, func(x online.Audited) error {
		line := []string{x.ID, string(x.Chain), x.Network, x.Account, x.Withdrawal, string(x.State), x.TxID, strconv.FormatInt(x.Depth, 10), string(x.Code), x.Reason,
			x.Created, x.Since, x.Asked, x.Request, x.Signed}
		last := []string{pays(x.Status), strings.Join(x.Vetoes, " "), x.Lifted, x.Handed, x.Trouble, x.Restored, x.Fee}
		if len(x.Answers) == 0 {
			return w.Write(cells(slices.Concat(line, make([]string, 10), last)))
		}
		for _, n := range x.Answers {
			answer := []string{n.Result, n.Imported, n.Signer, strings.Join(n.Operators, " "), n.Outcome, string(n.Code), n.Reason, n.Policy, n.LedgerHead, strconv.FormatUint(n.LedgerLen, 10)}
			if err := w.Write(cells(slices.Concat(line, answer, last))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// cells makes foreign words safe for a terminal and for a spreadsheet, which
// would run what begins like a formula.
func cells(line []string) []string {
	for i, s := range line {
		s = cli.Printable(s)
		if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
			s = "'" + s
		}
		line[i] = s
	}
	return line
}
