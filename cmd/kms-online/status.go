package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

func (a *app) status() *cobra.Command {
	var o statusFlags
	cmd := &cobra.Command{
		Use:   "status [ID…]",
		Short: "show where each pending transaction stands",
		Long: `status lists what is open, and what came to an end within the last hour, oldest
first: a table, or JSON with --json. FOR is how long an item is in its state, CONF
how deep it was in the chain when a daemon or watch looked last (- where nobody has
seen it in a block). PAYS is what Tatum asks
for without what comes back to keys of the watch file; nothing of it is proven
before the signer has seen it. An item that another
relay works with, or was killed at, shows by whom it is held and until when. On
stderr are totals, how a daemon of this directory is, and which alarms are open.
It works beside a command that is running.

Exit status: 3 where one of the ids is unknown here; those that are known are
shown, and the alarms about those that are not.

States: fetched, prepared, exported, signed, broadcast, completed; refused (by
the relay or the signer; see retry), rejected (see reject), failed (something
that a person must look at).`,
		Example: `  kms-online status
  kms-online status --all --since 2026-11-01 --chain BTC --limit 100
  kms-online status --item-state signed,broadcast
  kms-online status --all --limit 100 --after 6a1f0e9d3c5b7a8899001122
  kms-online status --totals`,
		RunE: func(_ *cobra.Command, args []string) error {
			page, err := o.options(a, args)
			if err != nil {
				return err
			}
			return a.relay(looking, func(ctx context.Context, r *online.Relay) error {
				if o.totals {
					totals, err := r.TotalsOf(ctx, page)
					if err != nil {
						return err
					}
					return a.JSON(totals)
				}
				return a.showStatus(ctx, r, page)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.states, "item-state", nil, "only these states, such as signed,broadcast")
	flags.StringSliceVar(&o.chains, "chain", nil, "only these chains, such as BTC,LTC")
	flags.StringVar(&o.since, "since", "", "only what came into its state since this day (UTC) or time, such as 2026-11-01 or 2026-11-01T12:00:00Z")
	flags.BoolVar(&o.all, "all", false, "what is finished, too")
	flags.IntVar(&o.limit, "limit", 1000, "at most so many (0: no bound)")
	flags.StringVar(&o.after, "after", "", "the next page: what comes after this pending id")
	flags.BoolVar(&o.totals, "totals", false, "only how many items there are, by state, as JSON; of all, or of those that the other flags choose")
	return cmd
}

// statusFlags are the flags of status as they are typed.
type statusFlags struct {
	states, chains []string
	since, after   string
	all, totals    bool
	limit          int
}

func (o statusFlags) options(a *app, ids []string) (online.StatusOptions, error) {
	page := online.StatusOptions{Network: a.only(), IDs: trimmed(ids), All: o.all, After: o.after, Limit: o.limit}
	if o.limit < 0 {
		return page, cli.Fail(cli.Usage, fmt.Errorf("--limit %d is less than nothing", o.limit), "such as: --limit 100, or --limit 0 for no bound")
	}
	if len(ids) > 0 {
		page.Limit = 0
	}
	for _, s := range o.states {
		state := journal.State(strings.ToLower(strings.TrimSpace(s)))
		if !slices.Contains(journal.States(), state) {
			return page, cli.Fail(cli.Usage, fmt.Errorf("%.40q is not a state", s), "kms-online status --help lists them")
		}
		page.States = append(page.States, state)
	}
	for _, c := range o.chains {
		id, err := chain.ParseID(strings.TrimSpace(c))
		if err != nil {
			return page, cli.Fail(cli.Usage, err, "such as: --chain BTC,LTC")
		}
		page.Chains = append(page.Chains, id)
	}
	if o.since == "" {
		return page, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, o.since); err == nil {
			page.Since = at
			return page, nil
		}
	}
	return page, cli.Fail(cli.Usage, fmt.Errorf("%.40q is not a time", o.since), "such as: --since 2026-11-01, or --since 2026-11-01T12:00:00Z")
}

func (a *app) showStatus(ctx context.Context, r *online.Relay, page online.StatusOptions) error {
	list, more, unknown := r.StatusPage(ctx, page)
	if unknown != nil && !errors.Is(unknown, journal.ErrNoItem) {
		return unknown
	}
	cleanItems(list)
	totals, err := r.Totals(ctx)
	if err != nil {
		return err
	}
	if err := a.sayRestored(ctx, r); err != nil {
		return err
	}
	a.say("%d open, %d finished", totals.Open, totals.Finished)
	if more {
		a.say("there are more: add --after %s for the next page", list[len(list)-1].ID)
	}
	a.sayDaemon()
	if _, err := a.sayAlarms(ctx, r); err != nil {
		return err
	}
	if unknown != nil {
		if err := a.sayNotHere(ctx, r, page.IDs, list); err != nil {
			return err
		}
	}
	switch {
	case a.json:
		err = a.JSON(list)
	case len(list) > 0 || unknown == nil:
		err = a.table(list)
	}
	if err != nil || unknown == nil {
		return err
	}
	return cli.Fail(cli.Part, unknown, noItemHint)
}

// sayNotHere shows the alarms about ids that are not in the journal: of what a restore
// lost they are all that is known.
func (a *app) sayNotHere(ctx context.Context, r *online.Relay, ids []string, list []online.Status) error {
	here := make(map[string]bool, len(list))
	for _, s := range list {
		here[s.ID] = true
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return here[id] })
	alarms, err := r.AlarmsOf(ctx, ids)
	for _, x := range alarms[:min(len(alarms), maxSaidAlarms)] {
		a.say("%s is not in this journal; alarm %d about it, %s: %s: %s", x.Item, x.ID, stateOf(x), x.Code, x.Reason)
	}
	return err
}

// depth returns how deep a transaction is, "-" where nobody saw it in a block.
func depth(s online.Status) string {
	if s.Depth == 0 {
		return "-"
	}
	return strconv.FormatInt(s.Depth, 10)
}

func (a *app) table(list []online.Status) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCHAIN\tNETWORK\tSTATE\tFOR\tCONF\tPAYS\tTXID\tWHY")
	for _, s := range list {
		txid := s.TxID
		if txid == "" {
			txid = "-"
		}
		why := strings.TrimSpace(string(s.Code) + " " + s.Reason)
		if s.State == journal.Rejected && s.Code == chain.RefusedByRelay { // which is what Tatum has it as
			why = "by a person: " + s.Reason
		}
		if s.Trouble != "" {
			why += "; by now: " + s.Trouble
		}
		if s.Healed != "" {
			why = fmt.Sprintf("it was failed (%s) until %s, and goes on; %s", s.Failed, s.Healed, why)
		}
		if s.Restored != "" {
			why = s.Restored + "; " + why
		}
		if s.MayBeOut() {
			why = fmt.Sprintf("handed to the network at %s: do not have it paid anew; %s", s.Handed, why)
		}
		if s.Withheld != "" && s.Withheld != s.Code {
			why = "withheld: " + string(s.Withheld) + " " + why
		}
		for _, code := range s.Beside {
			why = "withheld also: " + string(code) + "; " + why
		}
		if s.HeldBy != "" {
			why = fmt.Sprintf("held by %s until %s; %s", s.HeldBy, s.HeldUntil, why)
		}
		why = strings.ReplaceAll(a.typed(strings.TrimRight(why, "; ")), "\n", " ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.ID, s.Chain, s.Network, s.State, a.age(s.Since), depth(s), pays(s), txid, why)
	}
	return w.Flush()
}

// sayRestored says that the journal is a backup, until a person has dealt with that.
func (a *app) sayRestored(ctx context.Context, r *online.Relay) error {
	words, err := r.RestoredNotice(ctx)
	if words != "" {
		a.say("%s", words)
	}
	return err
}

// pays is what leaves with an item, in one cell: amounts and addresses.
func pays(s online.Status) string {
	var parts []string
	for _, p := range s.Pays {
		if p.Back {
			continue
		}
		to := p.Address
		if to == "" {
			to = "a script without address"
		}
		parts = append(parts, p.Amount+" to "+to)
	}
	text := strings.Join(parts, ", ")
	switch {
	case len(s.Pays) == 0:
		return "-"
	case s.Outputs > len(s.Pays):
		text = fmt.Sprintf("%s in %d outputs", s.Leaves, s.Outputs)
	case len(parts) == 0:
		text = "only to itself"
	case len(parts) > 2:
		text = fmt.Sprintf("%s, %s and %d more", s.Leaves, parts[0], len(parts)-1)
	}
	if s.Change == prepare.NotKnown {
		text += " (sum of outputs, its change is not known)"
	}
	return text
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
	if gone := a.whyGone(s, ended); gone != "" {
		a.say("daemon: %s; what it had last:", gone)
	} else {
		a.say("daemon: process %d on %s: round %d ended %s ago", s.PID, s.Host, s.Round.Number, a.age(ended.Format(time.RFC3339)))
	}
	a.sayRound(s, ended)
}

// whyGone says that a daemon does not run, as far as that is known, "" for one
// that does.
func (a *app) whyGone(s seen, ended time.Time) string {
	at, ago := ended.UTC().Format(time.RFC3339), a.age(ended.Format(time.RFC3339))
	switch {
	case !s.Stopped.IsZero():
		return fmt.Sprintf("stopped at %s, %s ago", s.Stopped.UTC().Format(time.RFC3339), a.age(s.Stopped.Format(time.RFC3339)))
	case a.ended(s):
		return fmt.Sprintf("NOT RUNNING: it ended without a word, and was last seen at %s, %s ago", at, ago)
	case a.now().Sub(ended) > 3*time.Duration(s.Period)*time.Second+time.Minute:
		return fmt.Sprintf("NOT RUNNING, or it hangs: it was last seen at %s, %s ago", at, ago)
	}
	return ""
}

// ended reports whether a daemon's process is known to be gone. That of another
// machine or container is not.
func (a *app) ended(s seen) bool {
	if host, err := os.Hostname(); err != nil || s.Host != host || s.PID <= 0 {
		return false
	}
	p, err := os.FindProcess(s.PID)
	return err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// sayRound says what was in a daemon's last report.
func (a *app) sayRound(s seen, ended time.Time) {
	if s.Round.Drop == "away" {
		a.say("daemon: the drop folder is away")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Round.Loops)) {
		if since := s.Round.Loops[name].Since; !since.IsZero() && ended.Sub(since) > time.Minute {
			a.say("daemon: %s: at it for %s", name, a.age(since.Format(time.RFC3339)))
		}
	}
	if n := s.Round.Unheard; n > 0 {
		a.say("daemon: %d events were not delivered yet", n)
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
	if u.Limited.After(a.now()) {
		a.say("daemon: Tatum answered 429 and asked to wait until %s; what is signed is tried all the same",
			u.Limited.UTC().Format(time.RFC3339))
	} else if u.Paused.After(a.now()) {
		a.say("daemon: Tatum is left alone until %s", u.Paused.UTC().Format(time.RFC3339))
	}
	if u.Trouble != "" {
		a.say("daemon: last trouble with Tatum: %s", u.Trouble)
	}
}
