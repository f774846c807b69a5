package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// maxListed is how many entries ledger list prints at most.
const maxListed = 10_000

func (a *app) ledgerList() *cobra.Command {
	since, limit := 24*time.Hour, 200
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list what was signed, refused and declined lately",
		Long: `list prints a line for each signature, each refusal, what a person took out of a
batch and each batch that was declined, the newest last: time, what was done, pending
id, coin, how much is paid beyond change, to how many destinations, transaction id,
and the operators who approved. "signed again" is the same bytes as before: nothing new is paid.

What was done within --since counts back by the ledger's own clock, which never goes
back. Of more than --limit entries the newest are printed, and stderr says how many
are not. With --json, amounts are in smallest units, and the reasons of refusals are
there. ledger export prints everything.`,
		Example: `  kms-offline --path wallet.kms ledger list
  kms-offline --path wallet.kms ledger list --since 168h --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if since <= 0 || limit < 1 || limit > maxListed {
				return cli.Fail(cli.Usage, fmt.Errorf("--since is a time such as 24h, and --limit from 1 to %d", maxListed), "")
			}
			return a.withLedger(func(s *openSession) error { return a.listLately(s, since, limit) })
		},
	}
	cmd.Flags().DurationVar(&since, "since", since, "how far back, such as 24h")
	cmd.Flags().IntVar(&limit, "limit", limit, "at most so many entries, the newest")
	return cmd
}

// listed is what ledger list says of one line.
type listed struct {
	Line         uint64       `json:"line"`
	Time         string       `json:"time"` // by the machine's clock
	Done         string       `json:"done"` // "signed", "signed again", "refused", "left out" or "declined"
	ID           string       `json:"id,omitempty"`
	Batch        string       `json:"batch"`
	Chain        chain.ID     `json:"chain,omitempty"`
	Network      string       `json:"network,omitempty"`
	Paid         chain.Amount `json:"paid"` // of the coin, beyond change
	Fee          chain.Amount `json:"fee"`
	Tokens       int          `json:"tokens,omitempty"` // payments of tokens, which are not in paid
	Destinations int          `json:"destinations"`
	TxID         string       `json:"txId,omitempty"`
	Operators    []string     `json:"operators,omitempty"`
	Items        int          `json:"items,omitempty"` // that were declined or left out
	Code         chain.Code   `json:"code,omitempty"`
	Reason       string       `json:"reason,omitempty"`
}

type listReply struct {
	Since   string   `json:"since"`
	Entries []listed `json:"entries"`
	Earlier int      `json:"earlier"` // that were in that time, too, and are not among entries
}

// keep drops all but the newest entries.
func (r *listReply) keep(newest int) {
	more := max(len(r.Entries)-newest, 0)
	r.Entries, r.Earlier = slices.Delete(r.Entries, 0, more), r.Earlier+more
}

// listLately lists what was done in a time.
func (a *app) listLately(s *openSession, since time.Duration, limit int) error {
	from := s.Ledger.Now() - int64(since/time.Second)
	reply := listReply{Since: time.Unix(from, 0).UTC().Format(time.RFC3339), Entries: []listed{}}
	err := s.Ledger.Lines(func(line ledger.Line) error {
		of, is := listedOf(s.Ledger, line)
		if !is || line.Clock < from {
			return nil
		}
		if reply.Entries = append(reply.Entries, of); len(reply.Entries) >= 2*limit {
			reply.keep(limit)
		}
		return nil
	})
	if err != nil {
		return ledgerError(err)
	}
	reply.keep(limit)
	if reply.Earlier > 0 {
		fmt.Fprintf(a.Err, "%s not printed: --limit N, at most %d\n",
			counted(reply.Earlier, "earlier entry is", "earlier entries are"), maxListed)
	}
	if a.json {
		return a.JSON(reply)
	}
	return reply.text(a.Out)
}

// listedOf returns what is listed of a line, and whether it is at all.
func listedOf(book *ledger.Ledger, line ledger.Line) (of listed, is bool) {
	of = listed{
		Line: line.N, Time: line.Time, ID: line.ID, Batch: line.Request, Chain: line.Chain, Network: line.Network,
		TxID: line.TxID, Code: line.Code, Reason: line.Reason,
	}
	switch line.Kind {
	case ledger.KindSigned:
		of.Done = "signed"
		content, err := bundle.ParseDigest(line.Content)
		if at, was := book.SignedAt(content); err == nil && was && at.Line < line.N {
			of.Done = "signed again"
		}
	case ledger.KindRefused:
		of.Done = "refused"
	case ledger.KindLeftOut:
		of.Done, of.Items = "left out", len(line.Left)
	case ledger.KindDeclined:
		of.Done, of.Items = "declined", line.Items
	default:
		return of, false
	}
	of.pay(line)
	for _, o := range line.Operators {
		name, _, _ := strings.Cut(o, " ")
		of.Operators = append(of.Operators, name)
	}
	slices.Sort(of.Operators)
	return of, true
}

// pay sums up what a line pays.
func (of *listed) pay(line ledger.Line) {
	to := make(map[string]bool)
	for _, p := range line.Paid {
		if to[p.To] = true; p.Token != "" {
			of.Tokens++
			continue
		}
		of.Paid = of.Paid.Plus(p.Value)
	}
	of.Destinations = len(to)
	if line.Fee != nil {
		of.Fee = *line.Fee
	}
}

// text writes the entries as a table.
func (r listReply) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "LINE\tTIME\tDONE\tID OR BATCH\tCOIN\tPAID\tTO\tTRANSACTION OR WHY\tOPERATORS\n")
	for _, of := range r.Entries {
		id, why := of.ID, of.TxID
		if id == "" {
			id = "batch " + of.Batch[:min(len(of.Batch), 16)]
		}
		switch {
		case why == "" && of.Items > 0:
			why = counted(of.Items, "item", "items")
		case why == "":
			why = string(of.Code)
		}
		coin := strings.TrimSpace(string(of.Chain) + " " + of.Network)
		cells := []string{
			fmt.Sprint(of.Line), of.Time, of.Done, id, coin, of.amount(),
			fmt.Sprint(of.Destinations), why, strings.Join(of.Operators, ","),
		}
		for i := range cells {
			cells[i] = inLine(cells[i])
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("ledger list: %w", err)
	}
	if len(r.Entries) == 0 {
		fmt.Fprintf(out, "nothing was signed, refused or declined since %s\n", r.Since)
	}
	return nil
}

// amount writes what was paid in the coin's own unit, where this version knows it.
func (of listed) amount() string {
	if of.Chain == "" {
		return ""
	}
	text := of.Paid.String()
	if coin, ok := families().Coin(chain.Coin{Chain: of.Chain, Network: chain.NetworkNamed(of.Network)}); ok {
		asset := coin.Asset()
		text = asset.Units(of.Paid)
	}
	if of.Tokens > 0 {
		text += fmt.Sprintf(" and %s", counted(of.Tokens, "payment of a token", "payments of tokens"))
	}
	return text
}
