package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/tatum"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status [ID…]",
		Short: "show where each pending transaction stands",
		Long: `status lists the journal, oldest first: a table, or JSON with --json. FOR is how
long an item is in its state, CONF how deep it was in the chain when a daemon
looked last. On stderr it says how a daemon of this directory is, and which
alarms are open. It works beside a command that is running.

States: fetched, prepared, exported, signed, broadcast, completed; refused (by
the relay or the signer; see retry), rejected (see reject), failed (something
that a person must look at).`,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				list, err := r.Status(ctx, a.only(), trimmed(args)...)
				if err != nil {
					return err
				}
				for i := range list {
					list[i].Reason = cli.Printable(list[i].Reason)
				}
				a.sayDaemon()
				if _, err := a.sayAlarms(ctx, r); err != nil {
					return err
				}
				if a.json {
					return a.JSON(list)
				}
				return a.table(list)
			})
		},
	}
}

func (a *app) table(list []online.Status) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCHAIN\tNETWORK\tSTATE\tFOR\tCONF\tTXID\tWHY")
	for _, s := range list {
		txid := s.TxID
		if txid == "" {
			txid = "-"
		}
		why := strings.ReplaceAll(strings.TrimSpace(string(s.Code)+" "+s.Reason), "\n", " ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.ID, s.Chain, s.Network, s.State, a.age(s.Since), s.Depth, txid, why)
	}
	return w.Flush()
}

// age is how long ago a moment was, in two units at most: 45s, 12m, 3h5m, 9d4h.
func (a *app) age(since string) string {
	at, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return "-"
	}
	d := max(0, a.now().Sub(at))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// sayDaemon says how the daemon is, if there ever was one.
func (a *app) sayDaemon() {
	dir, err := a.dir()
	if err != nil {
		return
	}
	s, ok := a.lastSeen(dir)
	if !ok {
		return
	}
	ended := s.Round.At.Add(s.Round.Took)
	ago := a.age(ended.Format(time.RFC3339))
	if a.now().Sub(ended) > 3*time.Duration(s.Period)*time.Second+time.Minute {
		a.say("daemon: NOT RUNNING, or it hangs: its last round ended %s ago", ago)
	} else {
		a.say("daemon: round %d ended %s ago", s.Round.Number, ago)
	}
	if s.Round.Drop == "away" {
		a.say("daemon: the drop folder is away")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Round.Loops)) {
		if since := s.Round.Loops[name].Since; !since.IsZero() && ended.Sub(since) > time.Minute {
			a.say("daemon: %s: at it for %s", name, a.age(since.Format(time.RFC3339)))
		}
	}
	if n := s.Round.Unheard; n > 0 {
		a.say("daemon: %d events were not heard yet", n)
	}
	if n := s.Round.DeadLetters; n > 0 {
		a.say("daemon: %d events were given up; see: kms-online letters", n)
	}
	for _, step := range slices.Sorted(maps.Keys(s.Round.Troubles)) {
		a.say("daemon: %s: %s", step, s.Round.Troubles[step])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Round.Usage)) {
		a.sayKey(name, s.Round.Usage[name])
	}
}

func (a *app) sayKey(name string, u tatum.Usage) {
	if name == "" {
		name = "default"
	}
	text := fmt.Sprintf("daemon: API key %s: %d credits since it began", name, u.Credits)
	for _, b := range u.Budgets {
		text += fmt.Sprintf(", %d of %s", b.Credits, b.Budget)
	}
	for _, outcome := range slices.Sorted(maps.Keys(u.Calls)) {
		text += fmt.Sprintf(", %s %d", outcome, u.Calls[outcome])
	}
	a.say("%s", text)
	if !u.Paused.IsZero() && u.Paused.After(a.now()) {
		a.say("daemon: Tatum is left alone until %s", u.Paused.UTC().Format(time.RFC3339))
	}
	if u.Trouble != "" {
		a.say("daemon: last trouble with Tatum: %s", u.Trouble)
	}
}
